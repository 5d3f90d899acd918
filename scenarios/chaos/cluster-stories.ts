import { setTimeout as wait } from 'node:timers/promises'
import { watches } from '../lab/caller.ts'
import type { Caller } from '../lab/caller.ts'
import { areEncrypted } from '../lab/encryption.ts'
import { until } from '../lab/patience.ts'
import type { CallKind } from './kill-signaling.ts'
import { openPair } from './pair.ts'
import type { Pair } from './pair.ts'
import { disturb, picturesMove } from './report.ts'
import type { Outcome } from './report.ts'

/**
 * How the people of a call came to how they are connected: `rung`: through a node, by a call that rings;
 * `grown`: the same, as a third person has just come to two who talked directly.
 */
export type ClusterCallKind = CallKind | 'rung' | 'grown'

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
  kind: ClusterCallKind,
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
export async function loseRedis(
  kind: ClusterCallKind,
  awayMs: number,
): Promise<readonly Outcome[]> {
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
  kind: ClusterCallKind,
  story: (pair: Pair, people: readonly Caller[]) => Promise<void>,
): Promise<void> {
  const pair = await openPair()
  try {
    const people = await callOf(kind, pair)
    await story(pair, people)
    await areEncrypted(people)
    for (const one of people) await one.do('hangup')
    for (const one of people) {
      const end = await one.sees('the end', ({ state }) => state === 'ended')
      if (end.endReason !== 'hangup') throw new Error(`it ended as ${String(end.endReason)}`)
    }
  } finally {
    await pair.close()
  }
}

async function callOf(kind: ClusterCallKind, pair: Pair): Promise<readonly Caller[]> {
  const options = kind === 'sfu' || kind === 'rung' ? { topology: 'sfu' } : {}
  const alice = await pair.arrive('alice', 0, options)
  const bob = await pair.arrive('bob', 1, options)
  const carol = kind === 'grown' ? await pair.arrive('carol', 1) : undefined
  if (kind === 'sfu') {
    for (const one of [alice, bob]) await one.do('join', 'standup')
  } else {
    await alice.do('call', 'bob')
    await bob.isRung()
    await bob.do('accept')
  }
  await watches(alice, [bob])
  await watches(bob, [alice])
  if (!carol) return [alice, bob]
  await alice.do('invite', 'carol')
  await carol.isRung()
  await carol.do('accept')
  // The switch has come about for one of them: the others may not know yet.
  await alice.sees('the node', ({ path }) => path === 'sfu')
  return [alice, bob, carol]
}

async function byOwner({ members: [a, b] }: Pair) {
  const held = await a.gauge('parley_signaling_calls')
  return held === 1 ? ([a, b] as const) : ([b, a] as const)
}
