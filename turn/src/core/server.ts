import type { IpAddress, Message } from '../wire/index.ts'
import {
  HEADER_BYTES,
  XOR_MAPPED_ADDRESS,
  classes,
  decodeMessage,
  looksLikeChannelData,
  methods,
  transactionIdOf,
  xorAddress,
} from '../wire/index.ts'
import { allocate, endAllocation, endRelay, relayBound, relayFailed } from './allocate.ts'
import { AllocationTable } from './allocation-table.ts'
import type { Client, Relay } from './allocation.ts'
import { dropExpired, relaysOf } from './allocation.ts'
import { authenticate } from './authentication.ts'
import type { Counters, DropReason } from './counters.ts'
import { noncePrefix } from './nonce.ts'
import {
  announcedSource,
  relayChannelData,
  relaySendIndication,
  relayToClient,
  setPayload,
} from './relay.ts'
import type { Reply, Request } from './replies.ts'
import { challengeAttributes, reply, unsafeUnauthenticatedReply } from './replies.ts'
import { channelBind, createPermission, refresh } from './requests.ts'
import type { Command, Drain, Relayed, ServerConfig, ServerState } from './server-state.ts'
import type { Session, SessionSelector } from './sessions.ts'
import { isSelected, sessionOf } from './sessions.ts'
import { stunErrors } from './stun-errors.ts'
import { unknownAttributesOf } from './understood.ts'

const NO_COMMANDS: readonly Command[] = []

/**
 * A STUN and TURN server without sockets, clock or randomness of its own (RFC 8489, RFC 8656).
 *
 * The shell calls one method for each thing that happens, then sends what it returns and runs what
 * {@link takeCommands} gives. Times are milliseconds of one rising clock, `now`.
 */
export class TurnServer {
  readonly #state: ServerState

