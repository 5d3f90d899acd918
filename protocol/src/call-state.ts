import { openPolicy } from './call-policy.ts'
import type { CallPolicy, Waiter } from './call-policy.ts'
import type { EndReason, HandOver, InviteState, Publication, Sending } from './call-view.ts'
import type {
  CallId,
  DeviceId,
  Millis,
  ParticipantId,
  ProducerId,
  RoomName,
  UserId,
} from './ids.ts'
import type { CallMedia, TrackSource } from './media.ts'
import { initialTopology } from './topology.ts'
import type { Topology, TopologyEffect } from './topology.ts'

/**
 * How long the device that a call moves to may take to have its media. Longer suits slow links;
 * shorter frees a seat sooner where it does not come about.
 */
export const MOVE_DEADLINE_MS = 30_000

/** Where a message about a call goes: one device of one user. */
export interface DeviceAddress {
  readonly user: UserId
  readonly device: DeviceId
}

/** A device that is in the call. */
export interface Participant extends DeviceAddress {
  readonly id: ParticipantId
  readonly connected: boolean
  /** Not connected because his page goes away, perhaps to be loaded again. */
  readonly leaving?: boolean
  /** He holds the call: he neither sends nor receives. */
  readonly onHold: boolean
  readonly sending: Sending
  readonly handRaisedAt?: Millis | undefined
  /** His token lets him moderate this call. */
  readonly moderates?: boolean
  readonly publications: readonly Publication[]
  /** The seat of the same user that this one takes the place of once it decodes; by then at the latest. */
  readonly moving?: { readonly from: ParticipantId; readonly deadline: Millis }
}

/** Who gives his place in the call to whom an invitation rings, and how he leaves. */
export interface Offer {
  readonly by: ParticipantId
  readonly how: HandOver
}

/** What a device that rings is told, now or when it comes later. */
export interface Invitation {
  readonly by: UserId
  readonly media: CallMedia
  /** Opaque bytes of the caller for the called, as base64url; the server does not look inside. */
  readonly payload: string | undefined
}

/** An invitation that waits for an answer, or for a device that could give one. */
export interface PendingInvite extends Invitation {
  readonly user: UserId
  readonly offer?: Offer
  readonly state: 'ringing' | 'waking'
  /** None while nobody is awake. */
  readonly devices: readonly DeviceId[]
  readonly deadline: Millis
}

/** A user who was asked to join, and what became of it. */
export type Invite =
  | PendingInvite
  | {
      readonly user: UserId
      readonly offer?: Offer
      readonly state: Exclude<InviteState, PendingInvite['state']>
    }

/** A call as the server holds it. A room is a call with a name, which rings nobody by itself. */
export interface Call {
  readonly id: CallId
  readonly room: RoomName | undefined
  readonly startedBy: UserId
  /** Policy: never peer to peer. */
  readonly sfuOnly: boolean
  readonly phase: 'open' | 'ended'
  readonly answered: boolean
  readonly participants: readonly Participant[]
  readonly invites: readonly Invite[]
  readonly topology: Topology
  readonly policy: CallPolicy
  /** The lobby: who has asked to come in, in that order. */
  readonly waiting: readonly Waiter[]
}

/** One user to ring, as the server found him. */
export type Invitee =
  | { readonly user: UserId; readonly outcome: 'ring'; readonly devices: readonly DeviceId[] }
  /** `wake`: no device is connected, but one may come when it is told. */
  | { readonly user: UserId; readonly outcome: 'busy' | 'unreachable' | 'wake' }

/** What takes a seat in a call. */
export interface Newcomer {
  readonly participant: ParticipantId
  readonly at: DeviceAddress
  readonly sending: Sending
}

/** A seat that comes over from another call. */
export interface Transferred extends Newcomer {
  readonly connected: boolean
  readonly onHold: boolean
}

