import type { CallMedia, Sending, TrackSource } from '@parley/protocol'
import { Emitter } from './emitter.ts'
import { abortable, CallError } from './errors.ts'
import type { Playback } from './playback.ts'
import type { Devices, LocalSource, LocalSources } from './ports.ts'
import { TrackHandle } from './tracks.ts'
import type { LayerState, LocalTrack } from './tracks.ts'

interface LocalMediaEvents {
  /** What is or should be sent changed. */
  changed: []
  /** A device went away by itself. */
  lost: [error: CallError]
}

interface Signalled {
  readonly signal?: AbortSignal | undefined
}

/** The microphone, camera and screen of this device: opened when wanted, closed when not. */
export class LocalMedia extends Emitter<LocalMediaEvents> {
  readonly #devices: Devices
  readonly #playback: Playback
  readonly #handles = new Map<TrackSource, TrackHandle>()
  readonly #queues = new Map<string, Promise<unknown>>()
  /** Sources that were on once: they keep their place on each path, with or without a track. */
  readonly #known = new Set<TrackSource>()
  #stopped = false

  constructor(devices: Devices, playback: Playback) {
    super()
    this.#devices = devices
    this.#playback = playback
  }

  get tracks(): readonly LocalTrack[] {
    return [...this.#handles.values()]
  }

  get sources(): LocalSources {
    const sources = new Map<TrackSource, LocalSource>()
    for (const source of this.#known) {
      const track = this.#handles.get(source)?.mediaStreamTrack
      sources.set(source, { track, live: track?.enabled ?? false })
    }
    return sources
  }

  get sending(): Sending {
    const isOn = (source: TrackSource) =>
      this.#handles.get(source)?.mediaStreamTrack.enabled ?? false
    return { microphone: isOn('microphone'), camera: isOn('camera'), screen: isOn('screen') }
  }

  /** Opens what the call begins with, in one prompt. */
  async start({ audio, video }: CallMedia, { signal }: Signalled = {}): Promise<void> {
    if (!audio && !video) return
    await this.#open({ audio, video }, signal)
  }

  setMicrophone(on: boolean, { signal }: Signalled = {}): Promise<void> {
    const track = this.#handles.get('microphone')?.mediaStreamTrack
    // Off is at once, whatever else is under way.
    if (!on && track) track.enabled = false
    return this.#inTurn('microphone', async () => {
      const open = this.#handles.get('microphone')?.mediaStreamTrack
      if (open) {
        open.enabled = on
        this.emit('changed')
      } else if (on) {
        await this.#open({ audio: true, video: false }, signal)
      }
    })
  }

  setCamera(on: boolean, { signal }: Signalled = {}): Promise<void> {
    return this.#inTurn('camera', async () => {
      if (on === this.#handles.has('camera')) return
      if (on) await this.#open({ audio: false, video: true }, signal)
      else this.#close('camera')
    })
  }

  shareScreen({ signal }: Signalled = {}): Promise<void> {
    return this.#inTurn('screen', async () => {
      if (this.#handles.has('screen')) return
      const opening = this.#devices.openScreen()
      const { video, audio } = await this.#orStop(
        opening,
        (capture) => [capture.video, capture.audio],
        signal,
      )
      video.contentHint = 'detail'
      this.#add('screen', video)
      if (audio) this.#add('screen-audio', audio)
      this.emit('changed')
    })
  }

  stopScreen(): Promise<void> {
    return this.#inTurn('screen', () => {
      this.#closeScreen()
      return Promise.resolve()
    })
  }

  /** Closes what may not be sent any more. */
  withdraw(sources: readonly TrackSource[]): void {
    const gone = sources.filter((source) => this.#drop(source))
    for (const source of sources) this.#known.delete(source)
    if (gone.length > 0) this.emit('changed')
  }

  /** Notes which layer of a source is wanted. */
  demand(source: TrackSource, state: LayerState): LocalTrack | undefined {
    const handle = this.#handles.get(source)
    if (handle) handle.demand = state
    return handle
  }

  /** Takes over what another one has open, but for what is open here already. */
  adopt(other: LocalMedia): void {
    for (const [source, { mediaStreamTrack }] of other.#handles) {
      if (this.#handles.has(source) || this.#stopped) continue
      other.#handles.get(source)?.detach()
      other.#handles.delete(source)
      this.#add(source, mediaStreamTrack)
    }
    this.emit('changed')
  }

  /** Closes every device; they can be opened again. */
  closeAll(): void {
    for (const source of [...this.#handles.keys()]) this.#drop(source)
    this.#known.clear()
  }

  /** Closes every device for good. */
  stop(): void {
    this.#stopped = true
    this.closeAll()
  }

  /** One change per device at a time; a failed one does not stop the next. */
  #inTurn(device: string, work: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(device) ?? Promise.resolve()
    const next = before.then(work)
    this.#queues.set(
      device,
      next.catch(() => undefined),
    )
    return next
  }

  async #open(wanted: CallMedia, signal: AbortSignal | undefined): Promise<void> {
    const tracks = await this.#orStop(this.#devices.open(wanted), (opened) => opened, signal)
    for (const track of tracks) {
      this.#add(track.kind === 'audio' ? 'microphone' : 'camera', track)
    }
    this.emit('changed')
  }

  /** Stops what was opened for nobody: the app aborted, or the call ended meanwhile. */
  async #orStop<Opened>(
    opening: Promise<Opened>,
    tracksOf: (opened: Opened) => readonly (MediaStreamTrack | undefined)[],
    signal: AbortSignal | undefined,
  ): Promise<Opened> {
    const stopAll = (opened: Opened) => {
      for (const track of tracksOf(opened)) track?.stop()
    }
    try {
      const opened = await abortable(opening, signal)
      if (!this.#stopped) return opened
    } catch (error) {
      void opening.then(stopAll, () => undefined)
      throw error
    }
    void opening.then(stopAll)
    throw new CallError('call-ended')
  }

  #add(source: TrackSource, track: MediaStreamTrack): void {
    // Two openings at once, as when both sides call each other: the newer one is kept.
    this.#drop(source)
    this.#handles.set(source, new TrackHandle(source, track, this.#playback))
    this.#known.add(source)
    track.onended = () => {
      if (source === 'screen') {
        this.#closeScreen()
        return
      }
      this.#close(source)
      if (source === 'camera') this.emit('lost', new CallError('no-camera'))
      if (source === 'microphone') this.emit('lost', new CallError('no-microphone'))
    }
  }

  #closeScreen(): void {
    if (!this.#handles.has('screen')) return
    this.#drop('screen')
    this.#drop('screen-audio')
    this.#known.delete('screen')
    this.#known.delete('screen-audio')
    this.emit('changed')
  }

  #close(source: TrackSource): void {
    if (this.#drop(source)) this.emit('changed')
  }

  #drop(source: TrackSource): boolean {
    const handle = this.#handles.get(source)
    if (!handle) return false
    handle.mediaStreamTrack.onended = null
    handle.mediaStreamTrack.stop()
    handle.detach()
    return this.#handles.delete(source)
  }
}
