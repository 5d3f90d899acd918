import type { Family, Message } from '../wire/index.ts'
import {
  EVEN_PORT,
  LIFETIME,
  PROTOCOL_UDP,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  RESERVATION_TOKEN,
  XOR_MAPPED_ADDRESS,
  XOR_RELAYED_ADDRESS,
  attributeValue,
  classes,
  encodeMessage,
  endpointOf,
  errorCode,
  lifetime,
  methods,
  readEvenPort,
  readLifetime,
  readRequestedAddressFamily,
  readRequestedTransport,
  readReservationToken,
  transactionIdOf,
  xorAddress,
} from '../wire/index.ts'
import type { Allocation } from './allocation.ts'
import { grantedLifetimeS } from './allocation.ts'
import { countResponse } from './counters.ts'
import type { Reply, Request } from './replies.ts'
import { reply } from './replies.ts'
import type { EndReason, ServerState } from './server-state.ts'
import type { StunError } from './stun-errors.ts'
import { stunErrors } from './stun-errors.ts'
import { unknownAttributesOf } from './understood.ts'

/** How many ports are tried when other processes hold some of the range. */
const MAX_BIND_ATTEMPTS = 16

/** What a well-formed Allocate asks for. */
interface Wish {
  readonly family: Family
  readonly even: boolean
  readonly lifetimeS: number
}

/** Serves Allocate, in the order of RFC 8656 §7.2. The answer waits for the relay's socket. */
export function allocate(state: ServerState, request: Request, now: number): void {
  const { client, message } = request
  const existing = client.allocation
  if (existing) {
    answerSecondAllocate(state, request, existing)
    return
  }
  const wish = readWish(state, message)
  if ('ok' in wish) {
    reply(state, request, wish)
    return
  }
  const { table, config } = state
  if (table.countOf(request.user) >= config.limits.allocationsPerUser) {
    reply(state, request, { ok: false, error: stunErrors.quotaReached })
    return
  }
  const address = config.announced[wish.family]
  const port =
    table.size < config.limits.allocations
      ? table.freePort(wish.family, wish.even, config.random(4))
      : undefined
  if (address === undefined || port === undefined) {
    reply(state, request, { ok: false, error: stunErrors.insufficientCapacity })
    return
  }
  const allocation: Allocation = {
    id: state.nextAllocationId++,
    client,
    user: request.user,
    username: request.username,
    integrityKey: request.key,
    family: wish.family,
    even: wish.even,
    transactionId: Uint8Array.from(transactionIdOf(message)),
    lifetimeS: wish.lifetimeS,
    relayed: endpointOf(address, port),
    phase: 'binding',
    bindAttempts: 1,
    response: undefined,
    expiresAt: now + wish.lifetimeS * 1000,
    permissions: new Map(),
    channels: new Map(),
    channelsByPeer: new Map(),
  }
  table.add(allocation)
  state.commands.push({ type: 'bindRelay', allocation })
}

/** The relay's socket is open: the client gets its answer. */
export function relayBound(state: ServerState, allocation: Allocation, now: number): void {
  if (allocation.phase !== 'binding') {
    // The client left while the socket was opening.
    state.commands.push({ type: 'closeRelay', allocation })
    return
  }
  const { client, transactionId, lifetimeS, relayed, integrityKey } = allocation
  const bytes = encodeMessage({
    method: methods.allocate,
    messageClass: classes.success,
    transactionId,
    attributes: [
      xorAddress(XOR_RELAYED_ADDRESS, relayed, transactionId),
      lifetime(lifetimeS),
      xorAddress(XOR_MAPPED_ADDRESS, client.endpoint, transactionId),
    ],
    integrityKey,
  })
  allocation.phase = 'open'
  allocation.response = bytes
  allocation.expiresAt = now + lifetimeS * 1000
  countResponse(state.counters, methods.allocate, 0)
  state.commands.push({ type: 'reportCreated', allocation })
  state.commands.push({ type: 'sendToClient', client, bytes })
}

