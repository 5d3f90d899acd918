import type { TrackSource } from '@parley/protocol'

/** What a key id says of a frame: whose, of which stream, and of which epoch. */
export interface KeyId {
  /** Counts the starts of the sender's worker within the epoch: each has counters of its own. */
  readonly incarnation: number
  readonly source: TrackSource
  /** The sender's leaf in the epoch's tree. */
  readonly leaf: number
  /** The low eight bits of the epoch. */
  readonly epochByte: number
}

/** Their place is their number on the wire. */
const sources: readonly TrackSource[] = ['microphone', 'camera', 'screen', 'screen-audio']

/** Leaves that a key id can tell apart. */
export const MAX_LEAF = 0xff

/** So that a key id stays an exact number in JavaScript. */
export const MAX_INCARNATION = 0xffff_ffff

/** The number of a source in key ids and in what is authenticated. */
export function sourceNumber(source: TrackSource): number {
  return sources.indexOf(source)
}

/** `incarnation << 20 | source << 16 | leaf << 8 | epoch`: RFC 9605 §5.2 with E = 8 and S = 8. */
export function encodeKeyId({ incarnation, source, leaf, epochByte }: KeyId): bigint {
  const low = (sourceNumber(source) << 16) | (leaf << 8) | epochByte
  return (BigInt(incarnation) << 20n) | BigInt(low)
}

/** Undefined where it is not one of ours. */
export function decodeKeyId(kid: bigint): KeyId | undefined {
  const low = Number(kid & 0xf_ffffn)
  const incarnation = kid >> 20n
  const source = sources[low >> 16]
  if (source === undefined || incarnation > BigInt(MAX_INCARNATION)) return undefined
  return {
    incarnation: Number(incarnation),
    source,
    leaf: (low >> 8) & 0xff,
    epochByte: low & 0xff,
  }
}

/** The part of an epoch that key ids carry. */
export function epochByteOf(epoch: bigint): number {
  return Number(epoch & 0xffn)
}
