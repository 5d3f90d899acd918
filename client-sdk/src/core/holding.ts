import type { CallView, ParticipantId, Sending, UserId } from '@parley/protocol'
import { streamKey } from './media-plan.ts'
import type { StreamKey } from './media-plan.ts'

/** Whether this device holds the call: it takes nothing in then. */
export function isOnHold(view: CallView | undefined, self: ParticipantId | undefined): boolean {
  return view?.participants.find(({ id }) => id === self)?.onHold ?? false
}

/** Whether this device sends nothing: it holds the call, or everybody else does. */
export function isPaused(view: CallView | undefined, self: ParticipantId | undefined): boolean {
  if (isOnHold(view, self)) return true
  const others = view?.participants.filter(({ id }) => id !== self) ?? []
  return others.length > 0 && others.every(({ onHold }) => onHold)
}

/** Everything that people other than `user` say they send. */
export function sentByOthers(view: CallView, user: UserId | undefined): readonly StreamKey[] {
  return view.participants
    .filter((participant) => participant.user !== user)
    .flatMap(({ id, sending }) =>
      sources.filter((source) => sending[source]).map((source) => streamKey(id, source)),
    )
}

const sources = ['microphone', 'camera', 'screen'] as const satisfies readonly (keyof Sending)[]

/** Whether the one who called, or is called, is the only other person in it or rung by it. */
export function isOnlyWith(view: CallView, self: ParticipantId | undefined, user: string): boolean {
  const others = view.participants.filter(({ id }) => id !== self).map((p) => p.user as string)
  const rung = view.invites.filter(({ state }) => state === 'ringing').map((i) => i.user as string)
  // Until the call is answered, a callee is himself among the rung.
  const people = self === undefined ? others : [...others, ...rung]
  return view.room === undefined && people.length > 0 && people.every((name) => name === user)
}
