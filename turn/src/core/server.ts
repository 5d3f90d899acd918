import type { IpAddress, Message } from '../wire/index.ts'
import {
  XOR_MAPPED_ADDRESS,
  classes,
  decodeMessage,
  looksLikeChannelData,
  methods,
  readUint32,
  transactionIdOf,
  xorAddress,
} from '../wire/index.ts'
import { allocate, endAllocation, relayBound, relayFailed } from './allocate.ts'
import { AllocationTable } from './allocation-table.ts'
import type { Allocation, Client } from './allocation.ts'
import { dropExpired } from './allocation.ts'
import { authenticate } from './authentication.ts'
import type { Counters, DropReason } from './counters.ts'
import { countDrop, newCounters } from './counters.ts'
import { relayChannelData, relaySendIndication, relayToClient, setPayload } from './relay.ts'
import type { Reply, Request } from './replies.ts'
import { challengeAttributes, reply, unsafeUnauthenticatedReply } from './replies.ts'
import { ReplyLimit } from './reply-limit.ts'
import { channelBind, createPermission, refresh } from './requests.ts'
import type { Command, Relayed, ServerConfig, ServerState } from './server-state.ts'
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
    const { limits, random } = config
    this.#state = {
      config,
      table: new AllocationTable(config.relayPorts),
      counters: newCounters(),
      strangerLimit: new ReplyLimit(limits.strangerRepliesPerSecond, readUint32(random(4), 0)),
      bindingLimit: new ReplyLimit(limits.bindingRepliesPerSecond, readUint32(random(4), 0)),
      commands: [],
      wallOffsetMs: 0,
      nextAllocationId: 1,
      relayed: {
        to: 'peer',
        allocation: undefined,
        peer: undefined,
        channel: 0,
        offset: 0,
        length: 0,
      },
    }
  }

  get counters(): Counters {
    return this.#state.counters
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

  /** Takes a datagram of `length` bytes that `address:port` sent to an allocation's relay. */
  fromPeer(
    allocation: Allocation,
    from: { readonly address: IpAddress; readonly port: number },
    length: number,
    now: number,
  ): Relayed | undefined {
    setPayload(this.#state, 0, length)
    return relayToClient(this.#state, allocation, from, now)
  }

  /** The socket that a `bindRelay` command asked for is open. */
  relayBound(allocation: Allocation, now: number): void {
    relayBound(this.#state, allocation, now)
  }

  /** The socket that a `bindRelay` command asked for did not open. */
  relayFailed(allocation: Allocation, reason: 'portInUse' | 'other'): void {
    relayFailed(this.#state, allocation, reason)
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
    this.#state.wallOffsetMs = wallMs - now
    for (const allocation of this.#state.table.all()) {
      if (allocation.expiresAt <= now) endAllocation(this.#state, allocation, 'expired')
      else dropExpired(allocation, now)
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
    const identity = authenticate(this.#state, client, message, now)
    if (!identity.ok) {
      unsafeUnauthenticatedReply(this.#state, client, message, {
        attributes: identity.challenge ? challengeAttributes(this.#state, client, now) : [],
        code: identity.error.code,
        now,
      })
      return
    }
    const { user, username, key } = identity
    const request: Request = { client, message, user, username, key }
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
  #liveAllocation(client: Client, now: number): Allocation | undefined {
    const { allocation } = client
    if (!allocation || allocation.expiresAt > now) return allocation
    endAllocation(this.#state, allocation, 'expired')
    return undefined
  }

  #drop(reason: DropReason): Relayed | undefined {
    countDrop(this.#state.counters, reason)
    return undefined
  }
}
