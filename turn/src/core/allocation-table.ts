import type { EndpointKey, Family, IpAddress } from '../wire/index.ts'
import { endpointKey } from '../wire/index.ts'
import type { Allocation, Client, Relay } from './allocation.ts'

/** Every allocation of one core, by the ways in which packets name it. */
export class AllocationTable {
  readonly #byId = new Map<number, Allocation>()
  readonly #datagramClients: Map<EndpointKey, Client>[] = []
  readonly #byRelay: Readonly<Record<Family, Map<number, Relay>>> = {
    4: new Map(),
    6: new Map(),
  }

  get size(): number {
    return this.#byId.size
  }

  all(): Iterable<Allocation> {
    return this.#byId.values()
  }

  /** The relay, open or about to be, that has this port. */
  byRelay(family: Family, port: number): Relay | undefined {
    return this.#byRelay[family].get(port)
  }

  /** The client of a live datagram allocation; strangers are not kept. */
  datagramClient(route: number, address: IpAddress, port: number): Client | undefined {
    return this.#datagramClients[route]?.get(endpointKey(address, port))
  }

  add(allocation: Allocation): void {
    const { client } = allocation
    this.#byId.set(allocation.id, allocation)
    client.allocation = allocation
    if (client.transport !== 'udp') return
    const { address, port } = client.endpoint
    const clients = (this.#datagramClients[client.route] ??= new Map<EndpointKey, Client>())
    clients.set(endpointKey(address, port), client)
  }

  /** `false` when it was not there. Its relays are removed by themselves. */
  remove(allocation: Allocation): boolean {
    const { client } = allocation
    if (!this.#byId.delete(allocation.id)) return false
    client.allocation = undefined
    if (client.transport !== 'udp') return true
    const { address, port } = client.endpoint
    this.#datagramClients[client.route]?.delete(endpointKey(address, port))
    return true
  }

  addRelay(relay: Relay): void {
    this.#byRelay[relay.family].set(relay.relayed.port, relay)
  }

  removeRelay(relay: Relay): void {
    this.#byRelay[relay.family].delete(relay.relayed.port)
  }
}
