import type { CallEvent, CallId, SessionId } from '@parley/protocol'
import { viewOf } from '@parley/protocol'
import type { AdminDoor } from './admin-door.ts'
import type { Calls } from './calls.ts'
import type { Directory } from './directory.ts'
import type { People } from './people.ts'

/** What of the hub operators are let at. */
export interface AdminParts {
  readonly calls: Calls
  readonly directory: Directory
  readonly people: People
  readonly endSession: (id: SessionId) => void
  /** Something has changed from outside. */
  readonly changed: () => void
}

/** The hub as operators see it. */
export function adminDoor({
  calls,
  directory,
  people,
  endSession,
  changed,
}: AdminParts): AdminDoor {
  const change = (call: CallId, event: CallEvent): boolean => {
    if (!calls.find(call)) return false
    calls.apply(call, event)
    changed()
    return true
  }
  return {
    view: (call) => {
      const found = calls.find(call)
      return found && viewOf(found)
    },
    endCall: (call) => change(call, { type: 'closed', reason: 'removed' }),
    removeParticipant: (call, id) => {
      const seat = calls.find(call)?.participants.find((p) => p.id === id)
      if (!seat) return false
      return change(call, { type: 'left', participant: seat.id, reason: 'removed' })
    },
    sessions: (user) => directory.sightsOf(user),
    endSession: (text) => {
      // Looked up at once: what is no id of a session is not found.
      const id = text as SessionId
      const known = directory.find(id) !== undefined
      if (known) endSession(id)
      changed()
      return known
    },
    presenceOf: (user) => people.presence.presenceOf(user),
  }
}
