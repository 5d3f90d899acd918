import type { AnswerFrame, ClientRequestType, ServerEvent, ServerEventType } from '@parley/protocol'

/**
 * Narrow checks of what the server sends: enough that nothing the SDK touches is missing or of
 * another type. The server's schemas stay out of the bundle: they weigh more than the SDK.
 */
type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const flag: Check = (value) => typeof value === 'boolean'
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const integer: Check = (value) => Number.isInteger(value)
const object: Check = isRecord
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([key, check]) => check(value[key]))
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value))
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value)

const kind = oneOf('audio', 'video')
const source = oneOf('microphone', 'camera', 'screen', 'screen-audio')
const media = shape({ audio: flag, video: flag })
const path = oneOf('p2p', 'sfu')

const offer = optional(shape({ by: text, how: oneOf('transferred', 'moved') }))

const callView = shape({
  id: text,
  startedBy: text,
  answered: flag,
  room: optional(text),
  locked: optional(flag),
  lobby: optional(flag),
  encrypted: optional(flag),
  waiting: optional(list(shape({ user: text, device: text, since: number }))),
  participants: list(
    shape({
      id: text,
      user: text,
      device: text,
      connected: flag,
      leaving: optional(flag),
      onHold: flag,
      replaces: optional(text),
      moderator: optional(flag),
      silenced: optional(list(source)),
      sending: shape({ microphone: flag, camera: flag, screen: flag }),
      handRaisedAt: optional(number),
      publications: list(shape({ producer: text, source, kind, paused: flag, epoch: integer })),
    }),
  ),
  invites: list(shape({ user: text, state: text, offer })),
  topology: shape({ path, epoch: integer, next: optional(shape({ path, epoch: integer })) }),
})

const iceConfig = shape({
  iceServers: list(
    shape({ urls: list(text), username: optional(text), credential: optional(text) }),
  ),
  expiresAt: number,
})

const presence = shape({
  users: list(shape({ user: text, status: text, lastSeen: optional(number) })),
})

const missed = shape({
  missed: list(
    shape({
      seq: integer,
      call: text,
      from: text,
      media,
      reason: text,
      at: number,
      payload: optional(text),
    }),
  ),
})

const message = either(
  shape({ text }),
  shape({ bytes: text }),
  shape({ sealed: text, generation: integer }),
)

const signal = either(
  shape({
    description: shape({ type: oneOf('offer', 'answer'), sdp: text }),
    sources: (value) => isRecord(value) && Object.values(value).every(source),
    round: integer,
    proof: optional(text),
  }),
  shape({ confirmation: text }),
  shape({ candidate: orNull(shape({ candidate: text })) }),
)

const transport = shape({
  id: text,
  iceParameters: object,
  iceCandidates: list(object),
  dtlsParameters: object,
})

const grants = shape({
  ring: flag,
  rooms: list(text),
  publish: list(text),
  moderate: list(text),
  host: flag,
  presence: list(text),
})

const events: Readonly<Record<ServerEventType, Check>> = {
  welcome: shape({
    session: text,
    resumeKey: text,
    user: text,
    device: text,
    resumed: oneOf('new', 'replayed', 'snapshot'),
    calls: list(callView),
    ice: iceConfig,
    grants,
  }),
  presence,
  'mailbox.missed': missed,
  'call.incoming': shape({ call: callView, from: text, media, offer, payload: optional(text) }),
  'call.updated': shape({ call: callView }),
  'call.ticket': shape({ call: text, ticket: text }),
  'call.ended': shape({ call: text, reason: text }),
  'call.transferred': shape({ from: text, call: callView, participant: text }),
  'call.elsewhere': shape({ call: callView }),
  'call.signal': shape({ call: text, from: text, epoch: integer, signal }),
  'call.message': shape({ call: text, from: text, direct: flag, message }),
  'call.reaction': shape({ call: text, from: text, reaction: text }),
  'sfu.speaker': shape({ call: text, participant: orNull(text) }),
  'sfu.demand': shape({ call: text, producer: text, maxSpatialLayer: integer, reason: text }),
  'sfu.layer': shape({ call: text, consumer: text, spatialLayer: orNull(integer), reason: text }),
  'session.closed': shape({ code: text, retryAfterMs: optional(number) }),
  'session.expiring': shape({ expiresAt: number }),
  'call.muted': shape({ call: text, sources: list(source), reason: text, by: optional(text) }),
  'call.mute-requested': shape({ call: text, sources: list(source), by: text }),
  'call.admitted': shape({ call: callView, participant: text }),
  'mls.waiting': shape({ call: text, participant: text, keyPackage: text }),
  'mls.created': shape({ call: text, generation: integer, epoch: integer, from: text }),
  'mls.commit': shape({
    call: text,
    generation: integer,
    epoch: integer,
    from: text,
    commit: text,
  }),
  'mls.welcome': shape({
    call: text,
    generation: integer,
    epoch: integer,
    welcome: text,
    groupInfo: text,
  }),
  'mls.message': shape({ call: text, generation: integer, from: text, message: text }),
  'mls.reset': shape({ call: text, generation: integer }),
  'devices.changed': shape({ user: text }),
}

