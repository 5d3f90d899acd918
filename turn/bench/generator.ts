import { createRequire } from 'node:module'

/** What `generator/generator.cpp` offers; its functions block. */
interface GeneratorAddon {
  open(count: number): Int32Array
  exchange(
    socket: number,
    bytes: Uint8Array,
    port: number,
    timeoutMs: number,
  ): Uint8Array | undefined
  run(templates: Uint8Array, flows: Int32Array, settings: Float64Array): Float64Array
  close(): void
}

/** Equal datagrams from one socket to one port of loopback. */
export interface Flow {
  readonly socket: number
  readonly port: number
  readonly datagram: Uint8Array
  /** Where in the datagram the generator writes its stamp: the start of the payload. */
  readonly stampAt: number
}

/** What one run is. */
export interface Load {
  readonly flows: readonly Flow[]
  /** Datagrams per second over all flows. */
  readonly rate: number
  /** Datagrams that one flow sends in one go. */
  readonly burst: number
  readonly seconds: number
}

/** What one run came to. Latency is from before the send to the receive, microseconds. */
export interface RunResult {
  readonly sent: number
  readonly received: number
  readonly seconds: number
  /** CPU seconds of the generator itself, to show that it was not the limit. */
  readonly generatorCpuS: number
  readonly p50Us: number
  readonly p99Us: number
}

/** A datagram and the port that it came from. */
export interface Answer {
  readonly bytes: Uint8Array
  readonly port: number
}

/** Bytes of a payload that the generator needs for itself. */
export const STAMP_BYTES = 24

const FLOW_WORDS = 5

/** The load generator: sockets on loopback, numbered in the order of their opening. */
export class Generator {
  readonly #addon: GeneratorAddon
  #opened = 0

  constructor(binary: string) {
    // The types are those of the source that the binary is built from.
    this.#addon = createRequire(import.meta.url)(binary) as GeneratorAddon
  }

  /** Opens sockets and gives back their numbers and ports. */
  open(count: number): readonly { readonly socket: number; readonly port: number }[] {
    const ports = [...this.#addon.open(count)]
    return ports.map((port) => ({ socket: this.#opened++, port }))
  }

  send(socket: number, bytes: Uint8Array, port: number): void {
    this.#addon.exchange(socket, bytes, port, -1)
  }

  receive(socket: number, timeoutMs: number): Answer | undefined {
    const answer = this.#addon.exchange(socket, new Uint8Array(), 0, timeoutMs)
    if (!answer) return undefined
    return { port: (answer[0] ?? 0) * 256 + (answer[1] ?? 0), bytes: answer.subarray(2) }
  }

  run({ flows, rate, burst, seconds }: Load): RunResult {
    const words = new Int32Array(flows.length * FLOW_WORDS)
    let offset = 0
    for (const [index, { socket, port, datagram, stampAt }] of flows.entries()) {
      words.set([socket, port, offset, datagram.length, stampAt], index * FLOW_WORDS)
      offset += datagram.length
    }
    const templates = Buffer.concat(flows.map(({ datagram }) => datagram))
    const settings = Float64Array.of(rate, burst, seconds)
    const results = this.#addon.run(Uint8Array.from(templates), words, settings)
    const [sent = 0, received = 0, took = 0, generatorCpuS = 0, p50Us = 0, p99Us = 0] = results
    return { sent, received, seconds: took, generatorCpuS, p50Us, p99Us }
  }

  /** Closes every socket; numbers start again. */
  close(): void {
    this.#addon.close()
    this.#opened = 0
  }
}
