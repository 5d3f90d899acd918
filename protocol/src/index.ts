export { call, callDeadline } from './call.ts'
export { pendingOffer } from './call-ring.ts'
export {
  audience,
  hasCompany,
  isPending,
  MOVE_DEADLINE_MS,
  newCall,
  participantAt,
  participantById,
  ringsAt,
} from './call-state.ts'
export type {
  Call,
  CallEffect,
  CallEvent,
  DeviceAddress,
  Invitation,
  Invite,
  Invitee,
  NewCall,
  Offer,
  Participant,
  PendingInvite,
} from './call-state.ts'
export { entryOf, isModerator, silencedOf, waiterAt } from './call-policy.ts'
export type { CallPolicy, Waiter } from './call-policy.ts'
export { callViewSchema, endReasonSchema } from './call-view.ts'
export type {
  CallView,
  EndReason,
  HandOver,
  InviteState,
  InviteView,
  MediaPath,
  ParticipantView,
  Publication,
  Sending,
  TopologyView,
  WaitingView,
} from './call-view.ts'
export { clientRequests, serverEvents } from './client-messages.ts'
export type {
  ClientRequestData,
  ClientRequestResult,
  ClientRequestType,
  IceConfig,
  IceServer,
  PeerSignal,
  ServerEvent,
  ServerEventData,
  ServerEventType,
  SessionEnd,
  Welcome,
} from './client-messages.ts'
export { grantsClaimSchema, grantsSchema, publishableSchema } from './grants.ts'
export type { Grants, Publishable } from './grants.ts'
export { handshakeSchema, requestFrameSchema } from './envelope.ts'
export type { AnswerFrame, EventFrame, Handshake, RequestFrame } from './envelope.ts'
export { errorCodes, fail, ok, wireError } from './errors.ts'
export type { ErrorCode, Result, WireError } from './errors.ts'
export {
  callIdSchema,
  deviceIdSchema,
  participantIdSchema,
  roomNameSchema,
  sessionIdSchema,
  userIdSchema,
} from './ids.ts'
export type {
  CallId,
  ConsumerId,
  DeviceId,
  Millis,
  ParticipantId,
  ProducerId,
  RoomName,
  SessionId,
  TransportId,
  UserId,
} from './ids.ts'
export { limits } from './limits.ts'
export { kindOfSource } from './media.ts'
export type {
  CallMedia,
  ConsumerInfo,
  LayerReason,
  MediaKind,
  MediaSession,
  StreamView,
  TrackSource,
  TransportInfo,
} from './media.ts'
export type { DeviceCard, OrderedCommit } from './mls-messages.ts'
export { nodeEvents, nodeRequests } from './node-messages.ts'
export type {
  NodeEvent,
  NodeEventType,
  NodeLoad,
  NodeRequestData,
  NodeRequestResult,
  NodeRequestType,
  SfuNode,
} from './node-messages.ts'
export {
  missedReasonSchema,
  presenceStatusSchema,
  pushSubscriptionSchema,
} from './people-messages.ts'
export type {
  CallMessage,
  MissedCall,
  MissedReason,
  Presence,
  PresenceStatus,
  PushSubscriptionData,
} from './people-messages.ts'
export { viewFor, viewOf } from './project-call.ts'
export { correctedCall, restoredCall } from './restore-call.ts'
export type { RememberedCall } from './restore-call.ts'
export { seatTicketSchema } from './seat-ticket.ts'
export type { SeatTicket } from './seat-ticket.ts'
export { stay, unreachable } from './step.ts'
export type { Step } from './step.ts'
export { openEpochs, topology, topologyView } from './topology.ts'
export type { Topology, TopologyEffect, TopologyEvent } from './topology.ts'
export { PROTOCOL_VERSION } from './version.ts'
