import { limits } from '@parley/protocol'
import { toneOfSeat } from './tone.ts'

/** Opus frames in one stretch that is judged; the first ones let the decoder settle. */
export const LISTEN_FRAMES = 12

/**
 * Opus frames that may be decoded per second, all streams together. Higher hears more of a large
 * run; lower leaves more of a core to the media. One takes about 50 µs.
 */
const DECODED_FRAMES_PER_SECOND = 2_000

/** A stream is heard at most this often. */
const LISTEN_EVERY_MS = 1_000

/** What the person asked for. */
export interface GroupScenario {
  readonly rooms: number
  readonly participants: number
  /** How long all are in their rooms together. */
  readonly holdMs: number
  /** Clients that come per second. */
  readonly joinsPerSecond: number
  readonly video: boolean
  /** Encoded silence goes out in place of the tones, which are still expected. */
  readonly silence: boolean
}

/** One simulated caller. */
export interface Seat {
  readonly room: string
  readonly user: string
  readonly toneHz: number
  /** After the start of the run. */
  readonly startAtMs: number
}

/** Everything that will happen, decided before anything does. */
export interface Plan {
  readonly scenario: GroupScenario
  readonly seats: readonly Seat[]
  /** How often each received audio stream is judged. */
  readonly listenEveryMs: number
}

/** The bounds of the numbers in a scenario. */
export const planLimits = {
  rooms: { min: 1, max: 1_000 },
  participants: { min: 2, max: limits.participantsPerCall },
  joinsPerSecond: { min: 1, max: 1_000 },
  holdMs: { min: 1_000, max: 24 * 3_600_000 },
} as const

/** Lays a scenario out in time. `run` keeps the names of two runs apart. */
export function planGroup(scenario: GroupScenario, run: string): Plan {
  const { rooms, participants, joinsPerSecond } = scenario
  const seats = Array.from({ length: rooms * participants }, (_, index): Seat => {
    const room = Math.floor(index / participants)
    const seat = index % participants
    return {
      room: `load-${run}-${room + 1}`,
      user: `load-${run}-${room + 1}-${seat + 1}`,
      toneHz: toneOfSeat(room, seat),
      startAtMs: Math.round((1_000 * index) / joinsPerSecond),
    }
  })
  return { scenario, seats, listenEveryMs: listenEveryMs(scenario) }
}

/** Each stream that somebody should receive, by sender and receiver. */
export function expectedPairs({ seats }: Plan): readonly { from: Seat; to: Seat }[] {
  return seats.flatMap((to) =>
    seats.filter((from) => from.room === to.room && from !== to).map((from) => ({ from, to })),
  )
}

function listenEveryMs({ rooms, participants, holdMs }: GroupScenario): number {
  const streams = rooms * participants * (participants - 1)
  const affordableMs = (1_000 * streams * LISTEN_FRAMES) / DECODED_FRAMES_PER_SECOND
  return Math.min(Math.max(LISTEN_EVERY_MS, affordableMs), holdMs / 2)
}
