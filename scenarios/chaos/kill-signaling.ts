import type { Caller } from '../lab/caller.ts'
import { watches } from '../lab/caller.ts'
import { encryptedFromNow } from '../lab/encryption.ts'
import { until } from '../lab/patience.ts'
import { disturb, picturesMove } from './report.ts'
import type { Outcome } from './report.ts'
import { openStage } from './stage.ts'
import type { Stage } from './stage.ts'

/** How the people of a call are connected. */
export type CallKind = 'direct' | 'sfu'

/**
 * Kills the only signaling process again and again while people talk, and brings it back each time.
 * Answers what each saw; rejects where a call ended.
 */
export async function killSignaling(
  kind: CallKind,
  rounds: number,
  told: (outcomes: readonly Outcome[]) => void,
): Promise<void> {
  const stage = await openStage()
  try {
    const people = kind === 'direct' ? await directCall(stage) : await room(stage)
    const wereEncrypted = await encryptedFromNow(people)
    for (let round = 0; round < rounds; round++) {
      const outcomes = await disturb(people, async () => {
        await stage.signaling.kill()
        await picturesMove(people)
        await stage.signaling.start()
      })
      told(outcomes)
      await wereEncrypted()
    }
    // The call is still one that can be used: hanging up reaches everybody.
    for (const one of people) await one.do('hangup')
    for (const one of people) {
      const end = await one.sees('the end', ({ state }) => state === 'ended')
      if (end.endReason !== 'hangup') throw new Error(`it ended as ${String(end.endReason)}`)
    }
  } finally {
    await stage.close()
  }
}

/** Kills signaling while a call rings: it is answered all the same once signaling is back. */
export async function killWhileRinging(): Promise<void> {
  const stage = await openStage()
  try {
    const [alice, bob] = [await stage.arrive('alice'), await stage.arrive('bob')]
    await alice.do('call', 'bob')
    await bob.isRung()
    await stage.signaling.kill()
    await stage.signaling.start()
    for (const one of [alice, bob]) await one.isConnected()
    await alice.sees('that it rings on', ({ state }) => state === 'ringing')
    await answer(bob)
    await watches(alice, [bob])
    await watches(bob, [alice])
  } finally {
    await stage.close()
  }
}

/** The caller rings anew a moment after he is back; until then there is nothing to accept. */
async function answer(callee: Caller): Promise<void> {
  await until(
    `${callee.user} has answered`,
    () =>
      callee.do('accept').then(
        () => true,
        () => false,
      ),
    (done) => done,
  )
}

async function directCall(stage: Stage): Promise<readonly Caller[]> {
  const [alice, bob] = [await stage.arrive('alice'), await stage.arrive('bob')]
  await alice.do('call', 'bob')
  await bob.isRung()
  await bob.do('accept')
  await watches(alice, [bob])
  await watches(bob, [alice])
  return [alice, bob]
}

async function room(stage: Stage): Promise<readonly Caller[]> {
  const people = [
    await stage.arrive('alice', { topology: 'sfu' }),
    await stage.arrive('bob', { topology: 'sfu' }),
  ]
  for (const one of people) await one.do('join', 'standup')
  for (const one of people) await watches(one, without(people, one))
  return people
}

function without(people: readonly Caller[], one: Caller): Caller[] {
  return people.filter((other) => other !== one)
}
