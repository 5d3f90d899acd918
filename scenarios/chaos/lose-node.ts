import { hears, watches } from '../lab/caller.ts'
import type { Caller } from '../lab/caller.ts'
import { areEncrypted } from '../lab/encryption.ts'
import { without } from '../lab/lab.ts'
import { until } from '../lab/patience.ts'
import { disturb } from './report.ts'
import type { Outcome } from './report.ts'
import { openStage } from './stage.ts'

/** Less than signaling waits for a node, and more than a hiccup. */
const AWAY_MS = 3_000

/**
 * Kills the node that two people talk through, when another one is there. Rejects where they do not
 * meet again, encrypted.
 */
export async function loseNode(): Promise<readonly Outcome[]> {
  const stage = await openStage('127.0.0.1', { spare: true })
  try {
    const people: Caller[] = []
    for (const user of ['alice', 'bob']) {
      people.push(await stage.arrive(user, { topology: 'sfu' }))
    }
    for (const one of people) await one.do('join', 'standup')
    await meet(people)
    await stage.spare.start()
    const outcomes = await disturb(people, async () => {
      await stage.sfu.kill()
      // Whether the call says that it looks for a way depends on who is the first to find out.
      for (const one of people) {
        await until(
          `no pictures come to ${one.user} for a while`,
          () => one.pulse(),
          ({ gaps }) => gaps.length === 1 && gaps.every(({ longestMs }) => longestMs > AWAY_MS),
        )
      }
    })
    await meet(people)
    return outcomes
  } finally {
    await stage.close()
  }
}

/** All see and hear each other, encrypted, under one code. */
async function meet(people: readonly Caller[]): Promise<void> {
  for (const one of people) {
    await watches(one, without(people, one))
    await hears(one, without(people, one))
  }
  await areEncrypted(people)
}
