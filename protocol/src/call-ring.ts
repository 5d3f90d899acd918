import {
  hasCompany,
  isPending,
  participantAt,
  participantById,
  ringingDevices,
  ringsAt,
} from './call-state.ts'
import type {
  Call,
  CallEffect,
  CallEventOf,
  DeviceAddress,
  Invitation,
  Invite,
  Invitee,
  PendingInvite,
} from './call-state.ts'
import { pardon } from './call-policy.ts'
import { closeInvite, settle } from './call-steps.ts'
import type { CallStep } from './call-steps.ts'
import type { EndReason } from './call-view.ts'
import type { Millis, ParticipantId, UserId } from './ids.ts'
import { stay } from './step.ts'

export function onInvited(
  state: Call,
  { by, media, payload, users, deadline }: CallEventOf<'invited'>,
): CallStep {
  const fresh = users.filter(({ user }) => !isHereOrRung(state, user))
  if (fresh.length === 0) return stay(state)
  const invitation: Invitation = { by, media, payload }
  const invites = fresh.map((invitee) => inviteOf(invitee, invitation, deadline))
  const rings = invites
    .flatMap(ringingDevices)
    .map((to): CallEffect => ({ type: 'ring', to, invitation }))
  const pardoned = pardon(
    state,
    fresh.map(({ user }) => user),
  )
  return settle(withInvites(pardoned, invites), rings)
}

export function onOffered(
  state: Call,
  { offer, to: invitee, media, deadline }: CallEventOf<'offered'>,
): CallStep {
  const seat = participantById(state, offer.by)
  // One offer at a time, and only of a place that has somebody to talk to.
  if (!seat || !hasCompany(state, seat) || pendingOffer(state, seat.id)) return stay(state)
  const { user } = invitee
  const isOwn = user === seat.user
  if (isOwn !== (offer.how === 'moved') || isRung(state, user)) return stay(state)
  if (!isOwn && isHereOrRung(state, user)) return stay(state)
  // A device that is in the call has a seat to lose by declining another.
  const devices = invitee.outcome === 'ring' ? invitee.devices : []
  if (devices.some((device) => participantAt(state, { user, device }))) return stay(state)
  // Who accepts talks to those who stay; the one who goes is named beside.
  const by = state.participants.find((p) => p.user !== seat.user)?.user ?? seat.user
  const invitation: Invitation = { by, media, payload: undefined }
  const invite: Invite = { ...inviteOf(invitee, invitation, deadline), offer }
  const rings = ringingDevices(invite).map((to): CallEffect => ({
    type: 'ring',
    to,
    invitation,
    offer,
  }))
  return settle(withInvites(pardon(state, [user]), [invite]), rings)
}

export function onUninvited(state: Call, user: UserId): CallStep {
  const invite = state.invites.find((i) => i.user === user && isPending(i))
  if (!invite) return stay(state)
  const invites = state.invites.filter((i) => i !== invite)
  // Nobody else was asked: taking the only invitation back is to cancel the call.
  const reason = state.answered ? 'hangup' : 'cancelled'
  const rest = { ...state, invites, answered: state.answered || invites.length === 0 }
  return settle(rest, endRinging([invite], 'cancelled'), reason)
}

export function onDeclined(state: Call, at: DeviceAddress): CallStep {
  if (!ringsAt(state, at)) return stay(state)
  const devices = state.invites.filter((i) => i.user === at.user).flatMap(ringingDevices)
  const effects = devices.map((to): CallEffect => {
    const reason = to.device === at.device ? 'declined' : 'declined-elsewhere'
    return { type: 'endFor', to, reason }
  })
  return settle(closeInvite(state, at.user, 'declined'), effects, 'declined')
}

export function onDeviceCame(state: Call, { at, deadline }: CallEventOf<'deviceCame'>): CallStep {
  const invite = state.invites.find(({ user }) => user === at.user)
  if (!invite || !isPending(invite) || invite.devices.includes(at.device)) return stay(state)
  // A call moves to one device, which was chosen.
  if (invite.offer?.how === 'moved') return stay(state)
  const { by, media, payload, offer } = invite
  const rung: PendingInvite = {
    ...invite,
    state: 'ringing',
    devices: [...invite.devices, at.device],
    // Whoever has just been woken gets the time that everybody gets.
    deadline: invite.state === 'waking' ? deadline : invite.deadline,
  }
  const invites = state.invites.map((i) => (i === invite ? rung : i))
  const invitation: Invitation = { by, media, payload }
  const ring: CallEffect = { type: 'ring', to: at, invitation, ...(offer && { offer }) }
  return settle({ ...state, invites }, [ring])
}

export function onWakeFailed(state: Call, user: UserId): CallStep {
  const waking = state.invites.some((i) => i.user === user && i.state === 'waking')
  return waking ? settle(closeInvite(state, user, 'unreachable'), [], 'no-answer') : stay(state)
}

export function onDeviceGone(state: Call, at: DeviceAddress): CallStep {
  if (!ringsAt(state, at)) return stay(state)
  const invites = state.invites.map((invite): Invite => {
    if (!isPending(invite) || invite.user !== at.user) return invite
    return { ...invite, devices: invite.devices.filter((device) => device !== at.device) }
  })
  const rest = { ...state, invites }
  const rings = invites.some((i) => i.user === at.user && ringingDevices(i).length > 0)
  return settle(rings ? rest : closeInvite(rest, at.user, 'unreachable'), [], 'no-answer')
}

/** Ends what has rung for too long. */
export function stopOverdueRings(state: Call, now: Millis): CallStep {
  const overdue = state.invites.filter(isPending).filter(({ deadline }) => deadline <= now)
  if (overdue.length === 0) return stay(state)
  const missed = overdue.reduce(
    (s, { user, state: was }) =>
      closeInvite(s, user, was === 'waking' ? 'unreachable' : 'no-answer'),
    state,
  )
  return settle(missed, endRinging(overdue, 'no-answer'), 'no-answer')
}

/** The user or device that a participant is about to give his place to. */
export function pendingOffer(state: Call, by: ParticipantId): Invite | undefined {
  return state.invites.find((i) => isPending(i) && i.offer?.by === by)
}

function inviteOf(invitee: Invitee, invitation: Invitation, deadline: Millis): Invite {
  const { user } = invitee
  switch (invitee.outcome) {
    case 'ring':
      return { ...invitation, user, state: 'ringing', devices: invitee.devices, deadline }
    case 'wake':
      return { ...invitation, user, state: 'waking', devices: [], deadline }
    default:
      return { user, state: invitee.outcome }
  }
}

/** Puts invitations in the place of older ones of the same users. */
function withInvites(state: Call, invites: readonly Invite[]): Call {
  const names = new Set(invites.map(({ user }) => user))
  const kept = state.invites.filter(({ user }) => !names.has(user))
  return { ...state, invites: [...kept, ...invites] }
}

function endRinging(invites: readonly Invite[], reason: EndReason): readonly CallEffect[] {
  return invites.flatMap(ringingDevices).map((to) => ({ type: 'endFor', to, reason }))
}

function isRung(state: Call, user: UserId): boolean {
  return state.invites.some((i) => i.user === user && isPending(i))
}

function isHereOrRung(state: Call, user: UserId): boolean {
  return state.participants.some((p) => p.user === user) || isRung(state, user)
}
