import type { Endpoint, Family, IpAddress, Message } from '../wire/index.ts'
import {
  CHANNEL_HEADER_BYTES,
  DATA,
  XOR_PEER_ADDRESS,
  attributeValue,
  channelPayloadLength,
  classes,
  data,
  encodeChannelData,
  encodeMessage,
  endpointKey,
  endpointOf,
  methods,
  readUint16,
  readXorAddress,
  transactionIdOf,
  xorAddress,
} from '../wire/index.ts'
import type { Allocation, Relay } from './allocation.ts'
import { hasPermission, notePeer, relayOf } from './allocation.ts'
import type { DropReason } from './counters.ts'
import type { Relayed, RelayedDraft, ServerState } from './server-state.ts'
import { unknownAttributesOf } from './understood.ts'

/** Relays ChannelData from a client. The packet path: no closures, no copies. RFC 8656 §12.6. */
export function relayChannelData(
  state: ServerState,
  allocation: Allocation,
  bytes: Uint8Array,
  now: number,
): Relayed | undefined {
  const length = channelPayloadLength(bytes)
  if (length < 0) return drop(state, 'badChannelData')
  const channel = allocation.channels.get(readUint16(bytes, 0))
  if (!channel || channel.expiresAt <= now) return drop(state, 'noChannel')
  setPayload(state, CHANNEL_HEADER_BYTES, length)
  return relayToPeer(state, allocation, channel.peer, now)
}

/** Relays a Send indication. RFC 8656 §11.2: nothing in it is ever answered. */
export function relaySendIndication(
  state: ServerState,
  allocation: Allocation,
  message: Message,
  now: number,
): Relayed | undefined {
  const payload = attributeValue(message, DATA)
  const peerValue = attributeValue(message, XOR_PEER_ADDRESS)
  const peer = peerValue && readXorAddress(peerValue, transactionIdOf(message))
  if (!payload || !peer || peer.port === 0 || unknownAttributesOf(message)) {
    return drop(state, 'badMessage')
  }
  if (!hasPermission(allocation, peer.address, now)) return drop(state, 'noPermission')
  const max = state.config.limits.peersPerMinute
  if (!notePeer(allocation, peer, { max, now })) return drop(state, 'scan')
  setPayload(state, payload.byteOffset - message.bytes.byteOffset, payload.length)
  return relayToPeer(state, allocation, peer, now)
}

/**
 * Relays the payload that {@link setPayload} placed, from a peer to the client of a relay. RFC 8656
 * §11.3, §12.7.
 */
export function relayToClient(
  state: ServerState,
  relay: Relay,
  from: Pick<Endpoint, 'address' | 'port'>,
  now: number,
): Relayed | undefined {
  const { allocation } = relay
  if (allocation.phase !== 'open' || relay.expiresAt <= now) return drop(state, 'noAllocation')
  if (!hasPermission(allocation, from.address, now)) return drop(state, 'noPermission')
  const bound = allocation.channelsByPeer.get(endpointKey(from.address, from.port))
  const channel = bound && bound.expiresAt > now ? bound : undefined
  const { relayed } = state
  const { commons } = state.config
  if (!commons.takeBytes(allocation.userHash, relayed.length, now)) return drop(state, 'bandwidth')
  commons.counters.countToClient(relayed.length)
  allocation.bytesToClient += relayed.length
  relayed.to = 'client'
  relayed.allocation = allocation
  relayed.relay = relay
  relayed.peer = channel?.peer ?? endpointOf(from.address, from.port)
  relayed.channel = channel?.number ?? 0
  return complete(relayed)
}

/**
 * The address that a datagram came from, as clients know it: a relay of another worker sends from
 * where it is bound, which behind a NAT is not where it is announced.
 */
export function announcedSource(
  { config }: ServerState,
  address: IpAddress,
  port: number,
): IpAddress {
  const family = typeof address === 'number' ? 4 : 6
  const announced = config.announced[family]
  const isRelay =
    address === config.bound[family] &&
    address !== announced &&
    config.commons.ports.isHeld(family, port)
  return isRelay && announced !== undefined ? announced : address
}

/** Says where the payload lies in the bytes that came in. */
export function setPayload(state: ServerState, offset: number, length: number): void {
  state.relayed.offset = offset
  state.relayed.length = length
}

/** The bytes that carry a relayed payload to its client. RFC 8656 §11.3, §12.5. */
export function frameForClient(
  { allocation, channel, peer }: Relayed,
  payload: Uint8Array,
  random: (byteCount: number) => Uint8Array,
): Uint8Array {
  if (channel !== 0) {
    return encodeChannelData(channel, payload, { padded: allocation.client.transport !== 'udp' })
  }
  const transactionId = random(12)
  return encodeMessage({
    method: methods.data,
    messageClass: classes.indication,
    transactionId,
    attributes: [xorAddress(XOR_PEER_ADDRESS, peer, transactionId), data(payload)],
  })
}

/** Permission and policy are checked for every datagram: either may have changed since the bind. */
function relayToPeer(
  state: ServerState,
  allocation: Allocation,
  peer: Endpoint,
  now: number,
): Relayed | undefined {
  const { config, table, relayed } = state
  if (!hasPermission(allocation, peer.address, now)) return drop(state, 'noPermission')
  const family = typeof peer.address === 'number' ? 4 : 6
  const relay = relayOf(allocation, family)
  if (relay?.phase !== 'open' || relay.expiresAt <= now) return drop(state, 'noAllocation')
  const { policy, commons } = config
  let target = peer
  if (policy.isRelayAddress(peer.address) && commons.ports.isHeld(family, peer.port)) {
    if (!commons.takeBytes(allocation.userHash, relayed.length, now)) {
      return drop(state, 'bandwidth')
    }
    const other = table.byRelay(family, peer.port)
    if (other) {
      countToPeer(state, allocation)
      return relayToClient(state, other, relay.relayed, now)
    }
    target = boundTarget(state, family, peer)
  } else {
    const verdict = policy.sendVerdict(peer.address, peer.port)
    if (!verdict.ok) {
      state.commands.push({ type: 'reportRefusal', cause: verdict.cause, rule: verdict.rule })
      return drop(state, 'peerRefused')
    }
    if (!commons.takeBytes(allocation.userHash, relayed.length, now)) {
      return drop(state, 'bandwidth')
    }
  }
  countToPeer(state, allocation)
  relayed.to = 'peer'
  relayed.allocation = allocation
  relayed.relay = relay
  relayed.peer = target
  relayed.channel = 0
  return complete(relayed)
}

/** Where a relay of another worker hears us: no NAT leads from this machine back to it. */
function boundTarget({ config }: ServerState, family: Family, peer: Endpoint): Endpoint {
  const bound = config.bound[family]
  return bound === undefined || bound === peer.address ? peer : endpointOf(bound, peer.port)
}

function complete(draft: RelayedDraft): Relayed {
  // Both callers have just set every field that the draft may lack.
  return draft as Relayed
}

function countToPeer({ config, relayed }: ServerState, allocation: Allocation): void {
  config.commons.counters.countToPeer(relayed.length)
  allocation.bytesToPeer += relayed.length
}

function drop(state: ServerState, reason: DropReason): Relayed | undefined {
  state.config.commons.counters.countDrop(reason)
  return undefined
}
