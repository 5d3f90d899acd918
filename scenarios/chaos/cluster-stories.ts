import { setTimeout as wait } from 'node:timers/promises'
import { watches } from '../lab/caller.ts'
import type { Caller } from '../lab/caller.ts'
import { until } from '../lab/patience.ts'
import type { CallKind } from './kill-signaling.ts'
import { openPair } from './pair.ts'
import type { Pair } from './pair.ts'
import { disturb, picturesMove } from './report.ts'
import type { Outcome } from './report.ts'

/** What a disturbance of two signaling processes came to. */
export interface ClusterOutcome {
  /** From the kill until the other process held the call. */
  readonly takenOverMs: number
  readonly people: readonly Outcome[]
}

/**
 * Kills that one of two signaling processes which holds the call of two people, one at each; the next
 * round kills its heir. Rejects where the call ended.
 */
export async function killOwner(
  kind: CallKind,
  rounds: number,
  told: (outcome: ClusterOutcome) => void,
): Promise<void> {
  await withCall(kind, async (pair, people) => {
    for (let round = 0; round < rounds; round++) {
      const [owner, heir] = await byOwner(pair)
      let takenOverMs = 0
      const outcomes = await disturb(people, async () => {
        const startedAt = Date.now()
        await owner.process.kill()
        await picturesMove(people)
        await until(
          'the other process holds the call',
          () => heir.gauge('parley_signaling_calls'),
          (calls) => calls === 1,
        )
        takenOverMs = Date.now() - startedAt
      })
      told({ takenOverMs, people: outcomes })
      await owner.process.start()
      await pair.joined()
    }
  })
}

/** Takes Redis away for a while, with all that it knew. Rejects where the call ended. */
export async function loseRedis(kind: CallKind, awayMs: number): Promise<readonly Outcome[]> {
  let outcomes: readonly Outcome[] = []
  await withCall(kind, async (pair, people) => {
    outcomes = await disturb(people, async () => {
      await pair.redis.kill()
      for (const { status } of pair.members) {
        await until(
          'a process is not ready without Redis',
          () => status('/readyz'),
          (code) => code === 503,
        )
        if ((await status('/healthz')) !== 200) throw new Error('it is taken for dead')
      }
      await picturesMove(people)
      await wait(awayMs)
      await pair.redis.start()
      for (const { status } of pair.members) {
        await until(
          'a process is ready again',
          () => status('/readyz'),
          (code) => code === 200,
        )
      }
    })
    await pair.joined()
    const held = await Promise.all(pair.members.map((one) => one.gauge('parley_signaling_calls')))
    if (held.toSorted().join() !== '0,1') throw new Error(`calls held: ${held.join()}`)
  })
  return outcomes
}

/** Runs a story with a call that must be one still at the end: hanging up reaches both. */
async function withCall(
  kind: CallKind,
  story: (pair: Pair, people: readonly Caller[]) => Promise<void>,
): Promise<void> {
  const pair = await openPair()
  try {
    const options = kind === 'sfu' ? { topology: 'sfu' } : {}
    const alice = await pair.arrive('alice', 0, options)
    const bob = await pair.arrive('bob', 1, options)
    if (kind === 'sfu') {
      for (const one of [alice, bob]) await one.do('join', 'standup')
    } else {
      await alice.do('call', 'bob')
      await bob.isRung()
      await bob.do('accept')
    }
    await watches(alice, [bob])
    await watches(bob, [alice])
    await story(pair, [alice, bob])
    await alice.do('hangup')
    if (kind === 'sfu') await bob.do('hangup')
    for (const one of [alice, bob]) {
      const end = await one.sees('the end', ({ state }) => state === 'ended')
      if (end.endReason !== 'hangup') throw new Error(`it ended as ${String(end.endReason)}`)
    }
  } finally {
    await pair.close()
  }
}

async function byOwner({ members: [a, b] }: Pair) {
  const held = await a.gauge('parley_signaling_calls')
  return held === 1 ? ([a, b] as const) : ([b, a] as const)
}
