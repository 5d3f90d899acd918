import type { IncomingMessage } from 'node:http'
import type { Millis } from '@parley/protocol'
import { clientAddress } from '../core/address.ts'
import type { BucketLimit } from '../core/admission.ts'
import { BucketTable } from '../core/bucket-table.ts'
import { knock, openGate } from '../core/gate.ts'
import type { Gate } from '../core/gate.ts'

/** Addresses remembered at once. */
const MOST_ADDRESSES = 100_000

/** Tokens verified at the same time. More only wait for each other. */
const MOST_VERIFICATIONS = 256

/** What a refused client is told when every place is taken, where nothing better is known. */
const FULL_WAIT_MS = 5_000

/** Share of its burst that an address gets back in a second. */
const REFILL = 0.1

/** What one session is expected to send on average, for the share of an address. */
const MESSAGES_PER_SESSION = { burst: 40, perSecond: 4 }
const BYTES_PER_SESSION = { burst: 128 * 1024, perSecond: 16 * 1024 }

/** How much the door takes. */
export interface FrontGateOptions {
  /** Handshakes in a second, from everywhere. */
  readonly handshakesPerSecond: number
  /** Connections that one address may have, and by which its handshakes and traffic are measured. */
  readonly sessionsPerAddress: number
  /** Proxies in front, each of which appends to `x-forwarded-for`. */
  readonly trustedProxies: number
  readonly now: () => Millis
}

/**
 * The limits before anybody is known: handshakes from everywhere, and connections, handshakes, messages
 * and bytes of one address. Each answer is the wait in milliseconds, or `undefined` to let in.
 */
export class FrontGate {
  readonly #options: FrontGateOptions
  readonly #limit: BucketLimit
  readonly #handshakes: BucketTable<string>
  readonly #messages: BucketTable<string>
  readonly #bytes: BucketTable<string>
  readonly #open = new Map<string, number>()
  #gate: Gate
  #verifying = 0

  constructor(options: FrontGateOptions) {
    const { handshakesPerSecond, sessionsPerAddress: share, now } = options
    this.#options = options
    this.#limit = { burst: 2 * handshakesPerSecond, perSecond: handshakesPerSecond }
    this.#gate = openGate(this.#limit, now())
    this.#handshakes = new BucketTable({ burst: share, perSecond: share * REFILL }, MOST_ADDRESSES)
    this.#messages = new BucketTable(scaled(MESSAGES_PER_SESSION, share), MOST_ADDRESSES)
    this.#bytes = new BucketTable(scaled(BYTES_PER_SESSION, share), MOST_ADDRESSES)
  }

  addressOf({ socket, headers }: IncomingMessage): string {
    const forwarded = headers['x-forwarded-for']
    const list = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
    return clientAddress(socket.remoteAddress, list, this.#options.trustedProxies)
  }

  /** A connection is wanted: asked before anything is made for it. */
  arrive(address: string): Millis | undefined {
    if ((this.#open.get(address) ?? 0) >= this.#options.sessionsPerAddress) return FULL_WAIT_MS
    return this.#handshakes.take(address, this.#options.now())
  }

  /** A connection is there; the answer is to be called when it is gone. */
  hold(address: string): () => void {
    this.#open.set(address, (this.#open.get(address) ?? 0) + 1)
    return () => {
      const left = (this.#open.get(address) ?? 1) - 1
      if (left > 0) this.#open.set(address, left)
      else this.#open.delete(address)
    }
  }

  /** Somebody is about to show a token: asked before it is looked at. */
  knock(): Millis | undefined {
    const { gate, waitMs } = knock(this.#gate, this.#limit, this.#options.now())
    this.#gate = gate
    return waitMs
  }

  /** The wait where no more tokens can be looked at now. */
  get verifiersBusyMs(): Millis | undefined {
    return this.#verifying >= MOST_VERIFICATIONS ? FULL_WAIT_MS : undefined
  }

  /** Counts a verification while it runs. */
  async verifying<T>(work: Promise<T>): Promise<T> {
    this.#verifying++
    try {
      return await work
    } finally {
      this.#verifying--
    }
  }

  /** A message of a connection. */
  message(address: string, bytes: number): Millis | undefined {
    const now = this.#options.now()
    return this.#messages.take(address, now) ?? this.#bytes.take(address, now, bytes)
  }
}

function scaled({ burst, perSecond }: BucketLimit, factor: number): BucketLimit {
  return { burst: burst * factor, perSecond: perSecond * factor }
}