const joined = shape({ call: callView, participant: text })
const waiting = list(shape({ participant: text, keyPackage: text }))

const answers: Readonly<Partial<Record<ClientRequestType, Check>>> = {
  'ice.get': iceConfig,
  'session.refresh': shape({ grants, expiresAt: number }),
  'presence.subscribe': (data) => presence(data) && shape({ refused: list(text) })(data),
  'push.key': shape({ key: orNull(text) }),
  'call.start': joined,
  'call.accept': joined,
  'call.join': joined,
  'call.resume': joined,
  'room.join': either(joined, shape({ waiting: shape({ call: text, room: optional(text) }) })),
  'mls.offer': shape({ generation: integer, epoch: orNull(integer), waiting }),
  'mls.fetch': shape({
    generation: integer,
    epoch: orNull(integer),
    commits: list(shape({ epoch: integer, from: text, commit: text })),
    groupInfo: orNull(text),
    waiting,
  }),
  'devices.get': shape({ entries: list(text), cards: list(shape({ device: text, card: text })) }),
  'sfu.open': shape({ rtpCapabilities: object, send: transport, recv: transport }),
  'sfu.produce': shape({ producer: text }),
  'sfu.consume': shape({ consumer: text, producer: text, kind, rtpParameters: object }),
  'sfu.restart-ice': shape({ iceParameters: object }),
}

/** A checked event with its place in the session; `welcome` has 0. */
export interface SequencedEvent {
  readonly seq: number
  readonly event: ServerEvent
}

/** Reads an event frame; `undefined` for what is malformed or of an unknown type. */
export function readEvent(frame: unknown): SequencedEvent | undefined {
  if (!isRecord(frame) || !number(frame['seq']) || typeof frame['type'] !== 'string') {
    return undefined
  }
  const { seq, type, data } = frame
  if (!Object.hasOwn(events, type)) return undefined
  // Own key of `events`, so it is one of its names.
  if (!events[type as ServerEventType](data)) return undefined
  // The check above is what makes it one.
  return { seq: seq as number, event: { type, data } as ServerEvent }
}

/** Reads the answer to a request; `undefined` if it is malformed. */
export function readAnswer(type: ClientRequestType, answer: unknown): AnswerFrame | undefined {
  if (!isRecord(answer)) return undefined
  if (answer['ok'] === true) {
    const check = answers[type]
    return !check || check(answer['data']) ? { ok: true, data: answer['data'] } : undefined
  }
  const error = answer['error']
  if (answer['ok'] !== false || !shape({ code: text, message: text })(error)) return undefined
  // Checked above; `ok` false is the other case.
  return answer as AnswerFrame
}

/** What a refused handshake says. */
export interface Refusal {
  readonly code: string
  readonly message: string
  /** When to come back, in milliseconds from now. */
  readonly retryAfterMs: number | undefined
}

/** Reads the error of a refused handshake. */
export function readRefusal(data: unknown): Refusal | undefined {
  if (!isRecord(data)) return undefined
  const { code, message, retryAfterMs } = data
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  const known = typeof retryAfterMs === 'number' && retryAfterMs >= 0
  return { code, message, retryAfterMs: known ? retryAfterMs : undefined }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
