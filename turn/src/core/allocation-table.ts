import type { EndpointKey, Family, IpAddress } from '../wire/index.ts'
import { endpointKey, readUint32 } from '../wire/index.ts'
import type { Allocation, Client } from './allocation.ts'
import type { PortRange } from './peer-policy.ts'

/** Every allocation of one core, by the ways in which packets name it. */
export class AllocationTable {
  readonly #ports: PortRange
  readonly #byId = new Map<number, Allocation>()
  readonly #datagramClients: Map<EndpointKey, Client>[] = []
  readonly #byRelay: Readonly<Record<Family, Map<number, Allocation>>> = {
    4: new Map(),
    6: new Map(),
  }
  readonly #perUser = new Map<string, number>()

  constructor(ports: PortRange) {
    this.#ports = ports
  }

  get size(): number {
    return this.#byId.size
  }

  all(): Iterable<Allocation> {
    return this.#byId.values()
  }

  byId(id: number): Allocation | undefined {
    return this.#byId.get(id)
  }

  /** The allocation, open or about to be, that has this relay port. */
  byRelay(family: Family, port: number): Allocation | undefined {
    return this.#byRelay[family].get(port)
  }

  /** The client of a live datagram allocation; strangers are not kept. */
  datagramClient(route: number, address: IpAddress, port: number): Client | undefined {
    return this.#datagramClients[route]?.get(endpointKey(address, port))
  }

  countOf(user: string): number {
    return this.#perUser.get(user) ?? 0
  }

  add(allocation: Allocation): void {
    const { client, user, family, relayed } = allocation
    this.#byId.set(allocation.id, allocation)
    this.#byRelay[family].set(relayed.port, allocation)
    this.#perUser.set(user, this.countOf(user) + 1)
    client.allocation = allocation
    if (client.transport !== 'udp') return
    const { address, port } = client.endpoint
    const clients = (this.#datagramClients[client.route] ??= new Map<EndpointKey, Client>())
    clients.set(endpointKey(address, port), client)
  }

  remove(allocation: Allocation): void {
    const { client, user, family, relayed } = allocation
    if (!this.#byId.delete(allocation.id)) return
    this.#byRelay[family].delete(relayed.port)
    const left = this.countOf(user) - 1
    if (left > 0) this.#perUser.set(user, left)
    else this.#perUser.delete(user)
    client.allocation = undefined
    if (client.transport !== 'udp') return
    const { address, port } = client.endpoint
    this.#datagramClients[client.route]?.delete(endpointKey(address, port))
  }

  /** Gives an allocation whose relay could not be bound another port. */
  moveRelay(allocation: Allocation, relayed: Allocation['relayed']): void {
    this.#byRelay[allocation.family].delete(allocation.relayed.port)
    allocation.relayed = relayed
    this.#byRelay[allocation.family].set(relayed.port, allocation)
  }

  /**
   * A free relay port at a random place, so that others cannot guess it (RFC 6056); `undefined` when there is none.
   * `random` is 4 bytes.
   */
  freePort(family: Family, even: boolean, random: Uint8Array): number | undefined {
    const used = this.#byRelay[family]
    const step = even ? 2 : 1
    const first = even ? this.#ports.first + (this.#ports.first % 2) : this.#ports.first
    const count = Math.floor((this.#ports.last - first) / step) + 1
    if (count <= 0) return undefined
    const start = readUint32(random, 0) % count
    for (let tried = 0; tried < count; tried++) {
      const port = first + ((start + tried) % count) * step
      if (!used.has(port)) return port
    }
    return undefined
  }
}
