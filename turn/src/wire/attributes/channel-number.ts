import { readUint16, writeUint16 } from '../bytes.ts'
import type { Attribute } from './attribute.ts'

export const CHANNEL_NUMBER = 0x000c

/** Encodes CHANNEL-NUMBER: 2 bytes and 2 reserved ones. RFC 8656 §18.1. */
export function channelNumber(channel: number): Attribute {
  const value = new Uint8Array(4)
  writeUint16(value, 0, channel)
  return { type: CHANNEL_NUMBER, value }
}

/** Decodes CHANNEL-NUMBER, in or out of range; `undefined` unless the value has 4 bytes. */
export function readChannelNumber(value: Uint8Array): number | undefined {
  return value.length === 4 ? readUint16(value, 0) : undefined
}
