import type { CallFacts } from './call-state.ts'
import { isOnHold } from './holding.ts'

/** What of a call's view its app is told by name; each where it has changed. */
export interface CallChanges {
  /** This device holds the call, or has taken it up again. */
  readonly hold?: boolean
  /** This device's person asks to speak, or does no longer. */
  readonly hand?: boolean
  /** Who waits to be let in. */
  readonly lobby: boolean
  /** Who may do what. */
  readonly policy: boolean
}

export function changesOf(before: CallFacts, after: CallFacts): CallChanges {
  const [was, is] = [told(before), told(after)]
  return {
    ...(is.hold !== was.hold && { hold: is.hold }),
    ...(is.hand !== was.hand && { hand: is.hand }),
    lobby: is.lobby !== was.lobby,
    policy: is.policy !== was.policy,
  }
}

/** Lists as texts, to be compared. */
function told({ view, self }: CallFacts) {
  const own = view?.participants.find(({ id }) => id === self)
  return {
    hold: isOnHold(view, self),
    hand: own?.handRaisedAt !== undefined,
    lobby: JSON.stringify(view?.waiting ?? []),
    policy: JSON.stringify([view?.locked, view?.lobby, own?.moderator, own?.silenced]),
  }
}
