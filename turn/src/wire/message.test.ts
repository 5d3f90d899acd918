import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  attributeValue,
  classes,
  decodeMessage,
  encodeMessage,
  messageType,
  methods,
  transactionIdOf,
} from './message.ts'
import { MESSAGE_INTEGRITY, isIntact } from './integrity.ts'
import { writeUint16 } from './bytes.ts'

const key = Buffer.from('key')
const attribute = fc.record({
  type: fc
    .integer({ min: 0, max: 0xffff })
    .filter((type) => type !== MESSAGE_INTEGRITY && type !== 0x8028),
  value: fc.uint8Array({ maxLength: 40 }),
})
const parts = fc.record({
  method: fc.integer({ min: 0, max: 0xfff }),
  messageClass: fc.integer({ min: 0, max: 3 }),
  transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  attributes: fc.array(attribute, { maxLength: 8 }),
})

describe('decodeMessage', () => {
  test('gives back what encodeMessage was given', () => {
    fc.assert(
      fc.property(parts, fc.boolean(), fc.boolean(), (given, isSigned, withFingerprint) => {
        const integrityKey = isSigned ? key : undefined
        const bytes = encodeMessage({ ...given, integrityKey, withFingerprint })
        const decoded = decodeMessage(bytes)
        if (!decoded.ok) throw new Error(decoded.reason)
        const { message } = decoded
        expect({ ...message, transactionId: transactionIdOf(message) }).toMatchObject(given)
        expect(message.integrityOffset !== undefined).toBe(isSigned)
        if (message.integrityOffset !== undefined) {
          expect(isIntact(bytes, message.integrityOffset, key)).toBe(true)
        }
      }),
    )
  })

  test('pads with zeros', () => {
    const bytes = encode([{ type: 0x8022, value: Buffer.from('abcde') }])
    expect([...bytes.subarray(-3)]).toEqual([0, 0, 0])
    expect(bytes.length % 4).toBe(0)
  })

  test.each([
    ['19 bytes', (b: Buffer) => b.subarray(0, 19), 'tooShort'],
    ['the first two bits set', (b: Buffer) => set(b, 0, 0x80), 'notStun'],
    ['another cookie', (b: Buffer) => set(b, 4, 0x22), 'badCookie'],
    ['a length that is no multiple of four', (b: Buffer) => set(b, 3, 9), 'badLength'],
    ['a length beyond the datagram', (b: Buffer) => set(b, 3, 12), 'badLength'],
    ['bytes after the message', (b: Buffer) => Buffer.concat([b, b]), 'badLength'],
    ['an attribute beyond the message', (b: Buffer) => set(b, 23, 5), 'badAttribute'],
  ])('refuses %s', (_name, change, reason) => {
    const good = encode([{ type: 0x8022, value: Buffer.from('abcd') }])
    expect(decodeMessage(change(good))).toMatchObject({ ok: false, reason })
  })

  test('refuses a MESSAGE-INTEGRITY of another size', () => {
    const bytes = encode([{ type: MESSAGE_INTEGRITY, value: new Uint8Array(16) }])
    expect(decodeMessage(bytes)).toMatchObject({ ok: false, reason: 'badAttribute' })
  })

  test('refuses more attributes than any message needs', () => {
    const many = Array.from({ length: 257 }, () => ({ type: 0x8022, value: new Uint8Array() }))
    expect(decodeMessage(encode(many))).toMatchObject({ ok: false, reason: 'tooManyAttributes' })
  })

  test('leaves out attributes that follow MESSAGE-INTEGRITY', () => {
    const signed = encodeMessage({
      method: methods.refresh,
      messageClass: classes.request,
      transactionId: new Uint8Array(12),
      attributes: [],
      integrityKey: key,
    })
    const trailer = Buffer.from('000d000400000e10', 'hex')
    const longer = Buffer.concat([signed, trailer])
    writeUint16(longer, 2, longer.length - 20)
    const decoded = decodeMessage(longer)
    if (!decoded.ok) throw new Error(decoded.reason)
    expect(decoded.message.attributes).toEqual([])
    expect(isIntact(longer, decoded.message.integrityOffset ?? 0, key)).toBe(true)
  })

  test('finds the first of several attributes of a type', () => {
    const decoded = decodeMessage(
      encode([
        { type: 0x8022, value: Buffer.from('one') },
        { type: 0x8022, value: Buffer.from('two') },
      ]),
    )
    if (!decoded.ok) throw new Error(decoded.reason)
    expect(Buffer.from(attributeValue(decoded.message, 0x8022) ?? []).toString()).toBe('one')
    expect(attributeValue(decoded.message, 0x0001)).toBeUndefined()
  })

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeMessage(bytes)
      }),
      { numRuns: 2_000 },
    )
  })
})

test.each([
  [methods.binding, classes.success, 0x0101],
  [methods.allocate, classes.error, 0x0113],
  [methods.send, classes.indication, 0x0016],
  [methods.data, classes.indication, 0x0017],
  [methods.channelBind, classes.request, 0x0009],
])('method %i of class %i has the registered type', (method, messageClass, type) => {
  expect(messageType(method, messageClass)).toBe(type)
})

function encode(attributes: readonly { type: number; value: Uint8Array }[]): Buffer {
  const transactionId = new Uint8Array(12)
  return Buffer.from(
    encodeMessage({
      method: methods.binding,
      messageClass: classes.request,
      transactionId,
      attributes,
    }),
  )
}

function set(bytes: Buffer, offset: number, value: number): Buffer {
  bytes[offset] = value
  return bytes
}
