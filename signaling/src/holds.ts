import type { Call } from '@parley/protocol'
import { openEpochs, participantById } from '@parley/protocol'
import type { Media } from './media.ts'

/** Has the nodes of a call send nothing to those who hold it, nor anything of theirs to others. */
export function followHolds(media: Media, before: Call, after: Call): void {
  for (const { id: peer, onHold: on } of after.participants) {
    const held = participantById(before, peer)?.onHold ?? false
    if (held === on) continue
    for (const epoch of openEpochs(after.topology)) {
      void media.request('peer.hold', { call: after.id, epoch, peer, on })
    }
  }
}
