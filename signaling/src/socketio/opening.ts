import type { Millis } from '@parley/protocol'
import type { Turnstile } from './turnstile.ts'

/** A first message above this is no handshake: a token and what resumes a session are far below. */
const HANDSHAKE_BYTES = 16 * 1024

/** A connection that says nothing in this time is closed. */
const SILENCE_MS = 10_000

/**
 * Whoever would be let in within it is kept waiting; the others are told when to come back, which costs
 * both sides a second connection. Below the time after which clients give an attempt up.
 */
const LONGEST_HOLD_MS = 8_000

/** What is used of Engine.IO's connection. */
export interface RawConnection {
  on(event: 'data', listener: (message: string | Buffer) => void): unknown
  off(event: 'data', listener: (message: string | Buffer) => void): unknown
  on(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
  emit(event: 'data', message: string | Buffer): unknown
  close(): unknown
  readonly readyState: string
}

/** What stands between a connection and what is made for it. */
export interface OpeningPorts<T> {
  readonly turnstile: Turnstile
  /** Asks for a place: the wait until it is free, or `undefined` where one is. */
  readonly knock: () => Millis | undefined
  /** It is the connection's turn. `retryAfterMs`: but only to be told so. */
  readonly open: (connection: T, retryAfterMs: Millis | undefined) => void
}

/**
 * Holds a connection until it has shown its handshake, a place is free, and it has its turn; only then is
 * more made for it. Whoever says a second word before, or one that is too long, is no client of ours.
 */
export function openInTurn<T extends RawConnection>(
  connection: T,
  { turnstile, knock, open }: OpeningPorts<T>,
): void {
  let handshake: string | Buffer | undefined
  let timer = setTimeout(() => connection.close(), SILENCE_MS)
  connection.on('data', hear)
  connection.on('close', forget)

  function hear(message: string | Buffer): void {
    if (handshake !== undefined || message.length > HANDSHAKE_BYTES) {
      turnAway()
      return
    }
    handshake = message
    clearTimeout(timer)
    const waitMs = knock()
    if (waitMs === undefined || waitMs > LONGEST_HOLD_MS) queue(waitMs)
    else timer = setTimeout(() => queue(undefined), waitMs)
  }

  function queue(retryAfterMs: Millis | undefined): void {
    if (!turnstile.enter(() => enter(retryAfterMs))) turnAway()
  }

  function enter(retryAfterMs: Millis | undefined): void {
    // Nothing of this stays with the connection.
    forget()
    if (connection.readyState !== 'open' || handshake === undefined) return
    open(connection, retryAfterMs)
    connection.emit('data', handshake)
  }

  function turnAway(): void {
    forget()
    connection.close()
  }

  function forget(): void {
    clearTimeout(timer)
    connection.off('data', hear)
    connection.off('close', forget)
  }
}
