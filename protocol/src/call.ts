import type { EndReason, InviteState, Publication, Sending } from './call-view.ts'
import type {
  CallId,
  DeviceId,
  Millis,
  ParticipantId,
  ProducerId,
  RoomName,
  UserId,
} from './ids.ts'
import type { CallMedia } from './media.ts'
import { stay, unreachable } from './step.ts'
import type { Step } from './step.ts'
import { initialTopology, openEpochs, topology, topologyDeadline } from './topology.ts'
import type { Topology, TopologyEffect, TopologyEvent } from './topology.ts'

/** Where a message about a call goes: one device of one user. */
export interface DeviceAddress {
  readonly user: UserId
  readonly device: DeviceId
}

/** A device that is in the call. */
export interface Participant extends DeviceAddress {
  readonly id: ParticipantId
  readonly connected: boolean
  readonly sending: Sending
  readonly publications: readonly Publication[]
}

/** A user who was asked to join. Only a ringing invitation has devices and a deadline. */
export type Invite =
  | {
      readonly user: UserId
      readonly state: 'ringing'
      readonly devices: readonly DeviceId[]
      readonly deadline: Millis
    }
  | { readonly user: UserId; readonly state: Exclude<InviteState, 'ringing'> }

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
}

/** One user to ring, as the server found him. */
export type Invitee =
  | { readonly user: UserId; readonly outcome: 'ring'; readonly devices: readonly DeviceId[] }
  | { readonly user: UserId; readonly outcome: 'busy' | 'unreachable' }

export type CallEvent =
  | {
      readonly type: 'joined'
      readonly participant: ParticipantId
      readonly at: DeviceAddress
      readonly sending: Sending
    }
  | {
      readonly type: 'invited'
      readonly by: UserId
      readonly media: CallMedia
      readonly users: readonly Invitee[]
      readonly deadline: Millis
    }
  | {
      readonly type: 'accepted'
      readonly participant: ParticipantId
      readonly at: DeviceAddress
      readonly sending: Sending
    }
  | { readonly type: 'declined'; readonly at: DeviceAddress }
  | {
      readonly type: 'left'
      readonly participant: ParticipantId
      readonly reason: 'hangup' | 'failed' | 'removed'
    }
  /** The device's session is over: it rings no longer. */
  | { readonly type: 'deviceGone'; readonly at: DeviceAddress }
  | {
      readonly type: 'connectionChanged'
      readonly participant: ParticipantId
      readonly connected: boolean
    }
  | {
      readonly type: 'sendingChanged'
      readonly participant: ParticipantId
      readonly sending: Sending
    }
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
  | { readonly type: 'ready'; readonly participant: ParticipantId; readonly epoch: number }
  | { readonly type: 'escalated' }
  | { readonly type: 'mediaLost'; readonly epoch: number }
  | { readonly type: 'tick' }

export type CallEffect =
  | {
      readonly type: 'ring'
      readonly to: DeviceAddress
      readonly from: UserId
      readonly media: CallMedia
    }
  /** The call is over for one device. */
  | { readonly type: 'endFor'; readonly to: DeviceAddress; readonly reason: EndReason }
  /** Everybody who is in it or rung by it sees the new state. */
  | { readonly type: 'update' }
  | { readonly type: 'closePeer'; readonly participant: ParticipantId; readonly epoch: number }
  /** The call is over for all. */
  | { readonly type: 'ended' }
  | TopologyEffect

/** A call that nobody is in yet; `joined` must follow. */
export function newCall({
  id,
  room,
  startedBy,
  sfuOnly,
}: Pick<Call, 'id' | 'room' | 'startedBy' | 'sfuOnly'>): Call {
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
  }
}

/** The machine. An event that makes no sense in a state changes nothing. */
export function call(state: Call, event: CallEvent, now: Millis): Step<Call, CallEffect> {
  if (state.phase === 'ended') return stay(state)
  switch (event.type) {
    case 'joined':
      return onJoined(state, event, now)
    case 'invited':
      return onInvited(state, event)
    case 'accepted':
      // The compare-and-set: joining takes the invitation away from the user's other devices.
      return ringsAt(state, event.at) ? onJoined(state, event, now) : stay(state)
    case 'declined':
      return onDeclined(state, event.at)
    case 'left':
      return onLeft(state, event, now)
    case 'deviceGone':
      return onDeviceGone(state, event.at)
    case 'connectionChanged':
      return changeParticipant(state, event.participant, { connected: event.connected })
    case 'sendingChanged':
      return changeParticipant(state, event.participant, { sending: event.sending })
    case 'published':
    case 'publicationPaused':
    case 'unpublished':
      return onPublication(state, event)
    case 'ready':
      if (!participantById(state, event.participant)) return stay(state)
      return moveTopology(state, event, now)
    case 'escalated':
    case 'mediaLost':
      return moveTopology(state, { ...event, participants: ids(state) }, now)
    case 'tick':
      return onTick(state, now)
    default:
      return unreachable(event)
  }
}

