import type { Call } from './call-state.ts'
import type { CallView, Sending } from './call-view.ts'
import { topologyView } from './topology.ts'

const nothing: Sending = { microphone: false, camera: false, screen: false }

/** A call as its audience sees it: without devices that merely ring, and without deadlines. */
export function viewOf(state: Call): CallView {
  return {
    id: state.id,
    ...(state.room !== undefined && { room: state.room }),
    startedBy: state.startedBy,
    answered: state.answered,
    participants: state.participants.map((p) => ({
      id: p.id,
      user: p.user,
      device: p.device,
      connected: p.connected,
      ...(p.leaving && { leaving: true }),
      onHold: p.onHold,
      ...(p.moving && { replaces: p.moving.from }),
      sending: p.onHold ? nothing : p.sending,
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
