/** Why a packet came to nothing. */
export type DropReason =
  | 'notStun'
  | 'badMessage'
  | 'unexpectedMessage'
  | 'badChannelData'
  | 'noAllocation'
  | 'noChannel'
  | 'noPermission'
  | 'peerRefused'
  | 'replyLimit'
  | 'backlog'
  | 'sendFailed'

/**
 * Running totals of one core. Plain numbers that a packet raises; the shell reads them once a second.
 */
export interface Counters {
  packetsToPeer: number
  bytesToPeer: number
  packetsToClient: number
  bytesToClient: number
  /** Key: method × 1000 + error code, 0 for success. */
  readonly responses: Map<number, number>
  readonly drops: Map<DropReason, number>
}

export function newCounters(): Counters {
  return {
    packetsToPeer: 0,
    bytesToPeer: 0,
    packetsToClient: 0,
    bytesToClient: 0,
    responses: new Map(),
    drops: new Map(),
  }
}

export function countDrop(counters: Counters, reason: DropReason): void {
  counters.drops.set(reason, (counters.drops.get(reason) ?? 0) + 1)
}

export function countResponse(counters: Counters, method: number, code: number): void {
  const key = method * 1000 + code
  counters.responses.set(key, (counters.responses.get(key) ?? 0) + 1)
}
