import { hears } from './caller.ts'
import type { Caller } from './caller.ts'

/** Two pages that call each other at the same time, again and again. */
export interface GlareOptions {
  readonly rounds: number
  /** Told after each round. */
  readonly onRound?: (round: number, apartMs: number) => void
}

/** How far apart the two may press the button: within it either may be the first, or both cross. */
const MOST_APART_MS = 24

/**
 * Has two people call each other at the same time. Each time both must be connected, in one and the same
 * call, and nothing may be left of another one. Fails with what was seen instead.
 */
export async function glare(
  alice: Caller,
  bob: Caller,
  { rounds, onRound = () => undefined }: GlareOptions,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    // Each distance comes in turn, for either of the two.
    const apartMs = (round * 7) % MOST_APART_MS
    const [first, second] = round % 2 === 0 ? [alice, bob] : [bob, alice]
    await Promise.all([
      first.do('callAfter', second.user, 0),
      second.do('callAfter', first.user, apartMs),
    ])
    const sights = []
    for (const one of [alice, bob]) {
      sights.push(
        await one.sees(
          `the one call of round ${round}`,
          ({ state, openCalls }) => state === 'connected' && openCalls.length === 1,
        ),
      )
    }
    const ids = new Set(sights.flatMap(({ openCalls }) => openCalls))
    if (ids.size !== 1) throw new Error(`round ${round} ended in ${ids.size} calls`)
    // Once in a while by ear as well, which takes a second.
    if (round % 10 === 1) await hears(alice, [bob])
    await first.do('hangup')
    for (const one of [alice, bob]) {
      await one.sees(`the end of round ${round}`, ({ openCalls }) => openCalls.length === 0)
    }
    onRound(round, apartMs)
  }
}
