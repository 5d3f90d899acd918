import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { PacketType } from 'socket.io-parser'
import { expect, test } from 'vitest'
import { decodePacket, encodePacket, messagePackParser } from './message-pack.ts'
import type { SocketPacket } from './message-pack.ts'

/** What JSON can say; the packets of either parser hold nothing else. */
const jsonData = fc.array(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), { minLength: 1 })

test('what is encoded comes back as it would have in JSON', () => {
  fc.assert(
    fc.property(jsonData, fc.option(fc.nat(), { nil: undefined }), (rest, id) => {
      const data = ['request', ...rest]
      const packet: SocketPacket = {
        type: PacketType.EVENT,
        nsp: '/',
        data,
        ...(id !== undefined && { id }),
      }
      // As a key it is refused; see below.
      fc.pre(!JSON.stringify(data).includes('__proto__'))
      expect(decodePacket(encodePacket(packet))).toEqual(JSON.parse(JSON.stringify(packet)))
    }),
  )
})

test('a field without a value is left out, as in JSON', () => {
  const packet = { type: PacketType.ACK, nsp: '/', id: 7, data: [{ ok: true, data: undefined }] }
  expect(decodePacket(encodePacket(packet))).toEqual({ ...packet, data: [{ ok: true }] })
})

test.each([
  ['a header that announces 4 billion values', [0xdd, 0xff, 0xff, 0xff, 0xff]],
  ['a header that announces 4 billion pairs', [0xdf, 0xff, 0xff, 0xff, 0xff]],
  ['a string that is not there', [0xdb, 0x7f, 0xff, 0xff, 0xff, 0x61]],
  ['a long nest', Array.from({ length: 100_000 }, () => 0x91)],
  ['a long nest of pairs', Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? 0x81 : 0xa0))],
  ['an extension', [0xd4, 0x00, 0x00]],
  ['a timestamp', [0xd6, 0xff, 0x00, 0x00, 0x00, 0x00]],
  ['the byte that means nothing', [0xc1]],
  ['nothing', []],
  ['two values', [0xc0, 0xc0]],
])('%s is refused before it costs anything', (_, bytes) => {
  expect(() => decodePacket(new Uint8Array(bytes))).toThrow()
})

test.each([
  ['no packet', 7],
  ['null', null],
  ['a packet without a type', { nsp: '/', data: ['x'] }],
  ['a packet of a type that is none', { type: 9, nsp: '/', data: ['x'] }],
  ['a packet whose namespace is none', { type: 2, nsp: {}, data: ['x'] }],
  ['an event of a reserved name', { type: 2, nsp: '/', data: ['disconnect'] }],
  ['an event without a name', { type: 2, nsp: '/', data: [] }],
  ['an event that is no list', { type: 2, nsp: '/', data: { 0: 'x' } }],
  ['an id that is none', { type: 2, nsp: '/', data: ['x'], id: 'one' }],
  ['a key that would change an object', JSON.parse('{"type":0,"nsp":"/","data":{"__proto__":{}}}')],
])('%s is refused', (_, value: unknown) => {
  expect(() => decodePacket(encode(value))).toThrow()
})

test('any bytes lead to a packet or to an error, and a text to an error', () => {
  const decoder = new messagePackParser.Decoder()
  const valid = jsonData.map((rest) =>
    encodePacket({ type: PacketType.EVENT, nsp: '/', data: ['x', ...rest] }),
  )
  const broken = fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), fc.nat())
    .map(([bytes, changes, cut]) => {
      const copy = bytes.slice(0, cut % 2 === 0 ? bytes.length : cut % (bytes.length + 1))
      for (const [at, byte] of changes) copy[at % Math.max(1, copy.length)] = byte
      return copy
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), broken, fc.string()), (message) => {
      const heard: SocketPacket[] = []
      decoder.removeAllListeners()
      decoder.on('decoded', (packet) => heard.push(packet))
      let failed = false
      try {
        decoder.add(message)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        failed = true
      }
      expect(heard.length).toBe(failed ? 0 : 1)
      if (typeof message === 'string') expect(failed).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})