  constructor(config: ServerConfig) {
    const usernameAnonymity = config.credentials.offersUsernameAnonymity
    this.#state = {
      config,
      table: new AllocationTable(),
      nonceKey: { key: config.nonceKey, prefix: noncePrefix({ usernameAnonymity }) },
      drain: undefined,
      commands: [],
      wallOffsetMs: 0,
      nextAllocationId: 1,
      nextRelayId: 1,
      relayed: {
        to: 'peer',
        allocation: undefined,
        relay: undefined,
        peer: undefined,
        channel: 0,
        offset: 0,
        length: 0,
      },
    }
  }

  get counters(): Counters {
    return this.#state.config.commons.counters
  }

  /** Allocations that are open or about to be. */
  get allocationCount(): number {
    return this.#state.table.size
  }

  /** The client of a datagram allocation, so that the shell makes one only for strangers. */
  datagramClient(route: number, address: IpAddress, port: number): Client | undefined {
    return this.#state.table.datagramClient(route, address, port)
  }

  /**
   * Takes one datagram, or one frame of a stream, from a client. `bytes` may be reused once what is
   * returned has been sent.
   */
  fromClient(client: Client, bytes: Uint8Array, now: number): Relayed | undefined {
    const allocation = this.#liveAllocation(client, now)
    if (looksLikeChannelData(bytes)) {
      if (allocation?.phase !== 'open') return this.#drop('noAllocation')
      return relayChannelData(this.#state, allocation, bytes, now)
    }
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) {
      const isOther = decoded.reason === 'notStun' || decoded.reason === 'badCookie'
      return this.#drop(isOther ? 'notStun' : 'badMessage')
    }
    const { message } = decoded
    if (message.messageClass === classes.request) {
      this.#request(client, message, now)
      return undefined
    }
    if (message.messageClass !== classes.indication || message.method !== methods.send) {
      return this.#drop('unexpectedMessage')
    }
    if (allocation?.phase !== 'open') return this.#drop('noAllocation')
    return relaySendIndication(this.#state, allocation, message, now)
  }

  /** Takes a datagram of `length` bytes that `address:port` sent to a relay. */
  fromPeer(
    relay: Relay,
    from: { readonly address: IpAddress; readonly port: number },
    length: number,
    now: number,
  ): Relayed | undefined {
    setPayload(this.#state, 0, length)
    const address = announcedSource(this.#state, from.address, from.port)
    const source = address === from.address ? from : { address, port: from.port }
    return relayToClient(this.#state, relay, source, now)
  }

  /** The socket that a `bindRelay` command asked for is open. */
  relayBound(relay: Relay, now: number): void {
    relayBound(this.#state, relay, now)
  }

  /** The socket that a `bindRelay` command asked for did not open. */
  relayFailed(relay: Relay, reason: 'portInUse' | 'other', now: number): void {
    relayFailed(this.#state, relay, { reason, now })
  }

  /** Every open allocation, for an operator. */
  sessions(): readonly Session[] {
    return [...this.#state.table.all()]
      .filter(({ phase }) => phase === 'open')
      .map((allocation) => sessionOf(allocation, this.#state.wallOffsetMs))
  }

  /** Ends the allocations that an operator selects; gives back how many. */
  endSessions(selector: SessionSelector): number {
    const selected = [...this.#state.table.all()].filter((each) => isSelected(each, selector))
    for (const allocation of selected) endAllocation(this.#state, allocation, 'ended')
    return selected.length
  }

  /** Turns new clients away, to `drain.alternates` where they can go, until called without. */
  drain(drain: Drain | undefined): void {
    this.#state.drain = drain
  }

  /** A stream has closed: its allocation goes with it. */
  clientGone(client: Client): void {
    if (client.allocation) endAllocation(this.#state, client.allocation, 'clientGone')
  }

  /**
   * Ends what has run out; call once a second. `wallMs` is epoch ms at `now`, by which credentials
   * and nonces are judged.
   */
  sweep(now: number, wallMs: number): void {
    const { config, table } = this.#state
    this.#state.wallOffsetMs = wallMs - now
    config.commons.ports.sweep(now)
    for (const allocation of table.all()) {
      const { credentialExpiresAt } = allocation
      if (config.endsWithCredential && (credentialExpiresAt ?? Infinity) <= wallMs) {
        endAllocation(this.#state, allocation, 'credentialExpired')
        continue
      }
      for (const relay of relaysOf(allocation)) {
        if (relay.expiresAt <= now) endRelay(this.#state, relay, 'expired')
      }
      dropExpired(allocation, now)
    }
  }

  /** What the shell must do since the last call, in order. */
  takeCommands(): readonly Command[] {
    const { commands } = this.#state
    if (commands.length === 0) return NO_COMMANDS
    this.#state.commands = []
    return commands
  }

  #request(client: Client, message: Message, now: number): void {
    switch (message.method) {
      case methods.binding:
        this.#binding(client, message, now)
        return
      case methods.allocate:
      case methods.refresh:
      case methods.createPermission:
      case methods.channelBind:
        this.#authenticated(client, message, now)
        return
      default:
        // RFC 8489 §6.3 has no answer for methods that a server does not know.
        this.#drop('unexpectedMessage')
    }
  }

  /** Serves Binding, which asks for no credentials. RFC 8489 §2, §6.3.1. */
  #binding(client: Client, message: Message, now: number): void {
    const unknown = unknownAttributesOf(message)
    const mapped = xorAddress(XOR_MAPPED_ADDRESS, client.endpoint, transactionIdOf(message))
    unsafeUnauthenticatedReply(this.#state, client, message, {
      attributes: [unknown ?? mapped],
      code: unknown ? stunErrors.unknownAttribute.code : 0,
      now,
    })
  }

  #authenticated(client: Client, message: Message, now: number): void {
    if (client.transport === 'udp' && message.bytes.length === HEADER_BYTES) {
      // No client begins so; the challenge would be four times as large, for whoever is named.
      this.#drop('bareRequest')
      return
    }
    const identity = authenticate(this.#state, client, message, now)
    if (!identity.ok) {
      unsafeUnauthenticatedReply(this.#state, client, message, {
        attributes: identity.challenge ? challengeAttributes(this.#state, client, now) : [],
        code: identity.error.code,
        now,
      })
      return
    }
    const request: Request = { client, message, ...identity }
    if (message.method === methods.allocate) allocate(this.#state, request, now)
    else reply(this.#state, request, this.#onAllocation(request, now))
  }

  /** What needs an allocation: its owner's, on this 5-tuple. RFC 8656 §5. */
  #onAllocation({ client, message, user }: Request, now: number): Reply {
    const { allocation } = client
    if (allocation?.phase !== 'open') return { ok: false, error: stunErrors.allocationMismatch }
    if (allocation.user !== user) return { ok: false, error: stunErrors.wrongCredentials }
    const unknown = unknownAttributesOf(message)
    if (unknown) {
      return { ok: false, error: stunErrors.unknownAttribute, attributes: [unknown] }
    }
    switch (message.method) {
      case methods.refresh:
        return refresh(this.#state, allocation, message, now)
      case methods.createPermission:
        return createPermission(this.#state, allocation, message, now)
      default:
        return channelBind(this.#state, allocation, message, now)
    }
  }

  /** The client's allocation, ended first if its time is over and no sweep has come by. */
  #liveAllocation(client: Client, now: number): Client['allocation'] {
    const { allocation } = client
    if (!allocation) return undefined
    const { ipv4, ipv6 } = allocation
    if ((ipv4 && ipv4.expiresAt > now) || (ipv6 && ipv6.expiresAt > now)) return allocation
    endAllocation(this.#state, allocation, 'expired')
    return undefined
  }

  #drop(reason: DropReason): Relayed | undefined {
    this.#state.config.commons.counters.countDrop(reason)
    return undefined
  }
}