/** When `tick` is next due. */
export function callDeadline(state: Call): Millis | undefined {
  if (state.phase === 'ended') return undefined
  const ringing = state.invites.flatMap((i) => (i.state === 'ringing' ? [i.deadline] : []))
  const switching = topologyDeadline(state.topology)
  const all = switching === undefined ? ringing : [...ringing, switching]
  return all.length === 0 ? undefined : Math.min(...all)
}

/** Whether the call rings at this device now. */
export function ringsAt(state: Call, { user, device }: DeviceAddress): boolean {
  return state.invites.some(
    (i) => i.state === 'ringing' && i.user === user && i.devices.includes(device),
  )
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

function onJoined(
  state: Call,
  { participant, at, sending }: Extract<CallEvent, { type: 'joined' | 'accepted' }>,
  now: Millis,
): Step<Call, CallEffect> {
  if (participantAt(state, at)) return stay(state)
  const newcomer: Participant = {
    id: participant,
    user: at.user,
    device: at.device,
    connected: true,
    sending,
    publications: [],
  }
  // Who comes in by himself answers, too, what rings for him on any of his devices.
  const rung = state.invites.filter(({ user }) => user === at.user).flatMap(ringingDevices)
  const others = rung.filter(({ device }) => device !== at.device)
  const joined: Call = {
    ...state,
    answered: state.answered || rung.length > 0,
    participants: [...state.participants, newcomer],
    invites: state.invites.filter(({ user }) => user !== at.user),
  }
  const effects = others.map((to): CallEffect => ({
    type: 'endFor',
    to,
    reason: 'answered-elsewhere',
  }))
  return audienceChanged(joined, effects, now)
}

function onInvited(
  state: Call,
  { by, media, users, deadline }: Extract<CallEvent, { type: 'invited' }>,
): Step<Call, CallEffect> {
  const fresh = users.filter(({ user }) => !isHereOrRung(state, user))
  if (fresh.length === 0) return stay(state)
  const invites = fresh.map((invitee): Invite => {
    const { user } = invitee
    return invitee.outcome === 'ring'
      ? { user, state: 'ringing', devices: invitee.devices, deadline }
      : { user, state: invitee.outcome }
  })
  const names = new Set(invites.map(({ user }) => user))
  const kept = state.invites.filter(({ user }) => !names.has(user))
  const rings = invites
    .flatMap(ringingDevices)
    .map((to): CallEffect => ({ type: 'ring', to, from: by, media }))
  return settle({ ...state, invites: [...kept, ...invites] }, rings)
}

function onDeclined(state: Call, at: DeviceAddress): Step<Call, CallEffect> {
  if (!ringsAt(state, at)) return stay(state)
  const devices = state.invites.filter((i) => i.user === at.user).flatMap(ringingDevices)
  const declined = closeInvite(state, at.user, 'declined')
  const effects = devices.map((to): CallEffect => {
    const reason = to.device === at.device ? 'declined' : 'declined-elsewhere'
    return { type: 'endFor', to, reason }
  })
  return settle(declined, effects)
}

function onLeft(
  state: Call,
  { participant, reason }: Extract<CallEvent, { type: 'left' }>,
  now: Millis,
): Step<Call, CallEffect> {
  const leaver = participantById(state, participant)
  if (!leaver) return stay(state)
  const unanswered = state.room === undefined && !state.answered
  const effects: CallEffect[] = [
    {
      type: 'endFor',
      to: leaver,
      reason: reason === 'hangup' && unanswered ? 'cancelled' : reason,
    },
    ...openEpochs(state.topology).map((epoch): CallEffect => ({
      type: 'closePeer',
      participant,
      epoch,
    })),
  ]
  const participants = state.participants.filter(({ id }) => id !== participant)
  const rest = { ...state, participants }
  return audienceChanged(rest, effects, now, reason === 'failed' ? 'failed' : 'hangup')
}

function onDeviceGone(state: Call, at: DeviceAddress): Step<Call, CallEffect> {
  if (!ringsAt(state, at)) return stay(state)
  const invites = state.invites.map((invite): Invite => {
    if (invite.state !== 'ringing' || invite.user !== at.user) return invite
    const devices = invite.devices.filter((device) => device !== at.device)
    return devices.length > 0 ? { ...invite, devices } : { user: at.user, state: 'unreachable' }
  })
  return settle({ ...state, invites }, [])
}

function onPublication(
  state: Call,
  event: Extract<CallEvent, { type: 'published' | 'publicationPaused' | 'unpublished' }>,
): Step<Call, CallEffect> {
  const participant = participantById(state, event.participant)
  if (!participant) return stay(state)
  const publications = nextPublications(participant.publications, event)
  return changeParticipant(state, event.participant, { publications })
}

function nextPublications(
  list: readonly Publication[],
  event: Extract<CallEvent, { type: 'published' | 'publicationPaused' | 'unpublished' }>,
): readonly Publication[] {
  switch (event.type) {
    case 'published': {
      const { source, epoch } = event.publication
      // A new stream of a source takes the place of the old one on the same node.
      return [...list.filter((p) => p.source !== source || p.epoch !== epoch), event.publication]
    }
    case 'publicationPaused':
      return list.map((p) => (p.producer === event.producer ? { ...p, paused: event.paused } : p))
    case 'unpublished':
      return list.filter((p) => p.producer !== event.producer)
    default:
      return unreachable(event)
  }
}

function onTick(state: Call, now: Millis): Step<Call, CallEffect> {
  const overdue = state.invites.filter((i) => i.state === 'ringing' && i.deadline <= now)
  const effects = overdue
    .flatMap(ringingDevices)
    .map((to): CallEffect => ({ type: 'endFor', to, reason: 'no-answer' }))
  const missed = overdue.reduce((s, { user }) => closeInvite(s, user, 'no-answer'), state)
  const rung = overdue.length === 0 ? stay(state) : settle(missed, effects)
  if (rung.state.phase === 'ended') return rung
  const { sfuOnly } = rung.state
  const moved = moveTopology(
    rung.state,
    { type: 'tick', participants: ids(rung.state), sfuOnly },
    now,
  )
  return prepend(rung.effects, moved)
}

/** After somebody came or went: the path may change, and the call may be over. */
function audienceChanged(
  state: Call,
  effects: readonly CallEffect[],
  now: Millis,
  lastOneHears: EndReason = 'hangup',
): Step<Call, CallEffect> {
  const settled = settle(state, effects, lastOneHears)
  if (settled.state.phase === 'ended') return settled
  const { sfuOnly } = state
  const event = { type: 'audienceChanged', participants: ids(state), sfuOnly } as const
  const moved = moveTopology(settled.state, event, now)
  if (moved.effects.length === 0) return settled
  // Both end with `update`; one is enough.
  return prepend(settled.effects.slice(0, -1), moved)
}

/** Ends the call if nobody is left to talk to; else tells everybody what it is now. */
function settle(
  state: Call,
  effects: readonly CallEffect[],
  lastOneHears?: EndReason,
): Step<Call, CallEffect> {
  const ringing = state.invites.flatMap(ringingDevices)
  const alone = state.room === undefined && state.participants.length === 1
  const over = state.participants.length === 0 || (alone && ringing.length === 0)
  // The caller joins before the invitations exist; that first moment is not an end.
  if (!over || (alone && !state.answered && state.invites.length === 0)) {
    return { state, effects: [...effects, { type: 'update' }] }
  }
  const reason = unansweredReason(state) ?? lastOneHears ?? 'hangup'
  return {
    state: { ...state, phase: 'ended', participants: [], invites: [] },
    effects: [
      ...effects,
      ...ringing.map((to): CallEffect => ({ type: 'endFor', to, reason: 'cancelled' })),
      ...state.participants.map((to): CallEffect => ({ type: 'endFor', to, reason })),
      ...openEpochs(state.topology).map((epoch): CallEffect => ({ type: 'closeMedia', epoch })),
      { type: 'ended' },
    ],
  }
}

/** Why nobody answered: the most telling outcome among the invited. */
function unansweredReason(state: Call): EndReason | undefined {
  if (state.answered) return undefined
  const outcomes = new Set(state.invites.map((invite) => invite.state))
  if (outcomes.has('declined')) return 'declined'
  if (outcomes.has('busy')) return 'busy'
  return outcomes.size > 0 ? 'no-answer' : undefined
}

function moveTopology(state: Call, event: TopologyEvent, now: Millis): Step<Call, CallEffect> {
  const moved = topology(state.topology, event, now)
  if (moved.state === state.topology) return stay(state)
  const epochs = openEpochs(moved.state)
  const participants = state.participants.map((p) => ({
    ...p,
    publications: p.publications.filter(({ epoch }) => epochs.includes(epoch)),
  }))
  return {
    state: { ...state, participants, topology: moved.state },
    effects: [...moved.effects, { type: 'update' }],
  }
}

function changeParticipant(
  state: Call,
  id: ParticipantId,
  change: Partial<Pick<Participant, 'connected' | 'sending' | 'publications'>>,
): Step<Call, CallEffect> {
  if (!participantById(state, id)) return stay(state)
  const participants = state.participants.map((p) => (p.id === id ? { ...p, ...change } : p))
  return { state: { ...state, participants }, effects: [{ type: 'update' }] }
}

function closeInvite(state: Call, user: UserId, outcome: Exclude<InviteState, 'ringing'>): Call {
  const invites = state.invites.map((i): Invite => (i.user === user ? { user, state: outcome } : i))
  return { ...state, invites }
}

function isHereOrRung(state: Call, user: UserId): boolean {
  return (
    state.participants.some((p) => p.user === user) ||
    state.invites.some((i) => i.user === user && i.state === 'ringing')
  )
}

function ringingDevices(invite: Invite): readonly DeviceAddress[] {
  if (invite.state !== 'ringing') return []
  return invite.devices.map((device) => ({ user: invite.user, device }))
}

function ids(state: Call): readonly ParticipantId[] {
  return state.participants.map(({ id }) => id)
}

function prepend(
  effects: readonly CallEffect[],
  step: Step<Call, CallEffect>,
): Step<Call, CallEffect> {
  return { state: step.state, effects: [...effects, ...step.effects] }
}
