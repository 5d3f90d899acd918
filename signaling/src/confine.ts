import type { Call, DeviceAddress, Grants, Publication, TrackSource } from '@parley/protocol'
import { participantAt } from '@parley/protocol'
import type { Calls } from './calls.ts'
import { matchesRoom, mayModerate, mayPublishAll, publishableOf } from './core/grants.ts'
import type { Directory } from './directory.ts'
import type { Media } from './media.ts'
import type { People } from './people.ts'

/** Where a device's call is and what carries it. */
export interface ConfinePorts {
  readonly calls: Calls
  readonly media: Media
  readonly directory: Directory
  readonly people: People
}

/**
 * Brings a device in line with what it may do now: it leaves a room that it may not be in, the node
 * stops what it may not send, and it hears no more of whom it may not watch.
 */
export function confine(ports: ConfinePorts, at: DeviceAddress, grants: Grants): void {
  const session = ports.directory.sessionOf(at)
  if (session !== undefined) ports.people.presence.confine(session, grants)
  for (const call of ports.calls.ofDevice(at)) confineIn(ports, call, { at, grants })
}

function confineIn(
  { calls, media, directory }: ConfinePorts,
  call: Call,
  { at, grants }: { readonly at: DeviceAddress; readonly grants: Grants },
): void {
  const seat = participantAt(call, at)
  if (!seat) return
  if (call.room !== undefined && !matchesRoom(grants.rooms, call.room)) {
    calls.apply(call.id, { type: 'left', participant: seat.id, reason: 'removed' })
    return
  }
  const moderates = mayModerate(grants, call.room)
  calls.apply(call.id, { type: 'tokenModerates', participant: seat.id, moderates })
  if (mayPublishAll(grants)) return
  // What goes from device to device cannot be stopped from here.
  calls.apply(call.id, { type: 'escalated' })
  const sources = withdrawn(seat.publications, grants)
  for (const { source, producer, epoch } of seat.publications) {
    if (!sources.includes(source)) continue
    void media.request('producer.close', { call: call.id, epoch, peer: seat.id, producer })
    calls.apply(call.id, { type: 'unpublished', participant: seat.id, producer })
  }
  const may = (source: TrackSource) => grants.publish.includes(publishableOf[source])
  const { microphone, camera, screen } = seat.sending
  const sending = {
    microphone: microphone && may('microphone'),
    camera: camera && may('camera'),
    screen: screen && may('screen'),
  }
  calls.apply(call.id, { type: 'sendingChanged', participant: seat.id, sending })
  const off = new Set<TrackSource>(sources)
  for (const source of ['microphone', 'camera', 'screen'] as const) {
    if (seat.sending[source] && !may(source)) off.add(source)
  }
  if (off.size === 0) return
  directory.tell(at, {
    type: 'call.muted',
    data: { call: call.id, sources: [...off], reason: 'grants' },
  })
}

function withdrawn(publications: readonly Publication[], grants: Grants): readonly TrackSource[] {
  return publications
    .map(({ source }) => source)
    .filter((source) => !grants.publish.includes(publishableOf[source]))
}
