/**
 * STUN messages as bytes, written from the RFCs alone. It shares nothing with `src/wire`, so that a
 * mistake there cannot hide behind the same mistake here.
 *
 * @module
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const COOKIE = 0x2112a442

export const method = {
  binding: 1,
  allocate: 3,
  refresh: 4,
  send: 6,
  data: 7,
  createPermission: 8,
  channelBind: 9,
  connect: 10,
} as const

/** The class bits of a message type, RFC 8489 §5. */
export const messageClass = {
  request: 0x000,
  indication: 0x010,
  success: 0x100,
  error: 0x110,
} as const

export const attr = {
  mappedAddress: 0x0001,
  changeRequest: 0x0003,
  username: 0x0006,
  integrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  evenPort: 0x0018,
  requestedTransport: 0x0019,
  dontFragment: 0x001a,
  integritySha256: 0x001c,
  passwordAlgorithm: 0x001d,
  userHash: 0x001e,
  xorMappedAddress: 0x0020,
  reservationToken: 0x0022,
  additionalAddressFamily: 0x8000,
  addressErrorCode: 0x8001,
  passwordAlgorithms: 0x8002,
  software: 0x8022,
  fingerprint: 0x8028,
  mobilityTicket: 0x8030,
} as const

/** One attribute: type and value. */
export type Attr = readonly [type: number, value: Uint8Array]

/** What a message is built from. */
export interface Draft {
  readonly type: number
  readonly id?: Buffer
  readonly attrs?: readonly Attr[]
  /** Adds MESSAGE-INTEGRITY. */
  readonly key?: Buffer | undefined
  /** Adds MESSAGE-INTEGRITY-SHA256, cut to so many bytes. */
  readonly sha256?: { readonly key: Buffer; readonly bytes?: number } | undefined
  /** Attributes after the integrity. */
  readonly after?: readonly Attr[]
  /** Adds FINGERPRINT, right or wrong. */
  readonly fingerprint?: 'right' | 'wrong'
}

/** A message as it came. */
export interface Parsed {
  readonly type: number
  readonly method: number
  readonly messageClass: number
  readonly id: Buffer
  readonly attrs: readonly Attr[]
  readonly bytes: Buffer
}

export function newId(): Buffer {
  return randomBytes(12)
}

/** Builds a message. */
export function build(draft: Draft): Buffer {
  const { type, id = newId(), attrs = [], key, sha256, after = [], fingerprint } = draft
  let body = Buffer.concat(attrs.map(encodeAttr))
  const head = (length: number) => {
    const bytes = Buffer.alloc(20)
    bytes.writeUInt16BE(type, 0)
    bytes.writeUInt16BE(length, 2)
    bytes.writeUInt32BE(COOKIE, 4)
    id.copy(bytes, 8)
    return bytes
  }
  if (key) {
    const mac = createHmac('sha1', key)
      .update(head(body.length + 24))
      .update(body)
      .digest()
    body = Buffer.concat([body, encodeAttr([attr.integrity, mac])])
  }
  if (sha256) {
    const size = sha256.bytes ?? 32
    const covered = head(body.length + 4 + size)
    const mac = createHmac('sha256', sha256.key).update(covered).update(body).digest()
    body = Buffer.concat([body, encodeAttr([attr.integritySha256, mac.subarray(0, size)])])
  }
  body = Buffer.concat([body, ...after.map(encodeAttr)])
  if (fingerprint) {
    const crc = crc32(Buffer.concat([head(body.length + 8), body])) ^ 0x5354554e
    const value = uint32((fingerprint === 'right' ? crc : ~crc) >>> 0)
    body = Buffer.concat([body, encodeAttr([attr.fingerprint, value])])
  }
  return Buffer.concat([head(body.length), body])
}

/** Parses a message; throws what is wrong with it. */
export function parse(bytes: Buffer): Parsed {
  if (bytes.length < 20) throw new Error(`a message of ${bytes.length} bytes`)
  const type = bytes.readUInt16BE(0)
  const length = bytes.readUInt16BE(2)
  if (type > 0x3fff || bytes.readUInt32BE(4) !== COOKIE) throw new Error('not STUN')
  if (length % 4 !== 0 || length + 20 !== bytes.length) throw new Error(`length ${length} is wrong`)
  const attrs: Attr[] = []
  for (let at = 20; at < bytes.length;) {
    const size = bytes.readUInt16BE(at + 2)
    if (at + 4 + size > bytes.length) throw new Error('an attribute passes the end')
    attrs.push([bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + size)])
    at += 4 + size + (-size & 3)
  }
  const method = (type & 0xf) | ((type & 0xe0) >> 1) | ((type & 0x3e00) >> 2)
  return { type, method, messageClass: type & 0x110, id: bytes.subarray(8, 20), attrs, bytes }
}