export type CallEvent =
  /** `replaces`: the seat of another device of the same user, which the call moves away from. */
  | (Newcomer & { readonly type: 'joined'; readonly replaces?: ParticipantId })
  | (Invitation & {
      readonly type: 'invited'
      readonly users: readonly Invitee[]
      readonly deadline: Millis
    })
  /** A participant offers his place: to another user, or to another of his own devices. */
  | {
      readonly type: 'offered'
      readonly offer: Offer
      readonly to: Invitee
      readonly media: CallMedia
      readonly deadline: Millis
    }
  /** Somebody is not wanted any more before he answered. */
  | { readonly type: 'uninvited'; readonly user: UserId }
  | (Newcomer & { readonly type: 'accepted' })
  /** A seat is taken anew by its own device, under a new id: media begins from nothing for it. */
  | {
      readonly type: 'reseated'
      readonly participant: ParticipantId
      readonly as: ParticipantId
      readonly sending: Sending
    }
  | { readonly type: 'declined'; readonly at: DeviceAddress }
  | {
      readonly type: 'left'
      readonly participant: ParticipantId
      readonly reason: 'hangup' | 'failed' | 'removed'
    }
  | {
      readonly type: 'holdChanged'
      readonly participant: ParticipantId
      readonly onHold: boolean
    }
  /** The device that the call moves to has its media: the old one is let go. */
  | { readonly type: 'settled'; readonly participant: ParticipantId }
  /** The call goes on in another one, which takes in those who are `brought` by `tookOver`. */
  | {
      readonly type: 'handedOver'
      readonly by: ParticipantId
      readonly brought: readonly ParticipantId[]
    }
  /** The people of another call take the place of the one who was in both. */
  | {
      readonly type: 'tookOver'
      readonly by: ParticipantId
      readonly from: CallId
      readonly seats: readonly Transferred[]
    }
  /** The call is ended for all, from outside. */
  | { readonly type: 'closed'; readonly reason: EndReason }
  /** A device has connected. Where it is the first, its user has until `deadline` to answer. */
  | { readonly type: 'deviceCame'; readonly at: DeviceAddress; readonly deadline: Millis }
  /** Nothing can be done to bring a device of the user here. */
  | { readonly type: 'wakeFailed'; readonly user: UserId }
  /** The device's session is over: it rings no longer. */
  | { readonly type: 'deviceGone'; readonly at: DeviceAddress }
  | {
      readonly type: 'connectionChanged'
      readonly participant: ParticipantId
      readonly connected: boolean
      readonly leaving?: boolean
    }
  | {
      readonly type: 'sendingChanged'
      readonly participant: ParticipantId
      readonly sending: Sending
    }
  | { readonly type: 'handMoved'; readonly participant: ParticipantId; readonly raised: boolean }
  | {
      readonly type: 'published'
      readonly participant: ParticipantId
      readonly publication: Publication
    }
  | {
      readonly type: 'publicationPaused'
      readonly participant: ParticipantId
      readonly producer: ProducerId
      readonly paused: boolean
    }
  | {
      readonly type: 'unpublished'
      readonly participant: ParticipantId
      readonly producer: ProducerId
    }
  /** Somebody asks to be let in. */
  | {
      readonly type: 'knocked'
      readonly at: DeviceAddress
      readonly media: CallMedia
      readonly direct: boolean
    }
  /** He does not want to come in any more. */
  | { readonly type: 'unknocked'; readonly at: DeviceAddress }
  | {
      readonly type: 'admitted'
      readonly user: UserId
      readonly seats: readonly Pick<Newcomer, 'participant' | 'at'>[]
    }
  | { readonly type: 'denied'; readonly user: UserId }
  /** A user has to leave, and cannot come back without being let in. */
  | { readonly type: 'removed'; readonly user: UserId }
  | { readonly type: 'moderatorChanged'; readonly user: UserId; readonly on: boolean }
  /** A user may not be heard or seen, or may be again. */
  | {
      readonly type: 'silenceChanged'
      readonly user: UserId
      readonly sources: readonly TrackSource[]
      readonly on: boolean
    }
  | { readonly type: 'policyChanged'; readonly locked?: boolean; readonly lobby?: boolean }
  /** Whether a participant's token lets him moderate here. */
  | {
      readonly type: 'tokenModerates'
      readonly participant: ParticipantId
      readonly moderates: boolean
    }
  | { readonly type: 'ready'; readonly participant: ParticipantId; readonly epoch: number }
  | { readonly type: 'escalated' }
  | { readonly type: 'mediaLost'; readonly epoch: number }
  | { readonly type: 'tick' }