/** The relay's socket did not open: another port when this one is taken, else the client hears. */
export function relayFailed(
  state: ServerState,
  allocation: Allocation,
  reason: 'portInUse' | 'other',
): void {
  if (allocation.phase !== 'binding') return
  const { table, config } = state
  const port =
    reason === 'portInUse' && allocation.bindAttempts < MAX_BIND_ATTEMPTS
      ? table.freePort(allocation.family, allocation.even, config.random(4))
      : undefined
  if (port !== undefined) {
    allocation.bindAttempts++
    table.moveRelay(allocation, endpointOf(allocation.relayed.address, port))
    state.commands.push({ type: 'bindRelay', allocation })
    return
  }
  const { client, transactionId, integrityKey } = allocation
  const { code, reason: words } = stunErrors.insufficientCapacity
  endAllocation(state, allocation, 'relayFailed')
  countResponse(state.counters, methods.allocate, code)
  const bytes = encodeMessage({
    method: methods.allocate,
    messageClass: classes.error,
    transactionId,
    attributes: [errorCode(code, words)],
    integrityKey,
  })
  state.commands.push({ type: 'sendToClient', client, bytes })
}

/** Ends an allocation, whatever its phase. */
export function endAllocation(state: ServerState, allocation: Allocation, reason: EndReason): void {
  const { phase } = allocation
  if (phase === 'ended') return
  allocation.phase = 'ended'
  state.table.remove(allocation)
  // A relay that is still opening is closed when it reports.
  if (phase === 'open') state.commands.push({ type: 'closeRelay', allocation })
  state.commands.push({ type: 'reportEnded', allocation, reason })
}

/** A retransmission gets the first answer again; a new request does not fit. RFC 8656 §7.2, step 2. */
function answerSecondAllocate(state: ServerState, request: Request, existing: Allocation): void {
  const { client, message } = request
  if (!Buffer.from(existing.transactionId).equals(transactionIdOf(message))) {
    reply(state, request, { ok: false, error: stunErrors.allocationMismatch })
  } else if (existing.response) {
    state.commands.push({ type: 'sendToClient', client, bytes: existing.response })
  }
}

function readWish(state: ServerState, message: Message): Wish | Extract<Reply, { ok: false }> {
  const unknown = unknownAttributesOf(message)
  if (unknown) {
    return { ok: false, error: stunErrors.unknownAttribute, attributes: [unknown] }
  }
  const transport = attributeValue(message, REQUESTED_TRANSPORT)
  const protocol = transport && readRequestedTransport(transport)
  if (protocol === undefined) return refusal(stunErrors.badRequest)
  if (protocol !== PROTOCOL_UDP) return refusal(stunErrors.transportNotSupported)

  const familyValue = attributeValue(message, REQUESTED_ADDRESS_FAMILY)
  const family = familyValue ? readRequestedAddressFamily(familyValue) : 4
  const evenValue = attributeValue(message, EVEN_PORT)
  const even = evenValue ? readEvenPort(evenValue) : { reserveNext: false }
  const lifetimeValue = attributeValue(message, LIFETIME)
  const requestedS = lifetimeValue && readLifetime(lifetimeValue)
  if (family === undefined || even === undefined) return refusal(stunErrors.badRequest)
  if (lifetimeValue && requestedS === undefined) return refusal(stunErrors.badRequest)

  const token = attributeValue(message, RESERVATION_TOKEN)
  if (token) {
    const isAlone = !evenValue && !familyValue && readReservationToken(token)
    // Ports are never reserved, so no token is valid.
    return refusal(isAlone ? stunErrors.insufficientCapacity : stunErrors.badRequest)
  }
  if (family === 'unknown' || state.config.announced[family] === undefined) {
    return refusal(stunErrors.familyNotSupported)
  }
  if (even.reserveNext) return refusal(stunErrors.insufficientCapacity)
  return { family, even: evenValue !== undefined, lifetimeS: grantedLifetimeS(requestedS) }
}

function refusal(error: StunError): Extract<Reply, { ok: false }> {
  return { ok: false, error }
}
