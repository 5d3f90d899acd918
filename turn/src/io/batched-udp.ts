import type {
  SocketAddress,
  DatagramPart,
  DatagramPort,
  OnDatagram,
  OpenDatagramPort,
} from '../ports.ts'
import type { Endpoint, IpAddress } from '../wire/index.ts'
import { formatAddress, wordAt } from '../wire/index.ts'
import type { BatchedAddon } from './batched-addon.ts'
import { loadBatchedAddon } from './batched-addon.ts'
import {
  ADDRESS,
  ENTRY_WORDS,
  LENGTH,
  MAX_SENDS,
  MEMORY_BYTES,
  OFFSET,
  OPENED_PORT,
  PENDING_SENDS,
  PORT,
  RECEIVED_AT,
  SCOPE,
  SENDS_AT,
  SOCKET,
  SPILL_AT,
} from './batched-memory.ts'

/** The batched datagram port: one crossing into JavaScript for all that a turn of the loop brought. */
export interface BatchedUdp {
  readonly open: OpenDatagramPort
  /**
   * The memory in which datagrams lie while they are handed over. Receivers may write into them and
   * into the `HEADROOM_BYTES` before each, and what lies there is sent without a copy.
   */
  readonly scratch: ArrayBuffer
}

let ofThisThread: BatchedUdp | undefined

/** The batched datagram port of this thread; `undefined` where the add-on is not built. */
export function batchedUdp(): BatchedUdp | undefined {
  if (ofThisThread) return ofThisThread
  const addon = loadBatchedAddon()
  ofThisThread = addon && new Batches(addon)
  return ofThisThread
}

interface Receiver {
  readonly isIpv6: boolean
  readonly onDatagram: OnDatagram
}

class Batches implements BatchedUdp {
  readonly scratch: ArrayBuffer
  readonly #addon: BatchedAddon
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #receivers: (Receiver | undefined)[] = []
  #spilledTo = SPILL_AT

  constructor(addon: BatchedAddon) {
    this.#addon = addon
    this.scratch = addon.start((count) => {
      this.#take(count)
    })
    if (this.scratch.byteLength !== MEMORY_BYTES) {
      throw new Error('the add-on was built from another source: run the set-up')
    }
    this.#words = new Int32Array(this.scratch, 0, SPILL_AT / 4)
    this.#bytes = new Uint8Array(this.scratch)
  }

  readonly open: OpenDatagramPort = async (at, onDatagram) =>
    Promise.resolve(this.#open(at, onDatagram))

  #open({ host, port, isShared = false }: SocketAddress, onDatagram: OnDatagram): DatagramPort {
    const socket = this.#addon.open(host, port, isShared)
    const isIpv6 = host.includes(':')
    this.#receivers[socket] = { isIpv6, onDatagram }
    return this.#portOf(socket, isIpv6)
  }

  #portOf(socket: number, isIpv6: boolean): DatagramPort {
    let open = true
    return {
      port: this.#words[OPENED_PORT] ?? 0,
      send: (bytes, part, to) => {
        const isFit = open && to.port > 0 && (typeof to.address === 'string') === isIpv6
        return isFit && this.#send(socket, bytes, part, to)
      },
      close: () => {
        if (!open) return
        open = false
        this.#receivers[socket] = undefined
        this.#addon.close(socket)
      },
    }
  }

  #take(count: number): void {
    for (let row = 0; row < count; row++) {
      try {
        this.#handOver(RECEIVED_AT + row * ENTRY_WORDS)
      } catch (error) {
        // As uncaught as on the pure path, where it would not take the rest of a batch with it.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  #handOver(at: number): void {
    const words = this.#words
    // The tables are whole; a socket may have been closed since its datagram came.
    const receiver = this.#receivers[words[at + SOCKET] ?? -1]
    const port = words[at + PORT] ?? 0
    // Nothing can be sent to port 0, so nothing is taken from it.
    if (!receiver || port === 0) return
    const offset = words[at + OFFSET] ?? 0
    const bytes = this.#bytes.subarray(offset, offset + (words[at + LENGTH] ?? 0))
    if (receiver.isIpv6) this.#handOverIpv6(receiver, bytes, at)
    else receiver.onDatagram(bytes, (words[at + ADDRESS] ?? 0) >>> 0, port)
  }

  #handOverIpv6({ onDatagram }: Receiver, bytes: Uint8Array, at: number): void {
    const words = this.#words
    let address = ''
    for (let index = 0; index < 4; index++) {
      const word = words[at + ADDRESS + index] ?? 0
      address += String.fromCharCode(
        word >>> 24,
        (word >>> 16) & 255,
        (word >>> 8) & 255,
        word & 255,
      )
    }
    const scope = words[at + SCOPE] ?? 0
    // An answer to a link-local address must say on which link.
    const host = scope === 0 ? undefined : `${formatAddress(address)}%${scope}`
    onDatagram(bytes, address, words[at + PORT] ?? 0, host)
  }

  #send(
    socket: number,
    bytes: Uint8Array,
    { offset, length }: DatagramPart,
    to: Endpoint,
  ): boolean {
    const words = this.#words
    const from = this.#place(bytes, offset, length)
    if (from < 0) return false
    const count = words[PENDING_SENDS] ?? 0
    const at = SENDS_AT + count * ENTRY_WORDS
    words[at + SOCKET] = socket
    words[at + OFFSET] = from
    words[at + LENGTH] = length
    words[at + PORT] = to.port
    if (typeof to.address === 'number') words[at + ADDRESS] = to.address
    else this.#writeIpv6(at, to.address, to.host)
    words[PENDING_SENDS] = count + 1
    if (count + 1 === MAX_SENDS) this.#flush()
    return true
  }

  /** Where the system reads the bytes: where they were received, else a copy; -1 if too large. */
  #place(bytes: Uint8Array, offset: number, length: number): number {
    if (bytes.buffer === this.scratch) return bytes.byteOffset + offset
    if (this.#words[PENDING_SENDS] === 0) this.#spilledTo = SPILL_AT
    if (this.#spilledTo + length > MEMORY_BYTES) this.#flush()
    const from = this.#spilledTo
    if (from + length > MEMORY_BYTES) return -1
    this.#bytes.set(bytes.subarray(offset, offset + length), from)
    this.#spilledTo = from + length
    return from
  }

  #flush(): void {
    this.#addon.flush()
    this.#spilledTo = SPILL_AT
  }

  #writeIpv6(at: number, address: IpAddress & string, host: string): void {
    const words = this.#words
    for (let index = 0; index < 4; index++) words[at + ADDRESS + index] = wordAt(address, index * 4)
    const zone = host.indexOf('%')
    words[at + SCOPE] = zone < 0 ? 0 : Number(host.slice(zone + 1)) || 0
  }
}
