import type { Call } from './call.ts'
import type { CallView } from './call-view.ts'
import { topologyView } from './topology.ts'

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
      sending: p.sending,
      publications: [...p.publications],
    })),
    invites: state.invites.map(({ user, state: outcome }) => ({ user, state: outcome })),
    topology: topologyView(state.topology),
  }
}
