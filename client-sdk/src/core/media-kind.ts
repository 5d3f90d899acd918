import type { MediaKind, TrackSource } from '@parley/protocol'

/** The kind of a source. Kept apart from the protocol's table, whose module brings its schemas. */
export function kindOf(source: TrackSource): MediaKind {
  return source === 'camera' || source === 'screen' ? 'video' : 'audio'
}
