import type { Attribute } from './attributes/attribute.ts'
import { paddedLength, readUint16, readUint32, writeUint16, writeUint32 } from './bytes.ts'
import {
  FINGERPRINT,
  FINGERPRINT_ATTRIBUTE_BYTES,
  MESSAGE_INTEGRITY,
  MESSAGE_INTEGRITY_SHA256,
  fingerprint,
  hasGoodFingerprint,
  integrityAttributeBytes,
  messageIntegrity,
} from './integrity.ts'
import type { IntegrityHash } from './integrity.ts'

export const MAGIC_COOKIE = 0x2112a442
export const HEADER_BYTES = 20
export const TRANSACTION_ID_BYTES = 12

const ATTRIBUTE_HEADER_BYTES = 4
/** Attributes of one message. More is no message that STUN or TURN defines. */
const MAX_ATTRIBUTES = 256

/** STUN methods, RFC 8489 §18.2 and RFC 8656 §17. */
export const methods = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const

/** STUN classes, RFC 8489 §5. */
export const classes = { request: 0, indication: 1, success: 2, error: 3 } as const

/**
 * A decoded message. `bytes` is the caller's buffer, not a copy; attribute values are views of it.
 */
export interface Message {
  readonly method: number
  readonly messageClass: number
  readonly bytes: Uint8Array
  /** Those that count: none that follows an integrity attribute or FINGERPRINT. */
  readonly attributes: readonly Attribute[]
  /** Where MESSAGE-INTEGRITY starts. */
  readonly integrityOffset: number | undefined
  /** Where MESSAGE-INTEGRITY-SHA256 starts, of whatever length. */
  readonly sha256IntegrityOffset: number | undefined
}

/** Why bytes are not a message. */
export type DecodeReason =
  | 'tooShort'
  | 'notStun'
  | 'badLength'
  | 'badCookie'
  | 'badAttribute'
  | 'tooManyAttributes'
  | 'badFingerprint'

/** Bytes that are not a message, and where that shows. */
export interface DecodeError {
  readonly ok: false
  readonly reason: DecodeReason
  readonly offset: number
}

export type DecodeResult = { readonly ok: true; readonly message: Message } | DecodeError

/** What {@link encodeMessage} writes; `integrityKey` adds the integrity attribute of its hash. */
export interface MessageParts {
  readonly method: number
  readonly messageClass: number
  /** 12 bytes. */
  readonly transactionId: Uint8Array
  readonly attributes: readonly Attribute[]
  readonly integrityKey?: Uint8Array | undefined
  /** `sha1` unless given. */
  readonly integrityHash?: IntegrityHash | undefined
  readonly withFingerprint?: boolean
}

/**
 * Decodes a STUN message that fills `bytes` exactly. RFC 8489 §5, §6.3. A wrong FINGERPRINT is an
 * error (§7.3); integrity attributes are located, not verified.
 */
export function decodeMessage(bytes: Uint8Array): DecodeResult {
  if (bytes.length < HEADER_BYTES) return failure('tooShort', bytes.length)
  const type = readUint16(bytes, 0)
  if (type >= 0x4000) return failure('notStun', 0)
  const length = readUint16(bytes, 2)
  if (length % 4 !== 0 || length !== bytes.length - HEADER_BYTES) return failure('badLength', 2)
  if (readUint32(bytes, 4) !== MAGIC_COOKIE) return failure('badCookie', 4)

  const attributes: Attribute[] = []
  let integrityOffset: number | undefined
  let sha256IntegrityOffset: number | undefined
  let offset = HEADER_BYTES
  while (offset < bytes.length) {
    const attributeType = readUint16(bytes, offset)
    const valueLength = readUint16(bytes, offset + 2)
    const start = offset + ATTRIBUTE_HEADER_BYTES
    const next = start + paddedLength(valueLength)
    if (next > bytes.length) return failure('badAttribute', offset)
    if (attributeType === FINGERPRINT) {
      const good = valueLength === 4 && hasGoodFingerprint(bytes, offset)
      if (!good) return failure('badFingerprint', offset)
      break
    }
    const counts = integrityOffset === undefined && sha256IntegrityOffset === undefined
    if (attributeType === MESSAGE_INTEGRITY_SHA256) {
      sha256IntegrityOffset ??= offset
    } else if (counts && attributeType === MESSAGE_INTEGRITY) {
      if (next - offset !== integrityAttributeBytes.sha1) return failure('badAttribute', offset)
      integrityOffset = offset
    } else if (counts) {
      if (attributes.length === MAX_ATTRIBUTES) return failure('tooManyAttributes', offset)
      attributes.push({ type: attributeType, value: bytes.subarray(start, start + valueLength) })
    }
    offset = next
  }
  const message = {
    method: methodOf(type),
    messageClass: classOf(type),
    bytes,
    attributes,
    integrityOffset,
    sha256IntegrityOffset,
  }
  return { ok: true, message }
}

