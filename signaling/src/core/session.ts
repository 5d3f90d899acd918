import type { DeviceId, EventFrame, Millis, SessionId, UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'

/** One device's stay: outlives its sockets, remembers what it sent, and ends after a grace time. */
export interface Session {
  readonly id: SessionId
  /** Proves on resume that the client is the one the session was made for. */
  readonly key: string
  readonly user: UserId
  readonly device: DeviceId
  /** Number of the last event; the first one is 1. */
  readonly lastSeq: number
  /** The newest events, oldest first, at most `limits.replayEvents`. */
  readonly recent: readonly EventFrame[]
  /** Its page has said that it goes away. */
  readonly leaving: boolean
  /** Set while no socket is attached: when the session ends. */
  readonly awayUntil: Millis | undefined
}

export function newSession(identity: Pick<Session, 'id' | 'key' | 'user' | 'device'>): Session {
  return { ...identity, lastSeq: 0, recent: [], leaving: false, awayUntil: undefined }
}

/** Numbers an event and keeps it for a replay. */
export function record(
  session: Session,
  type: string,
  data: unknown,
): { readonly session: Session; readonly frame: EventFrame } {
  const frame = { seq: session.lastSeq + 1, type, data }
  const kept = session.recent.slice(-(limits.replayEvents - 1))
  return { session: { ...session, lastSeq: frame.seq, recent: [...kept, frame] }, frame }
}

/** The socket is gone; the session waits for another one. */
export function detach(session: Session, now: Millis): Session {
  const graceMs = session.leaving ? limits.reloadGraceMs : limits.sessionGraceMs
  return { ...session, awayUntil: now + graceMs }
}

/** What a client that has seen everything up to `lastSeq` still needs. */
export type Resumption =
  | { readonly verdict: 'replayed'; readonly frames: readonly EventFrame[] }
  /** Too much was missed: it gets the state as it is now. */
  | { readonly verdict: 'snapshot' }

/** A socket is back. A number from the future counts as unknown and gets a snapshot. */
export function attach(
  session: Session,
  lastSeq: number,
): { readonly session: Session; readonly resumption: Resumption } {
  const attached = { ...session, leaving: false, awayUntil: undefined }
  const frames = session.recent.filter(({ seq }) => seq > lastSeq)
  const complete = session.lastSeq - lastSeq === frames.length
  return {
    session: attached,
    resumption: complete ? { verdict: 'replayed', frames } : { verdict: 'snapshot' },
  }
}
