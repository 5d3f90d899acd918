import { hears, watches } from '../lab/caller.ts'
import type { Caller } from '../lab/caller.ts'
import { areEncrypted } from '../lab/encryption.ts'
import { without } from '../lab/lab.ts'
import { until } from '../lab/patience.ts'
import { openPair } from './pair.ts'
import type { Pair } from './pair.ts'
import { disturb } from './report.ts'
import type { Outcome } from './report.ts'
import { openStage } from './stage.ts'

/** Less than signaling waits for a node, and more than a hiccup. */
const AWAY_MS = 3_000

interface Place extends Pick<Pair, 'sfu' | 'spare' | 'close'> {
  arrive(user: string, at: 0 | 1, options: object): Promise<Caller>
}

/** The signaling processes that two people are connected to, with a node and another one for it. */
const places: Readonly<Record<'one' | 'two', () => Promise<Place>>> = {
  async one() {
    const stage = await openStage('127.0.0.1', { spare: true })
    return { ...stage, arrive: (user, _at, options) => stage.arrive(user, options) }
  },
  two: () => openPair({ spare: true }),
}

/**
 * Kills the node that two people talk through, when another one is there: both are connected to `one`
 * signaling process, or each to another of `two`. Rejects where they do not meet again, encrypted.
 */
export async function loseNode(processes: keyof typeof places): Promise<readonly Outcome[]> {
  const stage = await places[processes]()
  try {
    const people = [
      await stage.arrive('alice', 0, { topology: 'sfu' }),
      await stage.arrive('bob', 1, { topology: 'sfu' }),
    ]
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
