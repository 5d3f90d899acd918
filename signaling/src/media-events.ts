import type { Call, CallId, DeviceAddress, ParticipantId, ServerEvent } from '@parley/protocol'
import { participantById } from '@parley/protocol'
import type { Calls } from './calls.ts'
import type { MediaListener } from './media.ts'

/** What media events need of their surroundings. */
export interface MediaEventPorts {
  readonly calls: Calls
  readonly tell: (to: DeviceAddress, event: ServerEvent) => void
  /** A call has a new deadline. */
  readonly changed: (call: CallId) => void
}

/** Brings what SFU nodes tell to the calls and to the people in them. */
export function mediaListener({ calls, tell, changed }: MediaEventPorts): MediaListener {
  const tellPeer = (call: Call, peer: ParticipantId, event: ServerEvent) => {
    const to = participantById(call, peer)
    if (to) tell(to, event)
  }
  return (event) => {
    const { call: id, epoch } = event.data
    const call = calls.find(id)
    if (!call) return
    if (event.type === 'room.lost') {
      calls.apply(id, { type: 'mediaLost', epoch })
      changed(id)
    } else if (event.type === 'speaker') {
      const data = { call: id, participant: event.data.peer }
      for (const to of call.participants) tell(to, { type: 'sfu.speaker', data })
    } else if (event.type === 'demand') {
      const { peer, producer, maxSpatialLayer, reason } = event.data
      const data = { call: id, producer, maxSpatialLayer, reason }
      tellPeer(call, peer, { type: 'sfu.demand', data })
    } else {
      const { peer, consumer, spatialLayer, reason } = event.data
      const data = { call: id, consumer, spatialLayer, reason }
      tellPeer(call, peer, { type: 'sfu.layer', data })
    }
  }
}
