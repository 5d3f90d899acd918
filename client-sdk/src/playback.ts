import { Emitter } from './emitter.ts'
import type { Environment, TileSize } from './ports.ts'

interface PlaybackEvents {
  /** The browser wants a gesture of the user first. */
  blocked: []
}

/** Puts tracks into media elements: one stream per element, one track of each kind in it. */
export class Playback extends Emitter<PlaybackEvents> {
  readonly #environment: Pick<Environment, 'createStream' | 'tiles'>
  readonly #streams = new WeakMap<HTMLMediaElement, MediaStream>()
  readonly #blocked = new Set<HTMLMediaElement>()

  constructor(environment: Pick<Environment, 'createStream' | 'tiles'>) {
    super()
    this.#environment = environment
  }

  /** Shows a track in an element, in the place of another one of its kind. */
  show(element: HTMLMediaElement, track: MediaStreamTrack): void {
    const stream = this.#streamOf(element)
    const others = stream.getTracks().filter((t) => t.kind === track.kind && t !== track)
    // In this order: Firefox goes over to an added track only while it has no other of its kind.
    for (const other of others) stream.removeTrack(other)
    if (!stream.getTracks().includes(track)) stream.addTrack(track)
    if (element.srcObject !== stream) element.srcObject = stream
    element.autoplay = true
    if ('playsInline' in element) element.playsInline = true
    void this.#play(element)
  }

  hide(element: HTMLMediaElement, track: MediaStreamTrack): void {
    const stream = this.#streams.get(element)
    if (!stream) return
    stream.removeTrack(track)
    if (stream.getTracks().length > 0) return
    this.#blocked.delete(element)
    this.#streams.delete(element)
    if (element.srcObject === stream) element.srcObject = null
  }

  /** Plays what the browser has blocked; call it from a click or key. */
  async resume(): Promise<void> {
    const elements = [...this.#blocked]
    this.#blocked.clear()
    await Promise.all(elements.map((element) => this.#play(element)))
  }

  watch(element: HTMLMediaElement, changed: (size: TileSize) => void): () => void {
    return this.#environment.tiles.watch(element, changed)
  }

  #streamOf(element: HTMLMediaElement): MediaStream {
    const known = this.#streams.get(element)
    if (known) return known
    const stream = this.#environment.createStream([])
    this.#streams.set(element, stream)
    return stream
  }

  async #play(element: HTMLMediaElement): Promise<void> {
    try {
      await element.play()
    } catch (error) {
      // Other failures (a newer load, a removed element) heal by themselves.
      if (!(error instanceof Error) || error.name !== 'NotAllowedError') return
      this.#blocked.add(element)
      this.emit('blocked')
    }
  }
}
