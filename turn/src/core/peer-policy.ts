import type { IpAddress } from '../wire/index.ts'
import { unmapped, wordAt } from '../wire/index.ts'
import type { PeerRange } from './peer-range.ts'
import { loopbackRanges, rangeHolds, refusedByDefault } from './peer-range.ts'

/** Why a peer is refused. */
export type RefusalCause = 'denied' | 'default' | 'ownAddress' | 'ownListener'

/** `rule` names the block that refused, as the operator knows it. */
export type PeerVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly cause: RefusalCause; readonly rule: string }

/** What decides about peers. */
export interface PeerPolicyParts {
  readonly allow: readonly PeerRange[]
  readonly deny: readonly PeerRange[]
  /** Addresses of this machine and those announced for it. */
  readonly ownAddresses: readonly IpAddress[]
  /** Addresses of our relays, bound and announced. */
  readonly relayAddresses: readonly IpAddress[]
  readonly relayPorts: PortRange
}

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

const admitted: PeerVerdict = { ok: true }
const ownListener: PeerVerdict = { ok: false, cause: 'ownListener', rule: 'own listeners' }
const ownAddress: PeerVerdict = { ok: false, cause: 'ownAddress', rule: 'own addresses' }

interface Rule {
  readonly range: PeerRange
  readonly refusal: PeerVerdict
}

/**
 * Decides to whom relays may talk. In order: another relay of this server, always; our own
 * listeners, never; an explicit denial; an explicit permission; our own addresses and
 * {@link refusedByDefault}, refused; anybody else is welcome.
 *
 * It judges addresses, not spellings: an IPv6 address that carries an IPv4 one (mapped, 6to4,
 * NAT64, Teredo) must pass both as itself and as what it carries.
 */
export class PeerPolicy {
  #allow: readonly PeerRange[]
  #deny: readonly Rule[]
  readonly #default: readonly Rule[]
  readonly #own: ReadonlySet<IpAddress>
  readonly #listenerPorts = new Set<number>()
  readonly #relayAddresses: ReadonlySet<IpAddress>
  readonly #relayPorts: PortRange

  constructor(parts: PeerPolicyParts) {
    this.#allow = parts.allow
    this.#deny = parts.deny.map((range) => ruleOf(range, 'denied'))
    this.#default = refusedByDefault.map((range) => ruleOf(range, 'default'))
    this.#own = new Set(parts.ownAddresses)
    this.#relayAddresses = new Set(parts.relayAddresses)
    this.#relayPorts = parts.relayPorts
  }

  /** Decides by other rules from here on, for every datagram of running allocations too. */
  replaceRules({
    allowPeers,
    denyPeers,
  }: {
    readonly allowPeers: readonly PeerRange[]
    readonly denyPeers: readonly PeerRange[]
  }): void {
    this.#allow = allowPeers
    this.#deny = denyPeers.map((range) => ruleOf(range, 'denied'))
  }

  /** Tells of a port on which this server listens, known once it is bound. */
  addListenerPort(port: number): void {
    this.#listenerPorts.add(port)
  }

  /** For CreatePermission, which names no port. RFC 8656 §10.2. */
  permissionVerdict(address: IpAddress): PeerVerdict {
    return this.#relayAddresses.has(address) ? admitted : this.#judge(unmapped(address))
  }

  /** For ChannelBind: the relay on our own address need not be there yet. RFC 8656 §12.2. */
  bindVerdict(address: IpAddress, port: number): PeerVerdict {
    const { first, last } = this.#relayPorts
    const canBeRelay = this.#relayAddresses.has(address) && port >= first && port <= last
    return canBeRelay && !this.#listenerPorts.has(port) ? admitted : this.sendVerdict(address, port)
  }

  /** For every datagram to a peer that is not one of our relays. */
  sendVerdict(address: IpAddress, port: number): PeerVerdict {
    const canonical = unmapped(address)
    if (this.#listenerPorts.has(port) && this.#isThisMachine(canonical)) return ownListener
    return this.#judge(canonical)
  }

  /** Whether another relay of this server may be meant. */
  isRelayAddress(address: IpAddress): boolean {
    return this.#relayAddresses.has(address)
  }

  #isThisMachine(address: IpAddress): boolean {
    return this.#own.has(address) || loopbackRanges.some((range) => rangeHolds(range, address))
  }

  #judge(address: IpAddress): PeerVerdict {
    const verdict = this.#judgeSpelling(address)
    if (typeof address === 'number' || !verdict.ok) return verdict
    for (const carried of carriedIpv4(address)) {
      const carriedVerdict = this.#judgeSpelling(carried)
      if (!carriedVerdict.ok) return carriedVerdict
    }
    return verdict
  }

  #judgeSpelling(address: IpAddress): PeerVerdict {
    for (const { range, refusal } of this.#deny) if (rangeHolds(range, address)) return refusal
    for (const range of this.#allow) if (rangeHolds(range, address)) return admitted
    if (this.#own.has(address)) return ownAddress
    for (const { range, refusal } of this.#default) if (rangeHolds(range, address)) return refusal
    return admitted
  }
}

/** The IPv4 addresses that tunnels and translators read out of an IPv6 address. */
export function carriedIpv4(address: string): readonly number[] {
  const first = wordAt(address, 0)
  const last = wordAt(address, 12)
  if (first === 0x2001_0000) {
    // Teredo: its server, and the client inverted. RFC 4380 §4.
    return [wordAt(address, 4), ~last >>> 0]
  }
  if (first >>> 16 === 0x2002) return [wordAt(address, 2)]
  if (first === 0x0064_ff9b) {
    // RFC 6052 §2.2: within a /48 the address skips byte 8.
    const inPrefix48 = (wordAt(address, 6) & 0xffff_0000) | (wordAt(address, 9) >>> 16)
    return wordAt(address, 4) === 0 ? [last] : [last, inPrefix48 >>> 0]
  }
  const isCompatible = first === 0 && wordAt(address, 4) === 0 && wordAt(address, 8) === 0
  // `::` and `::1` are themselves, not 0.0.0.0 and 0.0.0.1.
  return isCompatible && last > 1 ? [last] : []
}

function ruleOf(range: PeerRange, cause: RefusalCause): Rule {
  return { range, refusal: { ok: false, cause, rule: range.text } }
}
