import { methods } from '../wire/index.ts'
import { stunErrors } from './stun-errors.ts'

/** Why a packet came to nothing. */
export const dropReasons = [
  'notStun',
  'badMessage',
  'unexpectedMessage',
  'badChannelData',
  'noAllocation',
  'noChannel',
  'noPermission',
  'peerRefused',
  'replyLimit',
  'bareRequest',
  'bandwidth',
  'scan',
  'backlog',
  'sendFailed',
] as const
export type DropReason = (typeof dropReasons)[number]

const requestMethods = [
  methods.binding,
  methods.allocate,
  methods.refresh,
  methods.createPermission,
  methods.channelBind,
]
const responseCodes = [0, ...Object.values(stunErrors).map(({ code }) => code)]
const dropIndexes = new Map(dropReasons.map((reason, index) => [reason, index]))

const ALLOCATIONS = 0
const PACKETS_TO_PEER = 1
const BYTES_TO_PEER = 2
const PACKETS_TO_CLIENT = 3
const BYTES_TO_CLIENT = 4
const DROPS = 5
const RESPONSES = DROPS + dropReasons.length

/** Bytes that the totals of one worker take. */
export const COUNTERS_BYTES =
  (RESPONSES + requestMethods.length * responseCodes.length) * Float64Array.BYTES_PER_ELEMENT

/** One kind of response and how often it was given. `code` 0 is success. */
export interface ResponseCount {
  readonly method: number
  readonly code: number
  readonly count: number
}

/**
 * Running totals of one worker: plain numbers in memory that the main thread reads while the worker
 * raises them.
 */
export class Counters {
  readonly #values: Float64Array

  constructor(buffer: ArrayBufferLike) {
    this.#values = new Float64Array(buffer)
  }

  /** Live allocations, open or about to be. */
  get allocations(): number {
    return this.#at(ALLOCATIONS)
  }

  set allocations(count: number) {
    this.#values[ALLOCATIONS] = count
  }

  get packetsToPeer(): number {
    return this.#at(PACKETS_TO_PEER)
  }

  get bytesToPeer(): number {
    return this.#at(BYTES_TO_PEER)
  }

  get packetsToClient(): number {
    return this.#at(PACKETS_TO_CLIENT)
  }

  get bytesToClient(): number {
    return this.#at(BYTES_TO_CLIENT)
  }

  countToPeer(byteCount: number): void {
    this.#add(PACKETS_TO_PEER, 1)
    this.#add(BYTES_TO_PEER, byteCount)
  }

  countToClient(byteCount: number): void {
    this.#add(PACKETS_TO_CLIENT, 1)
    this.#add(BYTES_TO_CLIENT, byteCount)
  }

  countDrop(reason: DropReason): void {
    this.#add(DROPS + (dropIndexes.get(reason) ?? 0), 1)
  }

  countResponse(method: number, code: number): void {
    const row = requestMethods.findIndex((known) => known === method)
    const column = responseCodes.indexOf(code)
    if (row >= 0 && column >= 0) this.#add(RESPONSES + row * responseCodes.length + column, 1)
  }

  drops(reason: DropReason): number {
    return this.#at(DROPS + (dropIndexes.get(reason) ?? 0))
  }

  /** Every kind of response that was given. */
  responses(): readonly ResponseCount[] {
    return requestMethods.flatMap((method, row) =>
      responseCodes.map((code, column) => ({
        method,
        code,
        count: this.#at(RESPONSES + row * responseCodes.length + column),
      })),
    )
  }

  #at(index: number): number {
    return this.#values[index] ?? 0
  }

  #add(index: number, amount: number): void {
    this.#values[index] = (this.#values[index] ?? 0) + amount
  }
}
