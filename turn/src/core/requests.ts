import type { Endpoint, IpAddress, Message } from '../wire/index.ts'
import {
  CHANNEL_NUMBER,
  LIFETIME,
  REQUESTED_ADDRESS_FAMILY,
  XOR_PEER_ADDRESS,
  attributeValue,
  familyOf,
  isChannelNumber,
  lifetime,
  readChannelNumber,
  readLifetime,
  readRequestedAddressFamily,
  readXorAddress,
  transactionIdOf,
} from '../wire/index.ts'
import { endAllocation, endRelay } from './allocate.ts'
import type { Allocation } from './allocation.ts'
import {
  bindChannel,
  dropExpired,
  grantPermission,
  grantedLifetimeS,
  newPermissions,
  relayOf,
  relaysOf,
} from './allocation.ts'
import type { PeerVerdict } from './peer-policy.ts'
import type { Reply } from './replies.ts'
import type { ServerState } from './server-state.ts'
import { stunErrors } from './stun-errors.ts'

const badRequest: Reply = { ok: false, error: stunErrors.badRequest }
const forbidden: Reply = { ok: false, error: stunErrors.forbidden }
const familyMismatch: Reply = { ok: false, error: stunErrors.familyMismatch }
const insufficientCapacity: Reply = { ok: false, error: stunErrors.insufficientCapacity }
const success: Reply = { ok: true, attributes: [] }

/**
 * Serves Refresh: a new lifetime, or none, which ends the allocation; of a dual allocation, the family
 * that is named, or both. RFC 8656 §8.1, §8.2.
 */
export function refresh(
  state: ServerState,
  allocation: Allocation,
  message: Message,
  now: number,
): Reply {
  const familyValue = attributeValue(message, REQUESTED_ADDRESS_FAMILY)
  const family = familyValue && readRequestedAddressFamily(familyValue)
  if (familyValue && family === undefined) return badRequest
  const named = family && family !== 'unknown' ? relayOf(allocation, family) : undefined
  if (familyValue && !named) return familyMismatch
  const lifetimeValue = attributeValue(message, LIFETIME)
  const requestedS = lifetimeValue && readLifetime(lifetimeValue)
  if (lifetimeValue && requestedS === undefined) return badRequest
  if (requestedS === 0) {
    if (named) endRelay(state, named, 'released')
    else endAllocation(state, allocation, 'released')
    return { ok: true, attributes: [lifetime(0)] }
  }
  const grantedS = grantedLifetimeS(requestedS)
  for (const relay of named ? [named] : relaysOf(allocation)) {
    relay.expiresAt = now + grantedS * 1000
  }
  return { ok: true, attributes: [lifetime(grantedS)] }
}

/** Serves CreatePermission: every address in it, or none. RFC 8656 §10.2. */
export function createPermission(
  state: ServerState,
  allocation: Allocation,
  message: Message,
  now: number,
): Reply {
  const addresses = new Set<IpAddress>()
  const transactionId = transactionIdOf(message)
  for (const { type, value } of message.attributes) {
    if (type !== XOR_PEER_ADDRESS) continue
    const peer = readXorAddress(value, transactionId)
    if (!peer) return badRequest
    addresses.add(peer.address)
  }
  if (addresses.size === 0) return badRequest
  for (const address of addresses) {
    if (!relayOf(allocation, familyOf(address))) return familyMismatch
  }
  for (const address of addresses) {
    if (isRefused(state, state.config.policy.permissionVerdict(address))) return forbidden
  }
  if (!hasRoomFor(state, allocation, addresses, now)) return insufficientCapacity
  for (const address of addresses) grantPermission(allocation, address, now)
  return success
}

/** Serves ChannelBind, which also grants the permission. RFC 8656 §12.2. */
export function channelBind(
  state: ServerState,
  allocation: Allocation,
  message: Message,
  now: number,
): Reply {
  const numberValue = attributeValue(message, CHANNEL_NUMBER)
  const number = numberValue && readChannelNumber(numberValue)
  const peer = readPeer(message)
  if (number === undefined || !isChannelNumber(number)) return badRequest
  if (!peer || peer.port === 0) return badRequest
  if (!relayOf(allocation, familyOf(peer.address))) return familyMismatch
  const verdict = state.config.policy.bindVerdict(peer.address, peer.port)
  if (isRefused(state, verdict)) return forbidden
  if (!hasRoomFor(state, allocation, new Set([peer.address]), now)) return insufficientCapacity
  const maxChannels = state.config.limits.channelsPerAllocation
  switch (bindChannel(allocation, { number, peer, maxChannels }, now)) {
    case 'conflict':
      return badRequest
    case 'full':
      return insufficientCapacity
    case 'bound':
      grantPermission(allocation, peer.address, now)
      return success
  }
}

function readPeer(message: Message): Endpoint | undefined {
  const value = attributeValue(message, XOR_PEER_ADDRESS)
  return value && readXorAddress(value, transactionIdOf(message))
}

function isRefused(state: ServerState, verdict: PeerVerdict): boolean {
  if (verdict.ok) return false
  state.commands.push({ type: 'reportRefusal', cause: verdict.cause, rule: verdict.rule })
  return true
}

function hasRoomFor(
  state: ServerState,
  allocation: Allocation,
  addresses: ReadonlySet<IpAddress>,
  now: number,
): boolean {
  const max = state.config.limits.permissionsPerAllocation
  if (allocation.permissions.size + newPermissions(allocation, addresses) <= max) return true
  dropExpired(allocation, now)
  return allocation.permissions.size + newPermissions(allocation, addresses) <= max
}
