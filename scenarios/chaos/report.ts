import type { Caller } from '../lab/caller.ts'
import { until } from '../lab/patience.ts'

/** What one person saw of a disturbance. */
export interface Outcome {
  readonly user: string
  /** The longest time without a new picture of anybody. */
  readonly mediaGapMs: number
  /** From the disturbance until the connection to the server was back. */
  readonly signalingBackMs: number
}

/** Runs a disturbance while people talk, and tells what each saw of it once all is well again. */
export async function disturb(
  people: readonly Caller[],
  disturbance: () => Promise<void>,
): Promise<readonly Outcome[]> {
  for (const one of people) await one.do('startGaps')
  const startedAt = Date.now()
  await disturbance()
  return Promise.all(people.map((one) => outcomeFor(one, people.length - 1, startedAt)))
}

/** Waits until each has seen new pictures of all others: their media does without what is away. */
export async function picturesMove(people: readonly Caller[]): Promise<void> {
  await Promise.all(
    people.map(async (one) => {
      const before = await framesOf(one)
      await until(
        `${one.user} sees new pictures`,
        () => framesOf(one),
        (now) => now.length > 0 && now.every((frames, at) => frames > (before[at] ?? 0)),
      )
    }),
  )
}

/** One line for people. */
export function inWords(name: string, outcomes: readonly Outcome[]): string {
  const each = outcomes.map(
    ({ user, mediaGapMs, signalingBackMs }) =>
      `${user} media gap ${mediaGapMs} ms, server back after ${signalingBackMs} ms`,
  )
  return `${name}: ${each.join('; ')}`
}

async function outcomeFor(one: Caller, others: number, startedAt: number): Promise<Outcome> {
  const moved = await until(
    `${one.user} is connected again and sees moving pictures of all`,
    () => one.pulse(),
    ({ state, connection, gaps }) =>
      state === 'connected' &&
      connection === 'connected' &&
      gaps.length === others &&
      gaps.every(({ sinceMs }) => sinceMs < 1_000),
  )
  return {
    user: one.user,
    mediaGapMs: Math.max(...moved.gaps.map(({ longestMs }) => longestMs)),
    signalingBackMs: Math.max(0, moved.connectedAt - startedAt),
  }
}

/** How many pictures of each other person have been shown. */
async function framesOf(one: Caller): Promise<readonly number[]> {
  const { others } = await one.look()
  return others.map(({ tracks }) => tracks.find(({ kind }) => kind === 'video')?.frames ?? 0)
}
