import type { CallId, DeviceId, EventFrame, Invitation, Millis, UserId } from '@parley/protocol'
import type { NewMissedCall } from './store/mailbox.ts'

/** A connected client, as the hub sees it. */
export interface ClientSocket {
  send(frame: EventFrame): void
  /** Closes the connection for good; the client is told why beforehand by an event. */
  close(): void
}

/** Time and randomness, passed in so that tests own them. */
export interface Environment {
  now(): Millis
  /** Calls back at `at`; a later call replaces an earlier one. `undefined` stops the timer. */
  wakeAt(at: Millis | undefined): void
  /** Cryptographically random, URL-safe text of `bytes` bytes. */
  randomId(bytes: number): string
}

/** A ring for somebody whose devices may be asleep. */
export interface WakeRing {
  readonly call: CallId
  readonly user: UserId
  readonly invitation: Invitation
  readonly deadline: Millis
}

/** Reaches people whose devices are not connected. Nothing here rejects. */
export interface Waker {
  /** Those of `users` whom something may wake. */
  wakeable(users: readonly UserId[]): Promise<ReadonlySet<UserId>>
  /** Calls for the user's devices but those in `except`, which hear it anyway. Whether one was reached. */
  wake(ring: WakeRing, except: readonly DeviceId[]): Promise<boolean>
  tellMissed(user: UserId, missed: NewMissedCall, except: readonly DeviceId[]): Promise<void>
}
