import type { ParticipantId, TrackSource, UserId } from '@parley/protocol'
import type { CallData } from './call-talk.ts'
import type { CallState } from './core/call-state.ts'
import type { Quality } from './core/quality.ts'
import type { SecurityAlarm } from './e2ee/call-encryption.ts'
import type { CallError } from './errors.ts'
import type { Waiting } from './moderated-call.ts'
import type { Reconnecting } from './media-recovery.ts'
import type { Participant } from './roster.ts'
import type { LocalTrack, RemoteTrack } from './tracks.ts'

/** Which way media goes: between the devices, through a TURN server, or through an SFU node. */
export type CallPath = 'direct' | 'relay' | 'sfu'

/** Sources of one's own that were switched off: by a moderator, or as the token grants them no more. */
export interface Muted {
  readonly sources: readonly TrackSource[]
  readonly reason: 'grants' | 'moderator'
  /** The moderator. */
  readonly by: UserId | undefined
}

/** What somebody in the call has sent. */
export interface Message {
  readonly data: CallData
  readonly from: Participant
  /** It went to this device only. */
  readonly direct: boolean
}

/** A moderator asks to switch these off; the app may do so. */
export interface MuteRequest {
  readonly sources: readonly TrackSource[]
  /** The moderator. */
  readonly by: UserId
}

/** Everything that a call tells, with the arguments of the listeners. */
export interface CallEvents {
  state: [state: CallState]
  path: [path: CallPath]
  /** What is done to get media back has changed; undefined: it flows again. */
  reconnecting: [current: Reconnecting | undefined]
  track: [track: RemoteTrack, participant: Participant]
  'track-removed': [track: RemoteTrack, participant: Participant]
  'participant-joined': [participant: Participant]
  'participant-left': [participant: Participant]
  /** Muted, unmuted, on hold, hand raised or lowered, connection lost or back, identity known or changed, frames unreadable. */
  'participant-updated': [participant: Participant]
  /** This device has put the call on hold, or taken it up again. */
  hold: [onHold: boolean]
  /** This device's person has raised or lowered his hand. */
  hand: [raised: boolean]
  message: [message: Message]
  reaction: [reaction: string, from: Participant]
  /** Who was invited, and what became of it. */
  invites: []
  /** Participant id of who speaks now; may be one's own. */
  'active-speaker': [participant: ParticipantId | undefined]
  /** `call.local` changed, or something in it was muted or unmuted. */
  local: []
  /** The server switched these of one's own sources off, and why. */
  muted: [muted: Muted]
  'mute-requested': [request: MuteRequest]
  /** `call.lobby` changed: somebody waits, or does no longer. */
  lobby: [waiting: readonly Waiting[]]
  /** `call.locked`, `call.hasLobby`, `call.moderator` or `call.silenced` changed. */
  policy: []
  quality: [quality: Quality]
  /** `call.encrypted` changed. */
  encryption: [encrypted: boolean]
  /** How much of a video is received changed; see `track.layer`. */
  layer: [track: RemoteTrack, participant: Participant]
  /** How much of one's own video is taken changed; see `track.demand`. */
  demand: [track: LocalTrack]
  /** `call.verification`, or what is thought of somebody's identity, changed. */
  verification: []
  /** Somebody is not who he was, or a server or member does what no honest one does. */
  security: [alarm: SecurityAlarm]
  /** Something failed that was not asked for by a method, and the call goes on. */
  error: [error: CallError]
  /** The browser wants a gesture before it plays: call `resumePlayback()` in one. */
  'playback-blocked': []
}