/** One of the events. */
export type CallEventOf<Type extends CallEvent['type']> = Extract<CallEvent, { type: Type }>

export type CallEffect =
  | {
      readonly type: 'ring'
      readonly to: DeviceAddress
      readonly invitation: Invitation
      readonly offer?: Offer
    }
  /** The call is over for one device. */
  | { readonly type: 'endFor'; readonly to: DeviceAddress; readonly reason: EndReason }
  /** The device's seat in the call `from` is now this one. */
  | {
      readonly type: 'transfer'
      readonly to: DeviceAddress
      readonly from: CallId
      readonly participant: ParticipantId
    }
  /** A device that waited has this seat now. */
  | { readonly type: 'admit'; readonly to: DeviceAddress; readonly participant: ParticipantId }
  /** The node stops a stream that may not be heard or seen. */
  | {
      readonly type: 'pauseProducer'
      readonly participant: ParticipantId
      readonly producer: ProducerId
      readonly epoch: number
    }
  /** Everybody who is in it or rung by it sees the new state. */
  | { readonly type: 'update' }
  | { readonly type: 'closePeer'; readonly participant: ParticipantId; readonly epoch: number }
  /** The call is over for all. */
  | { readonly type: 'ended' }
  | TopologyEffect

/** How a call begins. `moderators`: who moderates it though his token does not say so. */
export type NewCall = Pick<Call, 'id' | 'room' | 'startedBy' | 'sfuOnly'> &
  Partial<Pick<CallPolicy, 'moderators' | 'encrypted'>>

/** A call that nobody is in yet; `joined` must follow. */
export function newCall(spec: NewCall): Call {
  const { id, room, startedBy, sfuOnly, moderators = [], encrypted = false } = spec
  return {
    id,
    room,
    startedBy,
    sfuOnly,
    phase: 'open',
    answered: false,
    participants: [],
    invites: [],
    topology: initialTopology,
    policy: { ...openPolicy, moderators, encrypted },
    waiting: [],
  }
}

/** Whether the call rings at this device now. */
export function ringsAt(state: Call, { user, device }: DeviceAddress): boolean {
  return state.invites.some((i) => i.user === user && isPending(i) && i.devices.includes(device))
}

/** Whether an invitation can still be answered. */
export function isPending(invite: Invite): invite is PendingInvite {
  return invite.state === 'ringing' || invite.state === 'waking'
}

/** The participant on this device, if it is in the call. */
export function participantAt(state: Call, at: DeviceAddress): Participant | undefined {
  return state.participants.find((p) => p.user === at.user && p.device === at.device)
}

export function participantById(state: Call, id: ParticipantId): Participant | undefined {
  return state.participants.find((p) => p.id === id)
}

/** Everybody who sees the call: its participants and the devices that it rings. */
export function audience(state: Call): readonly DeviceAddress[] {
  return [...state.participants, ...state.invites.flatMap(ringingDevices)]
}

/** The devices that an invitation rings. */
export function ringingDevices(invite: Invite): readonly DeviceAddress[] {
  if (!isPending(invite)) return []
  return invite.devices.map((device) => ({ user: invite.user, device }))
}

/** Whether somebody else than the holder of this seat is in the call. */
export function hasCompany(state: Call, { user }: Participant): boolean {
  return state.participants.some((other) => other.user !== user)
}
