import type { Millis } from '@parley/protocol'
import { frameCount } from '../core/frames/frame-count.ts'
import { newOpening, opening } from '../core/frames/opening.ts'
import { newStreamProof, streamProof } from '../core/frames/stream-proof.ts'
import type { ProofEvent, ProofState } from '../core/frames/stream-proof.ts'
import type { StreamCount, StreamSpec } from './worker-messages.ts'

/** What a guarded stream is made with. */
export interface GuardedStreamOptions {
  readonly endpoint: RTCRtpSender | RTCRtpReceiver
  readonly spec: StreamSpec
  readonly now: () => Millis
  /** `state` changed. */
  readonly changed: () => void
  readonly closed: () => void
}

/** One sender or receiver under guard: nothing of it is sent or shown that was not sealed. */
export class GuardedStream {
  readonly spec: StreamSpec
  readonly #options: GuardedStreamOptions
  #proof
  #browserCount = 0
  #opening = newOpening

  constructor(options: GuardedStreamOptions) {
    this.#options = options
    this.spec = options.spec
    this.#proof = newStreamProof(options.now())
    // What was never opened is not to be seen or heard, not even as noise.
    this.#show(false)
  }

  /** A sender gives silence and black until it is `proven`. */
  get state(): ProofState {
    return this.#proof.state
  }

  /** Its frames come, and cannot be opened. */
  get isUnreadable(): boolean {
    return this.spec.direction === 'receive' && this.#opening.failing
  }

  dispatch(event: ProofEvent): void {
    const before = this.#proof.state
    this.#proof = streamProof(this.#proof, event, this.#options.now())
    const { state } = this.#proof
    if (state === before) return
    if (state === 'proven') this.#show(true)
    if (state === 'bypassed') this.#stop()
    this.#options.changed()
  }

  /** Asks the browser how many frames there were. */
  async readBrowserCount(): Promise<void> {
    const { endpoint, spec } = this.#options
    const report = await endpoint.getStats().catch(() => undefined)
    if (report) this.#browserCount = frameCount(report.values(), spec.direction)
  }

  /** Compares it with what the worker counted since. */
  judge({ seen, passed }: StreamCount): void {
    this.#opening = opening(this.#opening, { seen, opened: passed })
    this.dispatch({ type: 'counted', counts: { browser: this.#browserCount, worker: seen } })
  }

  /** Asks the encoder for a key frame of each layer, where the worker could not. */
  requestKeyFrame(): void {
    const { endpoint } = this.#options
    if (!('setParameters' in endpoint)) return
    const parameters = endpoint.getParameters()
    // Newer than the compiler's table of browsers.
    const options = { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) }
    // Where the browser does not know how, the receivers ask for one through the node.
    endpoint.setParameters(parameters, options).catch(() => undefined)
  }

  close(): void {
    this.#options.closed()
  }

  #show(shown: boolean): void {
    const { endpoint, spec } = this.#options
    if (spec.direction === 'receive' && endpoint.track) endpoint.track.enabled = shown
  }

  #stop(): void {
    const { endpoint } = this.#options
    this.#show(false)
    if ('replaceTrack' in endpoint) endpoint.replaceTrack(null).catch(() => undefined)
  }
}