export function find(message: Parsed, type: number): Buffer | undefined {
  const found = message.attrs.find(([candidate]) => candidate === type)
  return found && Buffer.from(found[1])
}

/** The code of an error, 0 of a success. */
export function codeOf(message: Parsed): number {
  if (message.messageClass === messageClass.success) return 0
  const value = find(message, attr.errorCode)
  if (!value) throw new Error('an error without ERROR-CODE')
  return (value[2] ?? 0) * 100 + (value[3] ?? 0)
}

/** Whether MESSAGE-INTEGRITY is there and right. */
export function verifies(message: Parsed, key: Buffer, algorithm: 'sha1' | 'sha256' = 'sha1') {
  const type = algorithm === 'sha1' ? attr.integrity : attr.integritySha256
  let at = 20
  for (const [candidate, value] of message.attrs) {
    if (candidate === type) {
      const covered = Buffer.from(message.bytes.subarray(0, at))
      covered.writeUInt16BE(at - 20 + 4 + value.length, 2)
      return createHmac(algorithm, key).update(covered).digest().equals(value)
    }
    at += 4 + value.length + (-value.length & 3)
  }
  return false
}

/** The key of the long-term mechanism, RFC 8489 §9.2.2. */
export function longTermKey(algorithm: 'md5' | 'sha256', ...parts: readonly string[]): Buffer {
  return createHash(algorithm).update(parts.join(':')).digest()
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** An attribute of one number in four bytes. */
export const number32 = (type: number, value: number): Attr => [type, uint32(value)]
/** An attribute of one byte and three that are reserved. */
export const byte = (type: number, value: number): Attr => [type, Buffer.from([value, 0, 0, 0])]
export const text = (type: number, value: string): Attr => [type, Buffer.from(value)]
export const channel = (value: number): Attr => number32(attr.channelNumber, value * 0x1_0000)

/** XOR-PEER-ADDRESS and its kin. IPv6 is given as `::1` or with eight groups. */
export function xorAddress(type: number, at: { host: string; port: number }, id: Buffer): Attr {
  const address = at.host.includes(':')
    ? ipv6Bytes(at.host)
    : Buffer.from(at.host.split('.').map(Number))
  const mask = Buffer.concat([uint32(COOKIE), id])
  const head = Buffer.from([0, address.length === 4 ? 1 : 2, 0, 0])
  head.writeUInt16BE(at.port ^ (COOKIE >>> 16), 2)
  return [type, Buffer.concat([head, address.map((octet, i) => octet ^ (mask[i] ?? 0))])]
}

/** Reads an address that {@link xorAddress} wrote. */
export function readXorAddress(value: Buffer, id: Buffer): { host: string; port: number } {
  const mask = Buffer.concat([uint32(COOKIE), id])
  const octets = Buffer.from(value.subarray(4)).map((octet, i) => octet ^ (mask[i] ?? 0))
  const port = value.readUInt16BE(2) ^ (COOKIE >>> 16)
  if (value[1] === 1 && octets.length === 4) return { host: octets.join('.'), port }
  if (value[1] !== 2 || octets.length !== 16) throw new Error('not an address')
  const groups = Array.from({ length: 8 }, (_, i) => Buffer.from(octets).readUInt16BE(i * 2))
  const host = groups.map((group) => group.toString(16)).join(':')
  return { host: host === '0:0:0:0:0:0:0:1' ? '::1' : host, port }
}

/** ChannelData as a datagram carries it. */
export function channelData(number: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(4)
  head.writeUInt16BE(number, 0)
  head.writeUInt16BE(bytes.length, 2)
  return Buffer.concat([head, bytes])
}

function ipv6Bytes(host: string): Buffer {
  const [head = '', tail] = host.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const middle = Array<string>(8 - left.length - right.length).fill('0')
  return Buffer.concat(
    [...left, ...middle, ...right].map((group) => uint32(Number.parseInt(group, 16)).subarray(2)),
  )
}

function encodeAttr([type, value]: Attr): Buffer {
  const bytes = Buffer.alloc(4 + value.length + (-value.length & 3))
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(value.length, 2)
  bytes.set(value, 4)
  return bytes
}
