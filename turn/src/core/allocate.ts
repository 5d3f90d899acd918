import type { Attribute, Family } from '../wire/index.ts'
import {
  XOR_MAPPED_ADDRESS,
  XOR_RELAYED_ADDRESS,
  addressErrorCode,
  alternateServer,
  classes,
  encodeMessage,
  endpointOf,
  errorCode,
  familyOf,
  lifetime,
  methods,
  reservationToken,
  transactionIdOf,
  xorAddress,
} from '../wire/index.ts'
import type { AllocateWish } from './allocate-wish.ts'
import { readWish } from './allocate-wish.ts'
import type { Allocation, PortChoice, Relay } from './allocation.ts'
import { dropFamily, relaysOf } from './allocation.ts'
import type { Reply, Request } from './replies.ts'
import { reply } from './replies.ts'
import type { EndReason, ServerState } from './server-state.ts'
import type { StunError } from './stun-errors.ts'
import { stunErrors } from './stun-errors.ts'

/** How many ports are tried when other processes hold some of the range. */
const MAX_BIND_ATTEMPTS = 16

/** Serves Allocate, in the order of RFC 8656 §7.2. The answer waits for the relays' sockets. */
export function allocate(state: ServerState, request: Request, now: number): void {
  const { client, message } = request
  const existing = client.allocation
  if (existing) {
    answerSecondAllocate(state, request, existing)
    return
  }
  const { commons } = state.config
  const wish = readWish(state.config, client, message)
  if ('ok' in wish) {
    reply(state, request, wish)
    return
  }
  const refusal = turnedAway(state, request)
  if (refusal) {
    reply(state, request, refusal)
    return
  }
  const userHash = commons.userHash(request.user)
  const quota = commons.takeAllocation(userHash)
  if (quota !== 'taken') {
    const error = quota === 'userFull' ? stunErrors.quotaReached : stunErrors.insufficientCapacity
    reply(state, request, { ok: false, error })
    return
  }
  const allocation: Allocation = {
    id: state.nextAllocationId++,
    client,
    user: request.user,
    userHash,
    username: request.username,
    integrityKey: request.key,
    passwordAlgorithm: request.passwordAlgorithm,
    integrityHash: request.integrityHash,
    credentialExpiresAt: request.credentialExpiresAt,
    transactionId: Uint8Array.from(transactionIdOf(message)),
    lifetimeS: wish.lifetimeS,
    createdAt: now,
    ipv4: undefined,
    ipv6: undefined,
    missing: [],
    reservationToken: undefined,
    phase: 'binding',
    response: undefined,
    bytesToPeer: 0,
    bytesToClient: 0,
    permissions: new Map(),
    channels: new Map(),
    channelsByPeer: new Map(),
    recentPeers: new Set(),
    recentSince: now,
  }
  state.table.add(allocation)
  if (client.transport === 'udp') commons.claimClient(client)
  commons.counters.allocations++
  openRelays(state, allocation, wish, now)
  settle(state, allocation, now)
}

/** The relay's socket is open. */
export function relayBound(state: ServerState, relay: Relay, now: number): void {
  if (relay.phase !== 'binding') {
    // The client left while the socket was opening.
    releasePort(state, relay)
    state.commands.push({ type: 'closeRelay', relay })
    return
  }
  relay.phase = 'open'
  settle(state, relay.allocation, now)
}

/** The relay's socket did not open: another port when this one is taken, else it goes without. */
export function relayFailed(
  state: ServerState,
  relay: Relay,
  { reason, now }: { readonly reason: 'portInUse' | 'other'; readonly now: number },
): void {
  releasePort(state, relay)
  if (relay.phase !== 'binding') return
  const { allocation, family } = relay
  state.table.removeRelay(relay)
  const port =
    reason === 'portInUse' && relay.bindAttempts < MAX_BIND_ATTEMPTS
      ? takePort(state, family, relay.choice)
      : undefined
  if (port !== undefined) {
    relay.bindAttempts++
    relay.relayed = endpointOf(relay.relayed.address, port)
    state.table.addRelay(relay)
    state.commands.push({ type: 'bindRelay', relay })
    return
  }
  relay.phase = 'ended'
  setRelay(allocation, family, undefined)
  allocation.missing.push({ family, error: stunErrors.insufficientCapacity })
  settle(state, allocation, now)
}

/** Ends an allocation, whatever its phase. */
export function endAllocation(state: ServerState, allocation: Allocation, reason: EndReason): void {
  if (allocation.phase === 'ended') return
  allocation.phase = 'ended'
  for (const relay of relaysOf(allocation)) closeRelay(state, relay)
  if (!state.table.remove(allocation)) return
  const { commons } = state.config
  if (allocation.client.transport === 'udp') commons.releaseClient(allocation.client)
  commons.releaseAllocation(allocation.userHash)
  commons.counters.allocations--
  state.commands.push({ type: 'reportEnded', allocation, reason })
}

/** Ends one relay of an allocation, and the allocation with its last one. RFC 8656 §8.1. */
export function endRelay(state: ServerState, relay: Relay, reason: EndReason): void {
  const { allocation, family } = relay
  if (relaysOf(allocation).length === 1) {
    endAllocation(state, allocation, reason)
    return
  }
  closeRelay(state, relay)
  setRelay(allocation, family, undefined)
  dropFamily(allocation, family)
}

