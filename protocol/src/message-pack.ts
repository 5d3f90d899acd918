import { Decoder as BytesDecoder, Encoder as BytesEncoder } from '@msgpack/msgpack'
import { Decoder as PacketDecoder, isPacketValid } from 'socket.io-parser'
import type { Packet } from 'socket.io-parser'
import { walk } from './message-pack-walk.ts'

// Nothing that is sent has both `undefined` and `null`; left out, it is as in JSON.
const bytesEncoder = new BytesEncoder({ ignoreUndefined: true })
const bytesDecoder = new BytesDecoder()

/** What Socket.IO calls a packet, with its data not yet looked at. */
export type SocketPacket = Omit<Packet, 'data'> & { readonly data?: unknown }

/** One packet as a MessagePack map, as `socket.io-msgpack-parser` has it. */
export function encodePacket({
  type,
  nsp,
  data,
  id,
}: Omit<SocketPacket, 'type'> & { readonly type: number }): Uint8Array<ArrayBuffer> {
  return bytesEncoder.encode({ type, nsp, data, id })
}

/** Reads one packet. Throws on anything else; what it costs is bounded by the length of `bytes`. */
export function decodePacket(bytes: Uint8Array): SocketPacket {
  walk(bytes)
  const value = bytesDecoder.decode(bytes)
  if (typeof value !== 'object' || value === null) throw new Error('not a packet')
  // Which of the fields are there, and of which type, is checked next.
  const { type, nsp, data, id } = value as SocketPacket
  const packet: SocketPacket = {
    ...{ type, nsp },
    ...(data !== undefined && { data }),
    ...(id !== undefined && { id }),
  }
  if (!isPacketValid(packet)) throw new Error('not a packet')
  return packet
}

class Encoder {
  encode(packet: Packet): readonly Uint8Array[] {
    return [encodePacket(packet)]
  }
}

class Decoder extends PacketDecoder {
  override add(message: unknown): void {
    if (message instanceof ArrayBuffer) this.add(new Uint8Array(message))
    else if (message instanceof Uint8Array) this.emitReserved('decoded', decodePacket(message))
    else throw new Error('text where a MessagePack message was expected')
  }
}

/** The `parser` option of Socket.IO, on either side. */
export const messagePackParser = { Encoder, Decoder }

/** Where a server takes connections whose packets are MessagePack. */
export const MESSAGE_PACK_PATH = '/socket.io/msgpack'
