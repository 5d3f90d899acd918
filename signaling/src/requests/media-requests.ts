import type {
  CallId,
  NodeRequestData,
  NodeRequestResult,
  NodeRequestType,
  ParticipantId,
  Result,
  TrackSource,
} from '@parley/protocol'
import { fail, kindOfSource, silencedOf } from '@parley/protocol'
import { seatOf } from './context.ts'
import type { Handlers, RequestContext } from './context.ts'

/** Requests about media on an SFU node: checked for a seat in the call, then carried to the node. */
export const mediaRequests: Handlers<
  | 'sfu.open'
  | 'sfu.capabilities'
  | 'sfu.connect'
  | 'sfu.restart-ice'
  | 'sfu.produce'
  | 'sfu.pause'
  | 'sfu.unproduce'
  | 'sfu.consume'
  | 'sfu.resume'
  | 'sfu.view'
> = {
  'sfu.open': async (context, data) => {
    const opened = await forward(context, 'peer.open', data)
    const found = seatOf(context, data.call)
    if (opened.ok && found.ok && found.data.seat.onHold) {
      await forward(context, 'peer.hold', { ...data, on: true })
    }
    return opened
  },
  'sfu.capabilities': (context, data) => forward(context, 'peer.capabilities', data),
  'sfu.connect': (context, data) => forward(context, 'transport.connect', data),
  'sfu.restart-ice': (context, data) => forward(context, 'transport.restart-ice', data),
  'sfu.consume': (context, data) => forward(context, 'consumer.open', data),
  'sfu.resume': (context, data) => forward(context, 'consumer.resume', data),
  'sfu.view': (context, data) => forward(context, 'peer.view', data),

  'sfu.produce': async (context, data) => {
    const { source, epoch } = data
    const paused = data.paused || silenced(context, data.call).includes(source)
    const opened = await forward(context, 'producer.open', { ...data, paused })
    if (!opened.ok) return opened
    const { producer } = opened.data
    announce(context, data.call, (participant) => ({
      type: 'published',
      participant,
      publication: { producer, source, kind: kindOfSource[source], paused, epoch },
    }))
    return opened
  },

  'sfu.pause': async (context, data) => {
    const { producer, paused } = data
    const found = seatOf(context, data.call)
    const stream = found.ok && found.data.seat.publications.find((p) => p.producer === producer)
    if (!paused && stream && silenced(context, data.call).includes(stream.source)) {
      return fail('silenced', { field: 'data.producer' })
    }
    const done = await forward(context, 'producer.pause', data)
    if (done.ok) {
      announce(context, data.call, (participant) => ({
        type: 'publicationPaused',
        participant,
        producer,
        paused,
      }))
    }
    return done
  },

  'sfu.unproduce': async (context, data) => {
    const done = await forward(context, 'producer.close', data)
    const { producer } = data
    if (done.ok) {
      announce(context, data.call, (participant) => ({
        type: 'unpublished',
        participant,
        producer,
      }))
    }
    return done
  },
}

/** What moderators let the one who asks not send. */
function silenced({ calls, at }: RequestContext, id: CallId): readonly TrackSource[] {
  const call = calls.find(id)
  return call ? silencedOf(call.policy, at.user) : []
}

type PeerOrder = Exclude<NodeRequestType, `room.${string}`>

async function forward<T extends PeerOrder>(
  context: RequestContext,
  type: T,
  data: Omit<NodeRequestData<T>, 'peer'> & { readonly call: CallId },
): Promise<Result<NodeRequestResult<T>>> {
  const found = seatOf(context, data.call)
  if (!found.ok) return found
  const order = { ...data, peer: found.data.seat.id }
  // `data` is the order without its `peer`, which the line above puts in; TypeScript cannot add up
  // an `Omit` over a type parameter.
  return context.media.request(type, order as unknown as NodeRequestData<T>)
}

/** Tells the call, unless the participant left while the node was at work. */
function announce(
  context: RequestContext,
  call: CallId,
  event: (participant: ParticipantId) => Parameters<RequestContext['calls']['apply']>[1],
): void {
  const found = seatOf(context, call)
  if (found.ok) context.calls.apply(call, event(found.data.seat.id))
}
