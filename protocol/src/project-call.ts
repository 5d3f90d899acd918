import { isModerator, silencedOf } from './call-policy.ts'
import type { Call, DeviceAddress, Participant } from './call-state.ts'
import { participantAt } from './call-state.ts'
import type { CallView, Sending } from './call-view.ts'
import { topologyView } from './topology.ts'

/** A call as its audience sees it: without devices that merely ring, and without deadlines. */
export function viewOf(state: Call): CallView {
  return {
    id: state.id,
    ...(state.room !== undefined && { room: state.room }),
    startedBy: state.startedBy,
    answered: state.answered,
    ...(state.policy.locked && { locked: true }),
    ...(state.policy.lobby && { lobby: true }),
    ...(state.policy.encrypted && { encrypted: true }),
    participants: state.participants.map((p) => ({
      id: p.id,
      user: p.user,
      device: p.device,
      connected: p.connected,
      ...(p.leaving && { leaving: true }),
      onHold: p.onHold,
      ...(p.moving && { replaces: p.moving.from }),
      ...(isModerator(state, p) && { moderator: true }),
      ...silenceOf(state, p),
      ...(p.handRaisedAt !== undefined && { handRaisedAt: p.handRaisedAt }),
      publications: [...p.publications],
    })),
    invites: state.invites.map(({ user, state: outcome, offer }) => ({
      user,
      state: outcome,
      ...(offer && { offer }),
    })),
    topology: topologyView(state.topology),
  }
}

/** A call as one of its devices sees it: who moderates sees who waits, too. */
export function viewFor(call: Call, at: DeviceAddress): CallView {
  const seat = participantAt(call, at)
  const view = viewOf(call)
  if (!seat || !isModerator(call, seat) || call.waiting.length === 0) return view
  return {
    ...view,
    waiting: call.waiting.map(({ user, device, since }) => ({ user, device, since })),
  }
}

/** What a participant sends, less what he may not. */
function silenceOf({ policy }: Call, { user, onHold, sending }: Participant) {
  const silenced = silencedOf(policy, user)
  const goes = (source: keyof Sending) => !onHold && sending[source] && !silenced.includes(source)
  return {
    sending: { microphone: goes('microphone'), camera: goes('camera'), screen: goes('screen') },
    ...(silenced.length > 0 && { silenced: [...silenced] }),
  }
}
