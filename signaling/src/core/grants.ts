import { fail, grantsClaimSchema, ok } from '@parley/protocol'
import type {
  CallMedia,
  ClientRequestData,
  ClientRequestType,
  Grants,
  Publishable,
  Result,
  RoomName,
  TrackSource,
  UserId,
  WireError,
} from '@parley/protocol'

/** What a token without the claim `grants` gives. */
export const defaultGrants: Grants = Object.freeze(grantsClaimSchema.parse({}))

/** Reads the claim `grants` of a token. A malformed one is refused, never taken for the default. */
export function readGrants(claim: unknown): Result<Grants> {
  if (claim === undefined) return ok(defaultGrants)
  const read = grantsClaimSchema.safeParse(claim)
  if (read.success) return ok(read.data)
  const issue = read.error.issues[0]
  const field = ['token.grants', ...(issue?.path ?? [])].join('.')
  return fail('unauthorized', { message: 'The token\'s "grants" cannot be read.', field })
}

/** What of a request is not granted; `undefined` where all is. */
type Check<T extends ClientRequestType> = (
  grants: Grants,
  data: ClientRequestData<T>,
) => string | undefined

/** For requests that need a seat in a call, or nothing at all: whoever got in may. */
const free = () => undefined

/** Every request type, so that a new one cannot be forgotten. */
const checks: { readonly [T in ClientRequestType]: Check<T> } = {
  'ice.get': free,
  'session.refresh': free,
  'session.leaving': free,
  'presence.subscribe': (grants) => missing(grants.presence.length > 0, 'presence'),
  'presence.unsubscribe': free,
  'presence.set': free,
  'push.key': free,
  'push.subscribe': free,
  'push.unsubscribe': free,
  'mailbox.ack': free,

  'call.start': (grants, { media }) => missing(grants.ring, 'ring') ?? missingMedia(grants, media),
  'call.invite': (grants) => missing(grants.ring, 'ring'),
  'call.uninvite': free,
  'call.transfer': (grants) => missing(grants.ring, 'ring'),
  'call.move': free,
  'call.merge': free,
  'call.hold': free,
  // Whether somebody moderates depends on the call, too.
  'call.mute': free,
  'call.unmute': free,
  'call.remove': free,
  'call.lock': free,
  'call.unlock': free,
  'call.lobby': free,
  'call.admit': free,
  'call.deny': free,
  'call.promote': free,
  'call.demote': free,
  'call.settle': free,
  'call.resume': (grants, { fresh }) => (fresh ? missingMedia(grants, fresh) : undefined),
  'call.join': (grants, { media }) => missingMedia(grants, media),
  'device.prefer': free,
  'call.accept': (grants, { media }) => missingMedia(grants, media),
  'call.decline': free,
  'call.hangup': free,
  'room.join': (grants, { room, media }) =>
    missing(matchesRoom(grants.rooms, room), 'rooms') ?? missingMedia(grants, media),
  'call.sending': (grants, { sending }) =>
    (sending.microphone ? missingPublish(grants, 'audio') : undefined) ??
    (sending.camera ? missingPublish(grants, 'video') : undefined) ??
    (sending.screen ? missingPublish(grants, 'screen') : undefined),

  // The server cannot see what goes from device to device, so who may not send all sends nothing there.
  'call.signal': (grants) =>
    missingPublish(grants, 'audio') ??
    missingPublish(grants, 'video') ??
    missingPublish(grants, 'screen'),
  'call.ready': free,
  'call.send': (grants) => missingPublish(grants, 'data'),
  'call.react': (grants) => missingPublish(grants, 'data'),
  'call.hand': free,
  'call.escalate': free,

  // Keys are agreed by whoever has a seat; the handlers look for it.
  'mls.offer': free,
  'mls.create': free,
  'mls.commit': free,
  'mls.fetch': free,
  'mls.message': free,
  'mls.reset': free,
  'devices.get': free,
  'devices.append': free,
  'devices.show': free,
  'devices.connected': free,

  'sfu.open': free,
  'sfu.capabilities': free,
  'sfu.connect': free,
  'sfu.restart-ice': free,
  'sfu.produce': (grants, { source }) => missingPublish(grants, publishableOf[source]),
  'sfu.pause': free,
  'sfu.unproduce': free,
  'sfu.consume': free,
  'sfu.resume': free,
  'sfu.view': free,
}

/** Why a request is refused for want of a grant; `undefined` lets it pass. */
export function refusal<T extends ClientRequestType>(
  grants: Grants,
  type: T,
  data: ClientRequestData<T>,
): { readonly ok: false; readonly error: WireError } | undefined {
  const lacking = checks[type](grants, data)
  if (lacking === undefined) return undefined
  return fail('not-permitted', { message: `The token does not grant "${lacking}".` })
}

/** What must be granted to send a source. */
export const publishableOf: Readonly<Record<TrackSource, Publishable>> = {
  microphone: 'audio',
  camera: 'video',
  screen: 'screen',
  'screen-audio': 'screen',
}

/** Whether media may go where the server cannot stop it. */
export function mayPublishAll({ publish }: Grants): boolean {
  return (['audio', 'video', 'screen'] as const).every((what) => publish.includes(what))
}

/** Whether a call may be moderated. One without a name takes the pattern of every room. */
export function mayModerate({ moderate }: Grants, room: RoomName | undefined): boolean {
  return room === undefined ? moderate.includes('*') : matchesRoom(moderate, room)
}

/** Whether a user may be watched. */
export function mayWatch({ presence }: Pick<Grants, 'presence'>, user: UserId): boolean {
  return presence.some((pattern) => matches(pattern, user))
}

/** Whether any pattern matches. Linear in the lengths: patterns come from tokens, names from anybody. */
export function matchesRoom(patterns: readonly string[], room: string): boolean {
  return patterns.some((pattern) => matches(pattern, room))
}

function matches(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === name
  const tail = rest.pop() ?? ''
  if (name.length < head.length + tail.length) return false
  if (!name.startsWith(head) || !name.endsWith(tail)) return false
  // The leftmost place of each middle part leaves the most for the next one.
  let from = head.length
  for (const part of rest) {
    const at = name.indexOf(part, from)
    if (at < 0 || at + part.length > name.length - tail.length) return false
    from = at + part.length
  }
  return true
}

function missing(granted: boolean, name: string): string | undefined {
  return granted ? undefined : name
}

function missingPublish({ publish }: Grants, what: Publishable): string | undefined {
  return missing(publish.includes(what), `publish.${what}`)
}

function missingMedia(grants: Grants, { audio, video }: CallMedia): string | undefined {
  return (
    (audio ? missingPublish(grants, 'audio') : undefined) ??
    (video ? missingPublish(grants, 'video') : undefined)
  )
}
