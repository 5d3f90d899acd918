import type { Family } from '../wire/index.ts'
import { readUint16, readUint32, writeUint16 } from '../wire/index.ts'
import type { PortRange } from './peer-policy.ts'

/** RFC 8656 §7.2: a reserved port waits at least 30 seconds for who brings its token. */
const RESERVATION_MS = 30_000

/** RFC 8656 §18.10. */
const TOKEN_BYTES = 8

const FREE = 0
/** Added to the owner's number while a port waits for its token. */
const RESERVED = 0x1_0000

/** Bytes of the port table, one owner for each port of each family. */
export function portTableBytes(ports: PortRange): number {
  return 2 * portCount(ports) * Int32Array.BYTES_PER_ELEMENT
}

/** Bytes of the reservations' tokens. */
export function portTokenBytes(ports: PortRange): number {
  return 2 * portCount(ports) * BigInt64Array.BYTES_PER_ELEMENT
}

interface Reservation {
  readonly slot: number
  readonly token: bigint
  readonly expiresAt: number
}

/**
 * The relay ports of all workers in shared memory: who has which, and which wait for a
 * RESERVATION-TOKEN. A port is taken by one atomic exchange, so two workers never get the same.
 */
export class PortPool {
  readonly #ports: PortRange
  readonly #owners: Int32Array
  readonly #tokens: BigInt64Array
  /** Our number in the table. */
  readonly #me: number
  readonly #reservations: Reservation[] = []

  constructor(
    buffers: { readonly owners: ArrayBufferLike; readonly tokens: ArrayBufferLike },
    ports: PortRange,
    worker: number,
  ) {
    this.#owners = new Int32Array(buffers.owners)
    this.#tokens = new BigInt64Array(buffers.tokens)
    this.#ports = ports
    this.#me = worker + 1
  }

  /**
   * Takes a free port, even if asked, at a random place, so that others cannot guess it (RFC 6056);
   * `undefined` when there is none. `random` is 4 bytes.
   */
  take(family: Family, even: boolean, random: Uint8Array): number | undefined {
    return this.#search(even, random, (port) => this.#exchange(family, port, FREE, this.#me))
  }

  /** Takes an even port, and the next one for {@link reserve}; gives back the even one. */
  takePair(family: Family, random: Uint8Array): number | undefined {
    return this.#search(true, random, (port) => {
      if (port === this.#ports.last || !this.#exchange(family, port, FREE, this.#me)) return false
      if (this.#exchange(family, port + 1, FREE, this.#me)) return true
      this.release(family, port)
      return false
    })
  }

  /** Makes a port of ours wait for a token, which is given back. `random` is 5 bytes. */
  reserve(family: Family, port: number, { random, now }: { random: Uint8Array; now: number }) {
    const token = new Uint8Array(TOKEN_BYTES)
    writeUint16(token, 0, port)
    token[2] = family
    token.set(random, 3)
    const slot = this.#slot(family, port)
    const value = asInteger(token)
    Atomics.store(this.#tokens, slot, value)
    Atomics.store(this.#owners, slot, this.#me | RESERVED)
    this.#reservations.push({ slot, token: value, expiresAt: now + RESERVATION_MS })
    return token
  }

  /** Takes the port that a token stands for; a token works once, in any worker. */
  redeem(token: Uint8Array): { readonly family: Family; readonly port: number } | undefined {
    const port = readUint16(token, 0)
    const family = token[2]
    if (family !== 4 && family !== 6) return undefined
    if (port < this.#ports.first || port > this.#ports.last) return undefined
    const slot = this.#slot(family, port)
    if (!this.#spend(slot, asInteger(token))) return undefined
    Atomics.store(this.#owners, slot, this.#me)
    return { family, port }
  }

  /** Gives back a port that we took and did not reserve. */
  release(family: Family, port: number): void {
    this.#exchange(family, port, this.#me, FREE)
  }

  /** Whether a relay of any worker has the port, or is about to. */
  isHeld(family: Family, port: number): boolean {
    if (port < this.#ports.first || port > this.#ports.last) return false
    const owner = Atomics.load(this.#owners, this.#slot(family, port))
    return owner !== FREE && owner < RESERVED
  }

  /** Frees the ports of our reservations that nobody came for. */
  sweep(now: number): void {
    // Reservations live equally long, so the oldest come first.
    while (this.#reservations[0] && this.#reservations[0].expiresAt <= now) {
      const { slot, token } = this.#reservations[0]
      this.#reservations.shift()
      if (this.#spend(slot, token)) Atomics.store(this.#owners, slot, FREE)
    }
  }

  /** Frees every port and reservation of this worker, which is no more. */
  forget(): void {
    for (let slot = 0; slot < this.#owners.length; slot++) {
      const owner = Atomics.load(this.#owners, slot)
      if ((owner & ~RESERVED) !== this.#me) continue
      Atomics.store(this.#tokens, slot, 0n)
      Atomics.store(this.#owners, slot, FREE)
    }
    this.#reservations.length = 0
  }

  #search(even: boolean, random: Uint8Array, takes: (port: number) => boolean): number | undefined {
    const step = even ? 2 : 1
    const first = even ? this.#ports.first + (this.#ports.first % 2) : this.#ports.first
    const count = Math.floor((this.#ports.last - first) / step) + 1
    if (count <= 0) return undefined
    const start = readUint32(random, 0) % count
    for (let tried = 0; tried < count; tried++) {
      const port = first + ((start + tried) % count) * step
      if (takes(port)) return port
    }
    return undefined
  }

  /** Whoever exchanges the token for nothing owns the reservation: it cannot be spent twice. */
  #spend(slot: number, token: bigint): boolean {
    return token !== 0n && Atomics.compareExchange(this.#tokens, slot, token, 0n) === token
  }

  #exchange(family: Family, port: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#owners, this.#slot(family, port), from, to) === from
  }

  #slot(family: Family, port: number): number {
    return port - this.#ports.first + (family === 4 ? 0 : portCount(this.#ports))
  }
}

function portCount({ first, last }: PortRange): number {
  return last - first + 1
}

function asInteger(token: Uint8Array): bigint {
  return Buffer.from(token).readBigInt64BE(0)
}
