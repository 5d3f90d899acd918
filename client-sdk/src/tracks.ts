import type { LayerReason, MediaKind, TrackSource } from '@parley/protocol'
import { kindOf } from './core/media-kind.ts'
import type { Playback } from './playback.ts'
import type { TileSize } from './ports.ts'

/** Audio or video that can be put into an element. */
export interface Track {
  readonly kind: MediaKind
  readonly source: TrackSource
  /** May change during a call, as when its path does; attached elements follow by themselves. */
  readonly mediaStreamTrack: MediaStreamTrack
  /**
   * Plays the track in an element and answers the element. Microphone and camera of one person may
   * share one. For video, its size on the page decides how much is received.
   */
  attach<Element extends HTMLMediaElement>(element: Element): Element
  /** Takes the track out of an element, or out of all. */
  detach(element?: HTMLMediaElement): void
}

/** How much of a video is taken at present, and why not more. `layer` null: nothing. */
export interface LayerState {
  readonly layer: number | null
  readonly reason: LayerReason
}

/** A track of somebody else. `layer` is known on the path through the SFU only. */
export interface RemoteTrack extends Track {
  readonly layer: LayerState | undefined
}

/** A track of this device. `demand`: the highest layer that anybody takes, through the SFU. */
export interface LocalTrack extends Track {
  readonly demand: LayerState | undefined
}

/** A track as the SDK holds it: both public faces, and the handles to change it. */
export class TrackHandle implements RemoteTrack, LocalTrack {
  readonly kind: MediaKind
  readonly source: TrackSource
  layer: LayerState | undefined
  demand: LayerState | undefined
  readonly #playback: Playback
  readonly #tileChanged: () => void
  readonly #elements = new Map<HTMLMediaElement, { size: TileSize | undefined; stop: () => void }>()
  #track: MediaStreamTrack
  #wasAttached = false

  constructor(
    source: TrackSource,
    track: MediaStreamTrack,
    playback: Playback,
    tileChanged: () => void = () => undefined,
  ) {
    this.source = source
    this.kind = kindOf(source)
    this.#track = track
    this.#playback = playback
    this.#tileChanged = tileChanged
  }

  get mediaStreamTrack(): MediaStreamTrack {
    return this.#track
  }

  /** The largest of its tiles. A track that was never attached is shown by the app: no answer. */
  get tile(): TileSize | undefined {
    if (!this.#wasAttached) return undefined
    const sizes = [...this.#elements.values()].map(({ size }) => size)
    // What has not been measured yet counts as not known, so that nothing is switched off by it.
    if (sizes.includes(undefined)) return undefined
    const shown = sizes.flatMap((size) => (size?.visible ? [size] : []))
    if (shown.length === 0) return { width: 0, height: 0, visible: false }
    return shown.reduce((a, b) => (a.width * a.height >= b.width * b.height ? a : b))
  }

  attach<Element extends HTMLMediaElement>(element: Element): Element {
    this.#wasAttached = true
    if (!this.#elements.has(element)) {
      const entry: { size: TileSize | undefined; stop: () => void } = {
        size: undefined,
        stop: () => undefined,
      }
      this.#elements.set(element, entry)
      if (this.kind === 'video') {
        entry.stop = this.#playback.watch(element, (size) => {
          entry.size = size
          this.#tileChanged()
        })
      }
    }
    this.#playback.show(element, this.#track)
    return element
  }

  detach(element?: HTMLMediaElement): void {
    for (const [attached, { stop }] of this.#elements) {
      if (element && attached !== element) continue
      stop()
      this.#elements.delete(attached)
      this.#playback.hide(attached, this.#track)
    }
    this.#tileChanged()
  }

  /** Goes on with another browser track, wherever it is attached. */
  replace(track: MediaStreamTrack): void {
    if (track === this.#track) return
    this.#track = track
    for (const element of this.#elements.keys()) this.#playback.show(element, track)
  }
}
