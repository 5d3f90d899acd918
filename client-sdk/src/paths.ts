import type {
  CallView,
  ConsumerId,
  ParticipantId,
  PeerSignal,
  ProducerId,
  TrackSource,
} from '@parley/protocol'
import { chooseStreams, isReady, samePath, wantedPaths, wantedStreams } from './core/media-plan.ts'
import type { PathKey, PathRole, StreamKey } from './core/media-plan.ts'
import type { MediaState } from './core/call-state.ts'
import { isEncrypted } from './core/frames/call-protection.ts'
import { DRAIN_MS, LINGER_MS, WARM_POLL_MS } from './defaults.ts'
import { Emitter } from './emitter.ts'
import type { CallError } from './errors.ts'
import type { PeerSession } from './p2p/session.ts'
import type { Clock, LocalSources, PathListener, RemoteStream, TileSize } from './ports.ts'
import type { SfuSession } from './sfu/session.ts'

/** Makes the two kinds of paths. */
export interface PathMaker {
  direct(peer: ParticipantId, view: CallView, listener: PathListener): PeerSession
  throughNode(epoch: number, listener: PathListener): SfuSession
  /** The app forbids direct paths. */
  readonly nodesOnly?: boolean
  /** Ends what its paths had in common. */
  close(): void
}

interface PathsEvents {
  /** The state or the kind of the path in use changed. */
  changed: []
  /** The streams to show changed. */
  streams: [streams: ReadonlyMap<StreamKey, RemoteStream>]
  /** The path of this epoch gives all that the present one does. */
  ready: [epoch: number]
  /** The browser has given up on the path in use. */
  broken: []
  /** No media can be had. */
  failed: []
  error: [error: CallError]
}

interface PathStatus {
  role: PathRole
  decoded: ReadonlySet<StreamKey>
  /** `ready` was told. */
  told: boolean
}

type Path = PathStatus &
  (({ readonly session: PeerSession } & DirectKey) | ({ readonly session: SfuSession } & NodeKey))
type DirectKey = Extract<PathKey, { kind: 'p2p' }>
type NodeKey = Extract<PathKey, { kind: 'sfu' }>

/** Signals that come before their path does, at most. */
const MOST_EARLY = 100

/**
 * Holds open the paths that the server's view asks for, and moves from one to the next without a
 * gap: the old one stays until the new one has decoded what is shown.
 */
export class MediaPaths extends Emitter<PathsEvents> {
  readonly #self: ParticipantId
  readonly #maker: PathMaker
  readonly #clock: Clock
  #view: CallView
  #paths: readonly Path[] = []
  #sources: LocalSources = new Map()
  #tiles: ReadonlyMap<StreamKey, TileSize> = new Map()
  #early: readonly { from: ParticipantId; signal: PeerSignal }[] = []
  #drainBegan = 0
  #swappedAt: number | undefined
  #cancelPoll: (() => void) | undefined
  #closed = false
  #held = false

  constructor(self: ParticipantId, view: CallView, maker: PathMaker, clock: Clock) {
    super()
    this.#self = self
    this.#view = view
    this.#maker = maker
    this.#clock = clock
  }

  get state(): MediaState {
    const active = this.#used
    if (!active) return 'idle'
    // While the old path still delivers, or the next one does already, nothing is missing.
    const giving = this.#paths.filter(({ role, told }) => role === 'draining' || told)
    if ([active, ...giving].some(({ session }) => session.state === 'connected')) {
      return 'connected'
    }
    return active.session.state === 'connecting' ? 'connecting' : 'interrupted'
  }

  /** The way that media goes now. */
  get kind(): PathKey['kind'] | undefined {
    return this.#used?.kind
  }

  /** Whether every frame, on whichever path, is end-to-end encrypted. */
  get encrypted(): boolean {
    const used = this.#used
    return isEncrypted(
      this.#paths.map((path) => ({ used: path === used, protection: path.session.protection })),
    )
  }

