import type { EventFrame, Millis } from '@parley/protocol'

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
