import type { CallView, ParticipantId, Publication, TrackSource } from '@parley/protocol'

/** One way on which media can go. */
export type PathKey =
  | { readonly kind: 'p2p'; readonly peer: ParticipantId }
  | { readonly kind: 'sfu'; readonly epoch: number }

/** The way in use, and the one to warm up for a switch. */
export interface WantedPaths {
  readonly active: PathKey | undefined
  readonly warm: PathKey | undefined
}

/** A stream of a participant, whichever way it comes. */
export type StreamKey = `${string}/${TrackSource}`

export function streamKey(participant: ParticipantId, source: TrackSource): StreamKey {
  return `${participant}/${source}`
}

/** `active` is in use; `warm` is being prepared; `draining` was in use before the last switch. */
export type PathRole = 'active' | 'warm' | 'draining'

/** Whether a view tells of an earlier path than another one of the same call. */
export function isBehind(view: CallView, other: CallView): boolean {
  return view.id === other.id && view.topology.epoch < other.topology.epoch
}

/** What `wantedPaths` goes by, besides the view. */
export interface PathWishes {
  /** Whom this device talks to directly now. */
  readonly peer?: ParticipantId | undefined
  /** Never directly, whatever the others do. */
  readonly nodesOnly?: boolean
}

/** What the server's view asks this device to hold open. */
export function wantedPaths(
  view: CallView,
  self: ParticipantId,
  { peer, nodesOnly = false }: PathWishes = {},
): WantedPaths {
  const { path, epoch, next } = view.topology
  const others = view.participants.filter(({ id }) => id !== self)
  const warm = next && warmPath(next, nodesOnly ? [] : others)
  if (path === 'sfu') return { active: { kind: 'sfu', epoch }, warm }
  if (nodesOnly) return { active: undefined, warm }
  const kept = others.find(({ id }) => id === peer)
  // A third person waits for the SFU; those two who talk already go on until then.
  const first = others.length === 1 ? others[0] : undefined
  const partner = kept ?? first
  return { active: partner && { kind: 'p2p', peer: partner.id }, warm }
}

function warmPath(
  { path, epoch }: NonNullable<CallView['topology']['next']>,
  others: CallView['participants'],
): PathKey | undefined {
  if (path === 'sfu') return { kind: 'sfu', epoch }
  const [other, ...more] = others
  return other && more.length === 0 ? { kind: 'p2p', peer: other.id } : undefined
}

export function samePath(a: PathKey | undefined, b: PathKey | undefined): boolean {
  if (!a || !b) return a === b
  if (a.kind === 'p2p') return b.kind === 'p2p' && a.peer === b.peer
  return b.kind === 'sfu' && a.epoch === b.epoch
}

/** Whether this device gives way when offers cross: the one that joined later does. */
export function isPolite(view: CallView, self: ParticipantId, peer: ParticipantId): boolean {
  const ids = view.participants.map(({ id }) => id)
  return ids.indexOf(self) > ids.indexOf(peer)
}

/** A stream on the SFU that this device should receive. */
export interface WantedStream extends Publication {
  readonly participant: ParticipantId
}

/** What others publish on the node of an epoch. */
export function wantedStreams(
  view: CallView,
  self: ParticipantId,
  epoch: number,
): readonly WantedStream[] {
  return view.participants
    .filter(({ id }) => id !== self)
    .flatMap(({ id, publications }) =>
      publications.filter((p) => p.epoch === epoch).map((p) => ({ ...p, participant: id })),
    )
}

/** The streams of a path, and which of them have been decoded. */
export interface PathStreams {
  readonly role: PathRole
  /** Media passes, as far as is known. */
  readonly alive: boolean
  readonly streams: Iterable<StreamKey>
  readonly decoded: ReadonlySet<StreamKey>
}

/**
 * Chooses the path from which each stream is shown, so that none is interrupted: the old one until
 * the new one has decoded, and a path that is warming up only where no other delivers.
 */
export function chooseStreams<Path extends PathStreams>(
  paths: readonly Path[],
): ReadonlyMap<StreamKey, Path> {
  const chosen = new Map<StreamKey, Path>()
  const rank = ({ role, alive, decoded }: Path, key: StreamKey) => {
    // The server may be away when the other side lets go of a path.
    if (role === 'warm') return decoded.has(key) ? 2 : 0
    if (!alive) return 1
    if (role === 'draining') return 4
    return decoded.has(key) ? 5 : 3
  }
  for (const path of paths) {
    for (const key of path.streams) {
      const before = chosen.get(key)
      if (!before || rank(path, key) > rank(before, key)) chosen.set(key, path)
    }
  }
  return chosen
}

/** What `isReady` looks at. */
export interface Readiness {
  readonly view: CallView
  readonly epoch: number
  /** Streams that are received on the path in use, and would be missed. */
  readonly received: Iterable<StreamKey>
  readonly decoded: ReadonlySet<StreamKey>
  /** Streams that no tile shows, so that the node need not send them. */
  readonly hidden: ReadonlySet<StreamKey>
}

/** Whether the path of `epoch` gives all that the present one does. */
export function isReady({ view, epoch, received, decoded, hidden }: Readiness): boolean {
  return [...received].every((key) => {
    if (decoded.has(key) || hidden.has(key)) return true
    const participant = view.participants.find(({ id }) => key.startsWith(`${id}/`))
    // Who has left, or sends nothing now, is not waited for.
    if (!participant) return true
    const publication = participant.publications.find(
      (p) => p.epoch === epoch && key === streamKey(participant.id, p.source),
    )
    if (publication) return publication.paused
    return !isSending(participant.sending, key)
  })
}

function isSending(
  sending: { microphone: boolean; camera: boolean; screen: boolean },
  key: StreamKey,
): boolean {
  if (key.endsWith('/microphone')) return sending.microphone
  if (key.endsWith('/camera')) return sending.camera
  return sending.screen
}
