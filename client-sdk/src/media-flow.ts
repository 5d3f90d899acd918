import type { CallView, ParticipantId, PeerSignal, ServerEventData } from '@parley/protocol'
import type { CallContext } from './call-context.ts'
import type { CallPath } from './call-events.ts'
import type { CallPrivacy } from './call-privacy.ts'
import type { CallFacts, MediaState } from './core/call-state.ts'
import { isOnHold, isPaused, sentByOthers } from './core/holding.ts'
import type { Quality } from './core/quality.ts'
import { VIEW_DEBOUNCE_MS } from './defaults.ts'
import { Emitter } from './emitter.ts'
import type { CallError } from './errors.ts'
import type { LocalMedia } from './local-media.ts'
import { MediaRecovery } from './media-recovery.ts'
import type { Reconnecting } from './media-recovery.ts'
import { MoveWatch } from './move-watch.ts'
import { PathWatch } from './path-watch.ts'
import { MediaPaths } from './paths.ts'
import type { LocalSources } from './ports.ts'
import { QualityMonitor } from './quality-monitor.ts'
import type { Participant, Roster } from './roster.ts'
import type { Request } from './signaling.ts'
import type { LocalTrack, RemoteTrack } from './tracks.ts'

interface MediaFlowEvents {
  /** What it does. */
  media: [state: MediaState]
  path: [path: CallPath]
  reconnecting: [current: Reconnecting | undefined]
  layer: [track: RemoteTrack, participant: Participant]
  demand: [track: LocalTrack]
  quality: [quality: Quality]
  error: [error: CallError]
}

/** What the media of a call needs of it. */
export interface MediaFlowPorts {
  readonly context: CallContext
  readonly request: Request
  readonly local: LocalMedia
  readonly roster: Roster
  readonly privacy: CallPrivacy
  readonly facts: () => CallFacts
  /** Only another seat can help. */
  readonly rejoin: () => void
  /** Nothing can. */
  readonly giveUp: () => void
  /** Sends what nobody waits for. */
  readonly tell: (request: Promise<unknown>) => void
}

/** The media of a call: what is sent and received from its seat, on which paths, and its way back. */
export class MediaFlow extends Emitter<MediaFlowEvents> {
  readonly monitor: QualityMonitor
  readonly #ports: MediaFlowPorts
  readonly #pathWatch: PathWatch
  readonly #recovery: MediaRecovery
  #paths: MediaPaths | undefined
  #moveWatch: MoveWatch | undefined
  #cancelTiles: (() => void) | undefined
  #paused = false
  /** The last epoch that was objected to as direct. */
  #escalatedFrom = -1
  #stopped = false

