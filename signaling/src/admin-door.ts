import type { CallId, CallView, DeviceAddress, Presence, SessionId, UserId } from '@parley/protocol'

/** One device's stay, as an operator sees it. */
export interface SessionSight extends DeviceAddress {
  readonly session: SessionId
  readonly connected: boolean
}

/** What an operator may see and do; the hub is behind it. */
export interface AdminDoor {
  view(call: CallId): CallView | undefined
  /** Ends a call for all; `false` if there is none. */
  endCall(call: CallId): boolean
  /** Takes somebody out of a call; `false` if he is not in it. */
  removeParticipant(call: CallId, participant: string): boolean
  sessions(user: UserId): readonly SessionSight[]
  /** Ends a session; the device may connect again. */
  endSession(session: string): boolean
  presenceOf(user: UserId): Presence
}