  update(view: CallView): void {
    if (this.#closed) return
    this.#view = view
    const before = this.#active
    const peer = before?.kind === 'p2p' ? before.peer : undefined
    const { nodesOnly = false } = this.#maker
    const { active, warm } = wantedPaths(view, this.#self, { peer, nodesOnly })
    for (const path of this.#paths) this.#reassign(path, active, warm)
    if (active && !this.#find(active)) this.#open(active, 'active')
    if (warm && !this.#find(warm)) this.#open(warm, 'warm')
    for (const path of this.#paths) {
      if (path.kind === 'sfu') path.session.receive(wantedStreams(view, this.#self, path.epoch))
    }
    this.#refresh()
  }

  publish(sources: LocalSources): void {
    this.#sources = sources
    for (const { session, role } of this.#paths) if (role !== 'draining') session.publish(sources)
  }

  /** Nothing is shown while a call is held, whatever arrives. */
  hold(held: boolean): void {
    if (held === this.#held) return
    this.#held = held
    this.#refresh()
  }

  show(tiles: ReadonlyMap<StreamKey, TileSize>): void {
    this.#tiles = tiles
    for (const path of this.#paths) if (path.kind === 'sfu') path.session.show(tiles)
  }

  signal(from: ParticipantId, signal: PeerSignal): void {
    const path = this.#find({ kind: 'p2p', peer: from })
    if (path?.kind === 'p2p') path.session.signal(signal)
    else this.#early = [...this.#early, { from, signal }].slice(-MOST_EARLY)
  }

  /** Passes on that nobody takes higher layers; tells which source it was about. */
  demand(producer: ProducerId, maxSpatialLayer: number): TrackSource | undefined {
    return this.#viaNodes((session) => session.demand(producer, maxSpatialLayer))
  }

  keyOf(consumer: ConsumerId): StreamKey | undefined {
    return this.#viaNodes((session) => session.keyOf(consumer))
  }

  async reports(): Promise<readonly RTCStatsReport[]> {
    return (await this.#used?.session.reports()) ?? []
  }

  /** What has been decoded on the path in use. */
  async decoded(): Promise<ReadonlySet<StreamKey>> {
    return (await this.#used?.session.decoded()) ?? new Set()
  }

  restartIce(): void {
    for (const { session, role } of this.#paths) if (role !== 'draining') session.restartIce()
  }

  resync(): void {
    for (const path of this.#paths) {
      path.session.resync()
      // A restored call waits for everybody again.
      path.told = false
    }
    this.#poll()
  }

  close(): void {
    this.#closed = true
    this.#cancelPoll?.()
    for (const { session } of this.#paths) session.close()
    this.#paths = []
    this.#maker.close()
  }

  get #active(): Path | undefined {
    return this.#paths.find(({ role }) => role === 'active')
  }

  /** Who joins during a switch has the path that is being warmed up, and no other. */
  get #used(): Path | undefined {
    return this.#active ?? this.#paths.find(({ role }) => role === 'warm')
  }

  #onBroken(key: PathKey): void {
    if (samePath(this.#used, key)) this.emit('broken')
  }

  #find(key: PathKey): Path | undefined {
    return this.#paths.find((path) => samePath(path, key))
  }

  #viaNodes<Answer>(ask: (session: SfuSession) => Answer | undefined): Answer | undefined {
    for (const path of this.#paths) {
      const answer = path.kind === 'sfu' ? ask(path.session) : undefined
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #open(key: PathKey, role: PathRole): void {
    const listener: PathListener = {
      changed: () => this.#refresh(),
      failed: (error) => this.emit('error', error),
      broken: () => this.#onBroken(key),
    }
    const state = { role, decoded: new Set<StreamKey>(), told: false }
    if (key.kind === 'p2p') {
      const session = this.#maker.direct(key.peer, this.#view, listener)
      this.#paths = [...this.#paths, { ...state, ...key, session }]
      session.publish(this.#sources)
      const early = this.#early.filter(({ from }) => from === key.peer)
      this.#early = []
      for (const { signal } of early) session.signal(signal)
      return
    }
    const session = this.#maker.throughNode(key.epoch, listener)
    this.#paths = [...this.#paths, { ...state, ...key, session }]
    session.show(this.#tiles)
    session.publish(this.#sources)
  }

  /** Gives a path its part in the new view, or ends it. */
  #reassign(path: Path, active: PathKey | undefined, warm: PathKey | undefined): void {
    // A direct path that one side has let go of cannot be taken up again.
    const isOld = path.role === 'draining' && path.kind === 'p2p'
    const isChange = active && (active.kind === 'sfu' || path.kind === 'sfu')
    if (!isOld && samePath(path, active)) path.role = 'active'
    else if (!isOld && samePath(path, warm)) path.role = 'warm'
    else if (isOld && (samePath(path, active) || samePath(path, warm))) this.#end(path)
    else if (path.role === 'active' && isChange) {
      path.role = 'draining'
      this.#drainBegan = this.#clock.now()
      this.#swappedAt = undefined
    } else if (path.role !== 'draining') this.#end(path)
  }

  #end(path: Path): void {
    this.#paths = this.#paths.filter((other) => other !== path)
    path.session.close()
  }

  #refresh(): void {
    if (this.#closed) return
    const candidates = this.#paths.map((path) => ({
      role: path.role,
      alive: path.session.state === 'connected' && !letGo(path),
      decoded: path.decoded,
      streams: path.session.streams.keys(),
      path,
    }))
    const streams = new Map<StreamKey, RemoteStream>()
    for (const [key, { path }] of chooseStreams(candidates)) {
      const stream = path.session.streams.get(key)
      if (stream) streams.set(key, stream)
    }
    this.emit('streams', this.#held ? new Map() : streams)
    this.emit('changed')
    if (this.#used?.session.state === 'failed') this.emit('failed')
    this.#poll()
  }

  /** Asks paths that are new to the call whether they decode, for as long as any is. */
  #poll(): void {
    const needed = this.#paths.some(({ role }) => role !== 'active')
    if (!needed || this.#cancelPoll || this.#closed) return
    this.#cancelPoll = this.#clock.after(WARM_POLL_MS, () => void this.#look())
  }

  async #look(): Promise<void> {
    for (const path of this.#paths) {
      // A session that is closed meanwhile has decoded nothing.
      const none = () => path.decoded
      path.decoded = await path.session.decoded().catch(none)
    }
    this.#cancelPoll = undefined
    if (this.#closed) return
    this.#tellReady()
    this.#endDrained()
    this.#refresh()
  }

  #tellReady(): void {
    const warm = this.#paths.find(({ role }) => role === 'warm')
    const epoch = this.#view.topology.next?.epoch
    if (!warm || epoch === undefined || warm.told || !warm.session.publishing) return
    const active = this.#active
    // After a lost node there is nothing left to wait for.
    const received = active && active.kind !== warm.kind ? [...active.session.streams.keys()] : []
    // Whoever holds the call is sent nothing.
    if (!this.#held && !this.#gives(warm, epoch, received)) return
    warm.told = true
    this.emit('ready', epoch)
  }

  #endDrained(): void {
    const draining = this.#paths.filter(({ role }) => role === 'draining')
    const active = this.#active
    if (draining.length === 0 || !active) return
    const now = this.#clock.now()
    const shown = draining.flatMap(({ session }) => [...session.streams.keys()])
    const { epoch } = this.#view.topology
    if (this.#held || this.#gives(active, epoch, shown)) this.#swappedAt ??= now
    // The other side may need the old path a little longer than this one.
    const lingered = this.#swappedAt !== undefined && now >= this.#swappedAt + LINGER_MS
    if (!lingered && now < this.#drainBegan + DRAIN_MS) return
    for (const path of draining) this.#end(path)
  }

  /** Whether the path of an epoch gives these streams. */
  #gives({ decoded }: PathStatus, epoch: number, received: readonly StreamKey[]): boolean {
    const hidden = [...this.#tiles].filter(([, tile]) => !tile.visible).map(([key]) => key)
    const view = this.#view
    return isReady({ view, epoch, received, decoded, hidden: new Set(hidden) })
  }
}

/** The other side has ended the path. */
function letGo(path: Path): boolean {
  return path.kind === 'p2p' && path.session.letGo
}
