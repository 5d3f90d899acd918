import type { Call, DeviceAddress, Participant } from './call-state.ts'
import type { Millis, UserId } from './ids.ts'
import { limits } from './limits.ts'
import type { CallMedia, TrackSource } from './media.ts'

/** Who may not send what, by a moderator's word. */
export interface Silence {
  readonly user: UserId
  readonly sources: readonly TrackSource[]
}

/** Who comes into a call and what he may do there. Its lists are bounded: the oldest entry goes first. */
export interface CallPolicy {
  /** Nobody new comes in. */
  readonly locked: boolean
  /** Newcomers wait until somebody lets them in. */
  readonly lobby: boolean
  /** All devices in it encrypt end to end; in another call, none does. */
  readonly encrypted: boolean
  /** Who moderates this call, besides those whose token says so. */
  readonly moderators: readonly UserId[]
  /** Who was removed, and has to be let in to come back. */
  readonly removed: readonly UserId[]
  readonly silenced: readonly Silence[]
}

/** A call that is open to everybody. */
export const openPolicy: CallPolicy = Object.freeze({
  locked: false,
  lobby: false,
  encrypted: false,
  moderators: [],
  removed: [],
  silenced: [],
})

/** A device that waits to be let in. It sees nothing of the call. */
export interface Waiter extends DeviceAddress {
  readonly media: CallMedia
  readonly since: Millis
  /** Its token lets it send everything, so that media may go from device to device. */
  readonly direct: boolean
}

/** Who is about to come in. */
export interface Entrant extends DeviceAddress {
  /** His token lets him moderate here. */
  readonly moderates: boolean
}

/** What becomes of somebody who wants to come into a call. */
export type Entry = 'enter' | 'wait' | 'locked' | 'lobby-full'

/** Decides about a newcomer. Who is in already on another device, or was asked to come, is none. */
export function entryOf(call: Call, { user, device, moderates }: Entrant): Entry {
  const { policy, participants, invites, waiting } = call
  if (participants.some((p) => p.user === user)) return 'enter'
  if (moderates || policy.moderators.includes(user)) return 'enter'
  const isRemoved = policy.removed.includes(user)
  if (!isRemoved && invites.some((i) => i.user === user)) return 'enter'
  if (policy.locked) return 'locked'
  if (!policy.lobby && !isRemoved) return 'enter'
  if (waiterAt(call, { user, device })) return 'wait'
  const own = waiting.filter((w) => w.user === user).length
  const isFull = waiting.length >= limits.waitingPerCall || own >= limits.waitingDevicesPerUser
  return isFull ? 'lobby-full' : 'wait'
}

/** Whether a participant moderates the call. */
export function isModerator({ policy }: Call, { user, moderates }: Participant): boolean {
  return moderates === true || policy.moderators.includes(user)
}

export function waiterAt({ waiting }: Call, at: DeviceAddress): Waiter | undefined {
  return waiting.find(({ user, device }) => user === at.user && device === at.device)
}

/** What a user may not send. */
export function silencedOf({ silenced }: CallPolicy, user: UserId): readonly TrackSource[] {
  return silenced.find((one) => one.user === user)?.sources ?? []
}

/** Who is asked in, by somebody who may, need not be let in once more. */
export function pardon(state: Call, users: readonly UserId[]): Call {
  if (!state.policy.removed.some((user) => users.includes(user))) return state
  const removed = state.policy.removed.filter((user) => !users.includes(user))
  return { ...state, policy: { ...state.policy, removed } }
}
