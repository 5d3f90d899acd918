import type { HostPort } from '@parley/service'
import { Secret, parseHostPort } from '@parley/service'
import type { Transport } from './core/allocation.ts'
import type { PortRange } from './core/peer-policy.ts'
import type { Family } from './wire/index.ts'
import { familyOf, formatAddress, parseAddress } from './wire/index.ts'

/** What a listener speaks; `auto` is TCP that tells plain and TLS clients apart. */
export type ListenerKind = Transport | 'auto'

/** Where clients reach the server. Port 0 takes any free one. */
export interface ListenerAddress extends HostPort {
  readonly transport: ListenerKind
}

/** One address of each family at most. */
export type AddressPair = Readonly<Partial<Record<Family, string>>>

/** A user with a password that does not end. */
export interface UserSetting {
  readonly name: string
  readonly password: Secret
}

export function parseListeners(text: string): readonly ListenerAddress[] | undefined {
  const listeners: ListenerAddress[] = []
  for (const part of text.split(',')) {
    const match = /^(udp|tcp|tls|auto):\/\/(.+)$/.exec(part.trim())
    const address = parseHostPort(match?.[2] ?? '')
    if (!match || !address || parseAddress(address.host) === undefined) return undefined
    // The expression admits no other words.
    listeners.push({ transport: match[1] as ListenerKind, ...address })
  }
  return listeners
}

export function parseAddressPair(text: string): AddressPair | undefined {
  const pair: Partial<Record<Family, string>> = {}
  for (const part of text.split(',')) {
    const address = parseAddress(part.trim())
    if (address === undefined) return undefined
    const family = familyOf(address)
    if (pair[family] !== undefined || isUnspecified(address)) return undefined
    pair[family] = part.trim()
  }
  return pair
}

export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2])
  return first >= 1024 && last <= 65_535 && first <= last ? { first, last } : undefined
}

/** Parses `name:password`; the password may hold colons, the name may not. */
export function parseUser(text: string): UserSetting | undefined {
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) return undefined
  return { name: text.slice(0, colon), password: new Secret(text.slice(colon + 1)) }
}

function isUnspecified(address: number | string): boolean {
  return formatAddress(address) === '0.0.0.0' || formatAddress(address) === '0:0:0:0:0:0:0:0'
}
