import { clientRequests } from '@parley/protocol'
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import type { WireFormat } from '../bench/light-client.ts'

/** What a hostile client sends: text or bytes of one WebSocket message. */
export type HostileMessage = string | Uint8Array<ArrayBuffer>

/** Ids and names that exist, that did, and that never will. */
const word = fc.oneof(
  fc.constantFrom('mallory', 'honest-a', 'honest-b', 'c1', 'c2', 'live', 'room', '__proto__', ''),
  fc.string({ maxLength: 80 }),
)
const media = fc.record({ audio: fc.boolean(), video: fc.boolean() })
const sending = fc.record({ microphone: fc.boolean(), camera: fc.boolean(), screen: fc.boolean() })

/** Values of the right kind for the fields of requests, so that many get past the schemas. */
const fields = {
  call: word,
  into: word,
  to: word,
  user: word,
  users: fc.array(word, { maxLength: 4 }),
  room: word,
  device: word,
  participant: word,
  replaces: word,
  producer: word,
  consumer: word,
  transport: word,
  token: word,
  media,
  sending,
  epoch: fc.integer({ min: -1, max: 3 }),
  on: fc.boolean(),
  paused: fc.boolean(),
  topology: fc.constantFrom('auto', 'sfu', 'star'),
  callWaiting: fc.constantFrom('ring', 'busy'),
  source: fc.constantFrom('microphone', 'camera', 'screen', 'x'),
  rtpParameters: fc.object({ maxDepth: 2 }),
  rtpCapabilities: fc.object({ maxDepth: 2 }),
  dtlsParameters: fc.object({ maxDepth: 2 }),
  views: fc.array(
    fc.record({
      consumer: word,
      width: fc.integer(),
      height: fc.integer(),
      visible: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
  signal: fc.oneof(
    fc.record({ candidate: fc.constant(null) }),
    fc.record({
      description: fc.record({ type: fc.constantFrom('offer', 'answer'), sdp: fc.string() }),
      sources: fc.dictionary(fc.string({ maxLength: 3 }), fc.constantFrom('microphone', 'x')),
      round: fc.integer({ min: 0, max: 9 }),
    }),
  ),
}

const type = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...Object.keys(clientRequests)) },
  { weight: 1, arbitrary: fc.constantFrom('toString', '__proto__', 'constructor', '') },
)
/** Few, so that many are repeats. */
const requestId = fc.oneof(fc.nat(50).map(String), fc.string({ maxLength: 70 }))

const request = fc.oneof(
  { weight: 8, arbitrary: fc.record({ id: requestId, type, data: fc.record(fields) }) },
  {
    weight: 2,
    arbitrary: fc.record({ id: requestId, type, data: fc.record(fields, { requiredKeys: [] }) }),
  },
  { weight: 1, arbitrary: fc.anything({ maxDepth: 3 }) },
)

const event = fc.tuple(
  fc.constantFrom('request', 'request', 'request', 'event', 'disconnecting', 'x'),
  request,
)
const acknowledgement = fc.nat(1_000)

const framedText = fc
  .tuple(event, acknowledgement)
  .map(([data, ack]) => `42${ack}${json(data).slice(0, 100_000)}`)
const framedBytes = fc
  .tuple(event, acknowledgement)
  .map(([data, id]) => bytesOf({ type: 2, nsp: '/', data, id }))

/** What no client library would send; the connection may end by it. */
const brokenText = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ maxLength: 60 }).map((text) => `4${text}`),
  fc.string({ maxLength: 60 }).map((text) => `42["request",${text}`),
  fc.constantFrom(
    '40',
    '41',
    '44{}',
    '431[]',
    '45',
    '451-["request",{"_placeholder":true,"num":0}]',
  ),
  fc.constantFrom('42[]', '42[null]', '42["request"]', '42{"a":1}', '429999999999999999[1]'),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
)

/** The same for MessagePack: packets that are none, packets with bytes changed or cut off, and bytes. */
const brokenBytes = fc.oneof(
  fc.anything({ maxDepth: 3 }).map(bytesOf),
  fc
    .record({ type: fc.integer(), nsp: fc.anything(), data: fc.anything(), id: fc.anything() })
    .map(bytesOf),
  fc.tuple(framedBytes, fc.nat(), fc.nat(255), fc.nat()).map(([bytes, at, byte, cut]) => {
    bytes[at % bytes.length] = byte
    return bytes.slice(0, 1 + (cut % bytes.length))
  }),
  fc.nat(100_000).map((depth) => new Uint8Array(depth + 1).fill(0x91)),
  fc.constantFrom(
    Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff),
  ),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
  fc.string({ maxLength: 60 }),
)

/** Whether a message may end its connection by its shape alone. */
export interface HostileStep {
  readonly message: HostileMessage
  readonly isBroken: boolean
}

/** `count` messages; the same for the same seed. */
export function hostileSteps(
  seed: number,
  count: number,
  format: WireFormat,
): readonly HostileStep[] {
  const [framed, broken] = format === 'json' ? [framedText, brokenText] : [framedBytes, brokenBytes]
  const step = fc.oneof(
    { weight: 30, arbitrary: sent(framed, false) },
    { weight: 1, arbitrary: sent(broken, true) },
  )
  return fc.sample(step, { seed, numRuns: count })
}

function sent(
  messages: fc.Arbitrary<HostileMessage>,
  isBroken: boolean,
): fc.Arbitrary<HostileStep> {
  return messages.map((message) => ({ message, isBroken }))
}

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  const [plain] = JSON.parse(json([value])) as readonly unknown[]
  return encode(plain)
}

/** JSON has no place for some values; they are sent as nothing. */
function json(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' || typeof part === 'symbol' ? String(part) : part,
  )
}