/** Encodes a message, with zero padding. RFC 8489 §5, §14. */
export function encodeMessage(parts: MessageParts): Uint8Array {
  let size = HEADER_BYTES
  for (const { value } of parts.attributes) {
    size += ATTRIBUTE_HEADER_BYTES + paddedLength(value.length)
  }
  const integrityOffset = size
  const { integrityKey, integrityHash = 'sha1' } = parts
  if (integrityKey) size += integrityAttributeBytes[integrityHash]
  const fingerprintOffset = size
  if (parts.withFingerprint) size += FINGERPRINT_ATTRIBUTE_BYTES

  const bytes = new Uint8Array(size)
  writeHeader(bytes, parts)
  let offset = HEADER_BYTES
  for (const { type, value } of parts.attributes) {
    writeAttributeHeader(bytes, offset, type, value.length)
    bytes.set(value, offset + ATTRIBUTE_HEADER_BYTES)
    offset += ATTRIBUTE_HEADER_BYTES + paddedLength(value.length)
  }
  if (integrityKey) {
    const mac = messageIntegrity(bytes, integrityOffset, integrityKey, integrityHash)
    const type = integrityHash === 'sha1' ? MESSAGE_INTEGRITY : MESSAGE_INTEGRITY_SHA256
    writeAttributeHeader(bytes, integrityOffset, type, mac.length)
    bytes.set(mac, integrityOffset + ATTRIBUTE_HEADER_BYTES)
  }
  if (parts.withFingerprint) {
    writeAttributeHeader(bytes, fingerprintOffset, FINGERPRINT, 4)
    const start = fingerprintOffset + ATTRIBUTE_HEADER_BYTES
    writeUint32(bytes, start, fingerprint(bytes, fingerprintOffset))
  }
  return bytes
}

/** The value of the first attribute of this type; later ones are ignored (RFC 8489 §14). */
export function attributeValue(message: Message, type: number): Uint8Array | undefined {
  for (const attribute of message.attributes) {
    if (attribute.type === type) return attribute.value
  }
  return undefined
}

/** A view of the 12 bytes that pair a response with its request. */
export function transactionIdOf(message: Message): Uint8Array {
  return message.bytes.subarray(8, HEADER_BYTES)
}

/** Whether a receiver that does not know the type must refuse the message. RFC 8489 §14. */
export function isComprehensionRequired(attributeType: number): boolean {
  return attributeType < 0x8000
}

/** The 14-bit message type: class bits lie between the method's. RFC 8489 §5, figure 3. */
export function messageType(method: number, messageClass: number): number {
  return (
    (method & 0x00f) |
    ((method & 0x070) << 1) |
    ((method & 0xf80) << 2) |
    ((messageClass & 1) << 4) |
    ((messageClass & 2) << 7)
  )
}

function methodOf(type: number): number {
  return (type & 0x000f) | ((type & 0x00e0) >>> 1) | ((type & 0x3e00) >>> 2)
}

function classOf(type: number): number {
  return ((type & 0x0010) >>> 4) | ((type & 0x0100) >>> 7)
}

function writeHeader(bytes: Uint8Array, parts: MessageParts): void {
  writeUint16(bytes, 0, messageType(parts.method, parts.messageClass))
  writeUint16(bytes, 2, bytes.length - HEADER_BYTES)
  writeUint32(bytes, 4, MAGIC_COOKIE)
  bytes.set(parts.transactionId, 8)
}

function writeAttributeHeader(
  bytes: Uint8Array,
  offset: number,
  type: number,
  length: number,
): void {
  writeUint16(bytes, offset, type)
  writeUint16(bytes, offset + 2, length)
}

function failure(reason: DecodeReason, offset: number): DecodeError {
  return { ok: false, reason, offset }
}
