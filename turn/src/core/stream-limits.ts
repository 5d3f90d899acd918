/** How long a connection may stay silent before its first message. */
const FIRST_MESSAGE_MS = 10_000
/** How long one message may take to arrive. */
const FRAME_MS = 30_000
/** How long a connection may live without an allocation. */
const WITHOUT_ALLOCATION_MS = 60_000
/** How long a client may leave its side unread once the backlog is full. */
const BLOCKED_MS = 15_000

/** What is known of a TCP or TLS client. Times are the core's `now`. */
export interface StreamProgress {
  readonly openedAt: number
  readonly hasSpoken: boolean
  /** When the incomplete message in the buffer began. */
  readonly frameBegunAt: number | undefined
  /** When it was last without an allocation; `undefined` while it has one. */
  readonly withoutAllocationSince: number | undefined
  /** When its backlog became full. */
  readonly blockedSince: number | undefined
}

/** Why a connection is closed. */
export type StreamFault = 'silent' | 'dripping' | 'idle' | 'slowReader'

/** The limit that a connection has crossed, if any: strangers must not pile up sockets. */
export function streamFault(progress: StreamProgress, now: number): StreamFault | undefined {
  const { openedAt, frameBegunAt, withoutAllocationSince, blockedSince } = progress
  if (!progress.hasSpoken && now - openedAt >= FIRST_MESSAGE_MS) return 'silent'
  if (frameBegunAt !== undefined && now - frameBegunAt >= FRAME_MS) return 'dripping'
  if (blockedSince !== undefined && now - blockedSince >= BLOCKED_MS) return 'slowReader'
  if (
    withoutAllocationSince !== undefined &&
    now - withoutAllocationSince >= WITHOUT_ALLOCATION_MS
  ) {
    return 'idle'
  }
  return undefined
}
