import type { IpAddress } from '../wire/index.ts'
import { CLIENT_OWNERS_BYTES, ClientOwners } from './client-owners.ts'
import { COUNTERS_BYTES, Counters } from './counters.ts'
import { hashAddress, hashClient, hashText } from './hashing.ts'
import type { PortRange } from './peer-policy.ts'
import { PortPool, portTableBytes, portTokenBytes } from './port-pool.ts'
import { RATE_TABLE_BYTES, RateTable } from './rate-table.ts'
import type { Limits } from './server-state.ts'
import { COUNTS_BYTES, SharedCounts } from './shared-counts.ts'

/** The one name under which everybody's allocations and bytes are counted. */
const EVERYBODY = 0

/** Memory that all workers of a server share; plain data, to be handed to threads. */
export interface CommonsMemory {
  /** Keys the tables, so that outsiders cannot choose who collides. */
  readonly seed: number
  readonly ports: PortRange
  readonly portOwners: SharedArrayBuffer
  readonly portTokens: SharedArrayBuffer
  readonly clientOwners: SharedArrayBuffer
  readonly allocations: SharedArrayBuffer
  readonly total: SharedArrayBuffer
  readonly streams: SharedArrayBuffer
  readonly strangerReplies: SharedArrayBuffer
  readonly bindingReplies: SharedArrayBuffer
  readonly userBytes: SharedArrayBuffer
  readonly totalBytes: SharedArrayBuffer
  /** What each worker has added, by its number. */
  readonly workers: readonly WorkerMemory[]
}

interface WorkerMemory {
  readonly counters: SharedArrayBuffer
  readonly allocations: SharedArrayBuffer
  readonly total: SharedArrayBuffer
  readonly streams: SharedArrayBuffer
}

/** Memory for a server of so many workers. */
export function newCommonsMemory({
  workers,
  ports,
  seed,
}: {
  readonly workers: number
  readonly ports: PortRange
  readonly seed: number
}): CommonsMemory {
  const newCounts = () => new SharedArrayBuffer(COUNTS_BYTES)
  const newRates = () => new SharedArrayBuffer(RATE_TABLE_BYTES)
  return {
    seed,
    ports,
    portOwners: new SharedArrayBuffer(portTableBytes(ports)),
    portTokens: new SharedArrayBuffer(portTokenBytes(ports)),
    clientOwners: new SharedArrayBuffer(CLIENT_OWNERS_BYTES),
    allocations: newCounts(),
    total: newCounts(),
    streams: newCounts(),
    strangerReplies: newRates(),
    bindingReplies: newRates(),
    userBytes: newRates(),
    totalBytes: newRates(),
    workers: Array.from({ length: workers }, () => ({
      counters: new SharedArrayBuffer(COUNTERS_BYTES),
      allocations: newCounts(),
      total: newCounts(),
      streams: newCounts(),
    })),
  }
}

/** What a datagram client is known by. */
interface DatagramClient {
  readonly endpoint: { readonly address: IpAddress; readonly port: number }
  readonly route: number
}

/** What one worker sees of the memory that all share: quotas, ports, rates, and its own totals. */
export class Commons {
  readonly ports: PortPool
  readonly counters: Counters
  readonly #limits: Limits
  readonly #seed: number
  readonly #owners: ClientOwners
  readonly #allocations: SharedCounts
  readonly #total: SharedCounts
  readonly #streams: SharedCounts
  readonly #strangerReplies: RateTable
  readonly #bindingReplies: RateTable
  readonly #userBytes: RateTable | undefined
  readonly #totalBytes: RateTable | undefined

  constructor(memory: CommonsMemory, worker: number, limits: Limits) {
    const own = memory.workers[worker]
    if (!own) throw new Error(`there is no memory for worker ${worker}`)
    this.#seed = memory.seed
    this.#limits = limits
    const { portOwners: owners, portTokens: tokens } = memory
    this.ports = new PortPool({ owners, tokens }, memory.ports, worker)
    this.counters = new Counters(own.counters)
    this.#owners = new ClientOwners(memory.clientOwners, worker)
    this.#allocations = new SharedCounts(memory.allocations, own.allocations)
    this.#total = new SharedCounts(memory.total, own.total)
    this.#streams = new SharedCounts(memory.streams, own.streams)
    this.#strangerReplies = new RateTable(memory.strangerReplies, limits.strangerRepliesPerSecond)
    this.#bindingReplies = new RateTable(memory.bindingReplies, limits.bindingRepliesPerSecond)
    const { userBytesPerSecond, totalBytesPerSecond } = limits
    this.#userBytes = userBytesPerSecond
      ? new RateTable(memory.userBytes, userBytesPerSecond)
      : undefined
    this.#totalBytes = totalBytesPerSecond
      ? new RateTable(memory.totalBytes, totalBytesPerSecond)
      : undefined
  }

  /** What a user is known by in the tables; keep it with the allocation. */
  userHash(user: string): number {
    return hashText(user, this.#seed)
  }

  /** Counts an allocation against its user's quota and everybody's. */
  takeAllocation(userHash: number): 'taken' | 'userFull' | 'full' {
    if (!this.#allocations.take(userHash, this.#limits.allocationsPerUser)) return 'userFull'
    if (this.#total.take(EVERYBODY, this.#limits.allocations)) return 'taken'
    this.#allocations.release(userHash)
    return 'full'
  }

  releaseAllocation(userHash: number): void {
    this.#allocations.release(userHash)
    this.#total.release(EVERYBODY)
  }

  /** Notes that a datagram client has its allocation here. */
  claimClient(client: DatagramClient): void {
    this.#owners.claim(hashClient(client.endpoint, client.route, this.#seed))
  }

  releaseClient(client: DatagramClient): void {
    this.#owners.release(hashClient(client.endpoint, client.route, this.#seed))
  }

  /** The other worker that has this client's allocation, if one has. */
  otherOwner(client: DatagramClient): number | undefined {
    return this.#owners.otherOwner(hashClient(client.endpoint, client.route, this.#seed))
  }

  /** Counts a connection against its address; `false` when the address has enough. */
  takeStream(address: IpAddress): boolean {
    return this.#streams.take(hashAddress(address, this.#seed), this.#limits.streamsPerAddress)
  }

  releaseStream(address: IpAddress): void {
    this.#streams.release(hashAddress(address, this.#seed))
  }

  /** Whether an address that has shown nothing may get one more reply in this second. */
  takeReply(kind: 'stranger' | 'binding', address: IpAddress, now: number): boolean {
    const table = kind === 'binding' ? this.#bindingReplies : this.#strangerReplies
    return table.take(hashAddress(address, this.#seed), 1, now)
  }

  /** Whether so many bytes fit into the user's bandwidth and everybody's. The packet path. */
  takeBytes(userHash: number, byteCount: number, now: number): boolean {
    if (this.#userBytes && !this.#userBytes.take(userHash, byteCount, now)) return false
    return !this.#totalBytes || this.#totalBytes.take(EVERYBODY, byteCount, now)
  }

  /** Gives back what this worker, which is no more, had taken. */
  forget(): void {
    this.ports.forget()
    this.#owners.forget()
    this.#allocations.forget()
    this.#total.forget()
    this.#streams.forget()
    this.counters.allocations = 0
  }
}