  constructor(ports: MediaFlowPorts) {
    super()
    this.#ports = ports
    const { clock } = ports.context.environment
    this.monitor = new QualityMonitor(
      clock,
      () => this.#paths?.reports() ?? Promise.resolve([]),
      () => this.#expectsMedia(),
    )
    this.#pathWatch = new PathWatch(clock, this.monitor, (path) => {
      if (!this.#stopped) this.emit('path', path)
    })
    this.#recovery = new MediaRecovery({
      clock,
      order: (order) => {
        if (order === 'changePath') this.#escalate()
        else ports[order]()
      },
      changed: (current) => {
        if (!this.#stopped) this.emit('reconnecting', current)
      },
    })
    this.monitor.on('quality', (quality) => this.emit('quality', quality))
    ports.local.on('changed', () => this.#publish())
    ports.roster.on('tiles', () => this.#planTiles())
  }

  get path(): CallPath | undefined {
    return this.#pathWatch.path
  }

  /** What is being done to get media back; undefined while it flows. */
  get reconnecting(): Reconnecting | undefined {
    return this.#recovery.current
  }

  /** Whether every media frame, in and out, is end-to-end encrypted now. */
  get encrypted(): boolean {
    return !this.#stopped && (this.#paths?.encrypted ?? false)
  }

  /** Begins anew, from this seat. */
  begin(view: CallView, self: ParticipantId): void {
    const { context, request, privacy, roster } = this.#ports
    this.#paths?.close()
    roster.mark([])
    const maker = context.pathMaker({
      call: view.id,
      self,
      request,
      epoch: () => this.#ports.facts().view?.topology.epoch ?? 0,
      encryption: privacy.begin(view, self),
      unreadable: (streams) => roster.mark(streams),
    })
    const paths = new MediaPaths(self, view, maker, context.environment.clock)
    this.#paths = paths
    paths.on('streams', (streams) => roster.show(streams))
    paths.on('changed', () => this.#onPaths())
    paths.on('error', (error) => this.#onError(error))
    paths.on('ready', (epoch) => this.#ports.tell(request('call.ready', { call: view.id, epoch })))
    this.#recovery.watch(paths)
    this.#paused = isPaused(view, self)
    paths.hold(isOnHold(view, self))
    this.#publish()
    paths.update(view)
    this.#keepToNodes(view)
  }

  /** The call has moved here from another device: tells when all of it has come. */
  watchMove(view: CallView, self: ParticipantId): void {
    const seat = view.participants.find(({ id }) => id === self)
    if (seat?.replaces === undefined) return
    const { context, request, facts, tell } = this.#ports
    this.#moveWatch = new MoveWatch({
      clock: context.environment.clock,
      wanted: () => {
        const now = facts().view
        return now ? sentByOthers(now, seat.user) : []
      },
      decoded: () => this.#paths?.decoded() ?? Promise.resolve(new Set()),
      settled: () => tell(request('call.settle', { call: facts().view?.id ?? view.id })),
    })
  }

  /** Sees who is there; before the seat is known, too. */
  see(view: CallView, self: ParticipantId | undefined): void {
    this.#recovery.see(view, self)
  }

  update(view: CallView): void {
    const { self } = this.#ports.facts()
    const paused = isPaused(view, self)
    if (paused !== this.#paused) {
      this.#paused = paused
      this.#publish()
    }
    this.#keepToNodes(view)
    this.#paths?.hold(isOnHold(view, self))
    this.#ports.privacy.update(view)
    this.#paths?.update(view)
  }

  /** Messages may have been lost. */
  resync(): void {
    this.#ports.privacy.resync()
    this.#paths?.resync()
  }

  /** Something that the way back to media must know. */
  hint(event: Parameters<MediaRecovery['take']>[0]): void {
    this.#recovery.take(event)
  }

  signal(from: ParticipantId, signal: PeerSignal): void {
    this.#paths?.signal(from, signal)
  }

  takeDemand({ producer, maxSpatialLayer, reason }: ServerEventData<'sfu.demand'>): void {
    const source = this.#paths?.demand(producer, maxSpatialLayer)
    if (!source) return
    const layer = maxSpatialLayer < 0 ? null : maxSpatialLayer
    const track = this.#ports.local.demand(source, { layer, reason })
    if (track) this.emit('demand', track)
  }

  takeLayer({ consumer, spatialLayer, reason }: ServerEventData<'sfu.layer'>): void {
    const key = this.#paths?.keyOf(consumer)
    const found = key && this.#ports.roster.layer(key, { layer: spatialLayer, reason })
    if (found) this.emit('layer', found.track, found.participant)
  }

  /** Ends all of it. */
  stop(): void {
    this.#stopped = true
    this.monitor.stop()
    this.#recovery.stop()
    this.#cancelTiles?.()
    this.#moveWatch?.stop()
    this.#paths?.close()
    this.#ports.privacy.close()
  }

  /** Hands on what is to be sent: while the call is paused, nothing. */
  #publish(): void {
    const { sources } = this.#ports.local
    this.#paths?.publish(this.#paused ? silenced(sources) : sources)
  }

  #onPaths(): void {
    const paths = this.#paths
    if (!paths || this.#stopped) return
    const { roster, privacy } = this.#ports
    const inCompany = roster.participants.size > 0
    privacy.look(paths)
    if (!this.#pathWatch.look(paths, inCompany, () => this.#onPaths())) return
    this.emit('media', paths.state)
  }

  #onError(error: CallError): void {
    if (this.#stopped) return
    this.emit('error', error)
    // No way back to media leads past that.
    if (error.code === 'encryption-unsupported') this.#ports.giveUp()
  }

  #planTiles(): void {
    if (this.#cancelTiles || this.#stopped) return
    const { context, roster } = this.#ports
    this.#cancelTiles = context.environment.clock.after(VIEW_DEBOUNCE_MS, () => {
      this.#cancelTiles = undefined
      this.#paths?.show(roster.tiles)
    })
  }

  /** Where the app forbids direct paths, says so when the server thinks of one. */
  #keepToNodes({ topology: { path, epoch, next } }: CallView): void {
    const { context, facts } = this.#ports
    const isDirect = next ? next.path === 'p2p' : path === 'p2p'
    const asked = next?.epoch ?? epoch
    if (context.topology !== 'sfu' || facts().self === undefined) return
    if (!isDirect || asked <= this.#escalatedFrom) return
    this.#escalatedFrom = asked
    this.#escalate()
  }

  #escalate(): void {
    const { request, facts, tell } = this.#ports
    const call = facts().view?.id
    if (call) tell(request('call.escalate', { call }))
  }

  #expectsMedia(): boolean {
    const { view, self } = this.#ports.facts()
    if (isOnHold(view, self)) return false
    return (
      view?.participants.some(
        ({ id, sending }) => id !== self && (sending.microphone || sending.camera),
      ) ?? false
    )
  }
}

function silenced(sources: LocalSources): LocalSources {
  return new Map([...sources.keys()].map((source) => [source, { track: undefined, live: false }]))
}
