import { frameCodecOf } from '../core/frames/clear-part.ts'
import { FramePipe } from './frame-pipe.ts'
import type { EncodedFrame, FrameStreams } from './frame-pipe.ts'
import { openFrame, sealFrame } from './frame-sealing.ts'
import type { FrameResult } from './frame-sealing.ts'
import { HeldKeys } from './held-keys.ts'
import type { FromWorker, SendingStream, StreamSpec, ToWorker } from './worker-messages.ts'

/** The part of `RTCRtpScriptTransformer` that is used. */
export interface Transformer extends FrameStreams {
  /** Not in Chromium. */
  generateKeyFrame?(): Promise<unknown>
}

interface Attached {
  readonly pipe: FramePipe
  readonly spec: StreamSpec
  readonly transformer: Transformer
}

/** What runs in the worker: all keys of a call, and every frame of it. */
export class FrameWorker {
  readonly #tell: (message: FromWorker) => void
  readonly #keys: HeldKeys
  readonly #streams = new Map<number, Attached>()

  constructor(tell: (message: FromWorker) => void) {
    this.#tell = tell
    this.#keys = new HeldKeys(() => tell({ type: 'renew' }))
  }

  /** Takes in a message of the page. */
  async handle(message: ToWorker): Promise<void> {
    switch (message.type) {
      case 'install':
        await this.#keys.install(message.secret)
        this.#tell({ type: 'installed', slot: message.secret.slot })
        return
      case 'sendWith':
        this.#keys.sendWith(message.slot)
        this.#wantKeyFrames()
        return
      case 'forget':
        this.#keys.forget(message.slot)
        return
      case 'attach':
        this.attach(message.spec, message)
        return
      case 'detach':
        this.#streams.delete(message.stream)
        return
      case 'count':
        this.#tell({ type: 'counted', counts: [...this.#streams.values()].map(countOf) })
    }
  }

  /** Begins to take a stream's frames through the cipher. */
  attach(spec: StreamSpec, transformer: Transformer): void {
    const { stream } = spec
    const pipe = new FramePipe(stream, this.#cipherOf(spec), () =>
      this.#tell({ type: 'firstFrame', stream }),
    )
    this.#streams.set(stream, { pipe, spec, transformer })
    this.#tell({ type: 'attached', stream })
    void pipe.run(transformer)
  }

  #cipherOf(spec: StreamSpec): (frame: EncodedFrame) => Promise<FrameResult> {
    const keys = this.#keys
    if (spec.direction === 'receive') return ({ data }) => openFrame(keys, spec, bytesOf(data))
    const codecOf = codecReader(spec)
    return (frame) => {
      const codec = codecOf(frame)
      if (!codec) return Promise.resolve('not-a-frame')
      return sealFrame(keys, { ...spec, codec }, bytesOf(frame.data))
    }
  }

  /** Who has come with the new epoch can show nothing before a key frame of it. */
  #wantKeyFrames(): void {
    for (const { spec, transformer } of this.#streams.values()) {
      if (spec.direction !== 'send' || spec.codec === 'opus') continue
      const { stream } = spec
      if (transformer.generateKeyFrame) transformer.generateKeyFrame().catch(() => undefined)
      else this.#tell({ type: 'keyFrameWanted', stream })
    }
  }
}

function countOf({ pipe }: Attached) {
  return pipe.count
}

/** The negotiated codec, unless the browser says that the frame is of another one. */
function codecReader({ codec }: SendingStream) {
  return (frame: EncodedFrame) => {
    const { mimeType } = frame.getMetadata()
    return mimeType === undefined ? codec : frameCodecOf(mimeType)
  }
}

function bytesOf(data: ArrayBuffer): Uint8Array {
  return new Uint8Array(data)
}
