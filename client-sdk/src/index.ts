export { CallClient } from './client.ts'
export type { CallClientOptions, CallWaiting, ClientEvents } from './client-options.ts'
export type { WireFormat } from './socketio/link.ts'
export type { AcceptOptions, Call, MediaOptions, OperationOptions, RingOptions } from './call.ts'
export type { InviteOptions } from './ringing-call.ts'
export type { CallEvents, CallPath, Message, Muted, MuteRequest } from './call-events.ts'
export type { CallData, SendOptions } from './call-talk.ts'
export type { CallDirection, CallState } from './core/call-state.ts'
export type { Protection } from './core/frames/call-protection.ts'
export type { ConnectionState } from './core/connection.ts'
export type { VideoCodec } from './core/video-codec.ts'
export type { Quality, QualityLevel, QualityReason } from './core/quality.ts'
export type { InboundSample, MediaSample, OutboundSample, PairSample } from './core/stats.ts'
export type { SecurityAlarm } from './e2ee/call-encryption.ts'
export type { Assessment, IdentityClaim, TrustPolicy } from './e2ee/identity/identity.ts'
export type { ChangeReason, TrustState } from './e2ee/identity/trust.ts'
export { CallError } from './errors.ts'
export type { CallErrorCode, SdkErrorCode } from './errors.ts'
export type { MuteOptions, Waiting } from './moderated-call.ts'
export type { MissedCall } from './missed-calls.ts'
export type { OtherCall } from './other-calls.ts'
export type { DeviceState, OwnDevice, OwnIdentity } from './own-identity.ts'
export type { OwnPresence, Watched } from './presence-watch.ts'
export type { PushOptions } from './push.ts'
export type { Reconnecting } from './media-recovery.ts'
export type { Rung } from './core/ladder.ts'
export type { Participant } from './roster.ts'
export type { LayerState, LocalTrack, RemoteTrack, Track } from './tracks.ts'
export type {
  CallMedia,
  EndReason,
  Grants,
  HandOver,
  InviteView,
  LayerReason,
  MissedReason,
  Presence,
  PresenceStatus,
  Sending,
  TrackSource,
} from '@parley/protocol'
