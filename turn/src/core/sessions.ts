import type { Allocation, Transport } from './allocation.ts'
import { relaysOf } from './allocation.ts'

/** One allocation as an operator sees it. Times are epoch ms, bytes are payloads. */
export interface Session {
  readonly id: number
  readonly user: string
  readonly transport: Transport
  readonly client: string
  readonly relays: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number
  readonly permissions: number
  readonly channels: number
  readonly bytesToPeer: number
  readonly bytesToClient: number
}

/** Which sessions are meant: all, a user's, or one. */
export type SessionSelector =
  | { readonly by: 'all' }
  | { readonly by: 'user'; readonly user: string }
  | { readonly by: 'id'; readonly id: number }

/** Describes an allocation. `wallOffsetMs` is epoch ms minus the core's time. */
export function sessionOf(allocation: Allocation, wallOffsetMs: number): Session {
  const { id, user, client, createdAt, bytesToPeer, bytesToClient } = allocation
  const relays = relaysOf(allocation)
  return {
    id,
    user,
    transport: client.transport,
    client: textOf(client.endpoint),
    relays: relays.map(({ relayed }) => textOf(relayed)),
    createdAt: Math.round(createdAt + wallOffsetMs),
    expiresAt: Math.round(Math.max(...relays.map((relay) => relay.expiresAt)) + wallOffsetMs),
    permissions: allocation.permissions.size,
    channels: allocation.channels.size,
    bytesToPeer,
    bytesToClient,
  }
}

export function isSelected(allocation: Allocation, selector: SessionSelector): boolean {
  switch (selector.by) {
    case 'all':
      return true
    case 'user':
      return allocation.user === selector.user
    case 'id':
      return allocation.id === selector.id
  }
}

function textOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