function openRelays(
  state: ServerState,
  allocation: Allocation,
  wish: AllocateWish,
  now: number,
): void {
  const { announced, commons } = state.config
  if (wish.token) {
    const redeemed = commons.ports.redeem(wish.token)
    if (redeemed) openRelay(state, allocation, { ...redeemed, choice: 'redeemed', wish, now })
    else allocation.missing.push({ family: 4, error: stunErrors.insufficientCapacity })
  }
  for (const family of wish.families) {
    const port = announced[family] === undefined ? undefined : takePort(state, family, wish.choice)
    if (port !== undefined) {
      openRelay(state, allocation, { family, port, choice: wish.choice, wish, now })
      continue
    }
    const isOffered = announced[family] !== undefined
    const error = isOffered ? stunErrors.insufficientCapacity : stunErrors.familyNotSupported
    allocation.missing.push({ family, error })
  }
}

function openRelay(
  state: ServerState,
  allocation: Allocation,
  {
    family,
    port,
    choice,
    wish,
    now,
  }: { family: Family; port: number; choice: PortChoice; wish: AllocateWish; now: number },
): void {
  const relay: Relay = {
    id: state.nextRelayId++,
    allocation,
    family,
    choice,
    // Ports are taken for families that are offered, and those have an address.
    relayed: endpointOf(state.config.announced[family] ?? 0, port),
    phase: 'binding',
    bindAttempts: 1,
    expiresAt: now + wish.lifetimeS * 1000,
  }
  setRelay(allocation, family, relay)
  state.table.addRelay(relay)
  state.commands.push({ type: 'bindRelay', relay })
}

/** Answers the Allocate once no relay is still opening. */
function settle(state: ServerState, allocation: Allocation, now: number): void {
  const relays = relaysOf(allocation)
  if (allocation.phase !== 'binding') return
  if (relays.some(({ phase }) => phase === 'binding')) return
  const { client, transactionId, lifetimeS, integrityKey, integrityHash, missing } = allocation
  const isRefused = relays.length === 0
  const [firstMissing] = missing
  const { code, reason } = firstMissing?.error ?? stunErrors.insufficientCapacity
  const attributes = isRefused
    ? [errorCode(code, reason)]
    : successAttributes(state, allocation, now)
  const bytes = encodeMessage({
    method: methods.allocate,
    messageClass: isRefused ? classes.error : classes.success,
    transactionId,
    attributes,
    integrityKey,
    integrityHash,
  })
  state.config.commons.counters.countResponse(methods.allocate, isRefused ? code : 0)
  if (isRefused) {
    endAllocation(state, allocation, 'relayFailed')
  } else {
    allocation.phase = 'open'
    allocation.response = bytes
    for (const relay of relays) relay.expiresAt = now + lifetimeS * 1000
    state.commands.push({ type: 'reportCreated', allocation })
  }
  state.commands.push({ type: 'sendToClient', client, bytes })
}

function successAttributes(
  state: ServerState,
  allocation: Allocation,
  now: number,
): readonly Attribute[] {
  const { client, transactionId, lifetimeS, missing } = allocation
  const relays = relaysOf(allocation)
  const attributes = relays.map(({ relayed }) =>
    xorAddress(XOR_RELAYED_ADDRESS, relayed, transactionId),
  )
  for (const { family, error } of missing) {
    attributes.push(addressErrorCode(family, error.code, error.reason))
  }
  attributes.push(lifetime(lifetimeS))
  for (const { choice, family, relayed } of relays) {
    if (choice !== 'pair') continue
    const random = state.config.random(5)
    const { ports } = state.config.commons
    allocation.reservationToken = ports.reserve(family, relayed.port + 1, { random, now })
    attributes.push(reservationToken(allocation.reservationToken))
  }
  attributes.push(xorAddress(XOR_MAPPED_ADDRESS, client.endpoint, transactionId))
  return attributes
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

/** While the server drains, new clients are sent to another one. RFC 8489 §10, RFC 8656 §7.2. */
function turnedAway(
  { drain }: ServerState,
  { client }: Request,
): Extract<Reply, { ok: false }> | undefined {
  if (!drain) return undefined
  const family = familyOf(client.endpoint.address)
  const alternate = drain.alternates.find(({ address }) => familyOf(address) === family)
  if (!alternate) return refusalOf(stunErrors.insufficientCapacity)
  return { ...refusalOf(stunErrors.tryAlternate), attributes: [alternateServer(alternate)] }
}

function refusalOf(error: StunError): Extract<Reply, { ok: false }> {
  return { ok: false, error }
}

function takePort(state: ServerState, family: Family, choice: PortChoice): number | undefined {
  const { commons, random } = state.config
  if (choice === 'redeemed') return undefined
  if (choice === 'pair') return commons.ports.takePair(family, random(4))
  return commons.ports.take(family, choice === 'even', random(4))
}

/** Gives a relay's port back, and with it the next one as long as that waits for no token. */
function releasePort(state: ServerState, { family, relayed, choice, allocation }: Relay): void {
  const { ports } = state.config.commons
  ports.release(family, relayed.port)
  if (choice === 'pair' && !allocation.reservationToken) ports.release(family, relayed.port + 1)
}

function closeRelay(state: ServerState, relay: Relay): void {
  const { phase } = relay
  relay.phase = 'ended'
  state.table.removeRelay(relay)
  // A relay that is still opening is closed, and its port released, when it reports.
  if (phase !== 'open') return
  releasePort(state, relay)
  state.commands.push({ type: 'closeRelay', relay })
}

function setRelay(allocation: Allocation, family: Family, relay: Relay | undefined): void {
  if (family === 4) allocation.ipv4 = relay
  else allocation.ipv6 = relay
}
