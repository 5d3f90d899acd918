import { CHANNEL_HEADER_BYTES, writeUint16 } from '../wire/index.ts'
import type { Relayed } from './server-state.ts'

/**
 * ChannelData for a datagram client, made around the payload where it lies, without a copy.
 * `bytes` are those that came in, and at least {@link CHANNEL_HEADER_BYTES} before the payload must be
 * free to be overwritten. `undefined` when the client gets another kind of frame. RFC 8656 §12.5.
 */
export function frameInPlace(relayed: Relayed, bytes: Uint8Array): Uint8Array | undefined {
  const { channel, length, allocation } = relayed
  if (channel === 0 || allocation.client.transport !== 'udp') return undefined
  const start = bytes.byteOffset + relayed.offset - CHANNEL_HEADER_BYTES
  const frame = new Uint8Array(bytes.buffer, start, CHANNEL_HEADER_BYTES + length)
  writeUint16(frame, 0, channel)
  writeUint16(frame, 2, length)
  return frame
}
