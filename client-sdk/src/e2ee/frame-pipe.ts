import type { FrameResult } from './frame-sealing.ts'
import type { DropReason, StreamCount } from './worker-messages.ts'

/** The part of `RTCEncodedVideoFrame` and `RTCEncodedAudioFrame` that is used. */
export interface EncodedFrame {
  data: ArrayBuffer
  getMetadata(): { readonly mimeType?: string }
}

/** Where a stream's frames come from and go to. */
export interface FrameStreams {
  readonly readable: ReadableStream<EncodedFrame>
  readonly writable: WritableStream<EncodedFrame>
}

/**
 * Frames that may wait for the cipher. The browser's streams know no back-pressure, so what comes
 * faster than it is sealed would pile up; larger delays media, smaller loses more in a hiccup.
 */
const MOST_WAITING = 30

/** Takes each frame of a stream through the cipher, in order. What it does not give is dropped. */
export class FramePipe {
  readonly #stream: number
  readonly #transform: (frame: EncodedFrame) => Promise<FrameResult>
  readonly #onFirst: () => void
  readonly #dropped: Partial<Record<DropReason, number>> = {}
  #waiting: readonly EncodedFrame[] = []
  #busy = false
  #seen = 0
  #passed = 0

  constructor(
    stream: number,
    transform: (frame: EncodedFrame) => Promise<FrameResult>,
    onFirst: () => void,
  ) {
    this.#stream = stream
    this.#transform = transform
    this.#onFirst = onFirst
  }

  get count(): StreamCount {
    const dropped = { ...this.#dropped }
    return { stream: this.#stream, seen: this.#seen, passed: this.#passed, dropped }
  }

  /** Runs until the browser ends the stream. */
  async run({ readable, writable }: FrameStreams): Promise<void> {
    const reader = readable.getReader()
    const writer = writable.getWriter()
    // A closed sender is the one way to fail, and then nothing is left to do.
    writer.closed.catch(() => undefined)
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
      if (done || !value) return
      this.#take(value, writer)
    }
  }

  #take(frame: EncodedFrame, writer: WritableStreamDefaultWriter<EncodedFrame>): void {
    if (++this.#seen === 1) this.#onFirst()
    if (this.#waiting.length >= MOST_WAITING) {
      this.#drop('overrun')
      return
    }
    this.#waiting = [...this.#waiting, frame]
    if (!this.#busy) void this.#work(writer)
  }

  async #work(writer: WritableStreamDefaultWriter<EncodedFrame>): Promise<void> {
    this.#busy = true
    for (let frame = this.#waiting[0]; frame; frame = this.#waiting[0]) {
      const result = await this.#result(frame)
      this.#waiting = this.#waiting.slice(1)
      if (typeof result === 'string') {
        this.#drop(result)
        continue
      }
      frame.data = result.buffer
      this.#passed++
      writer.write(frame).catch(() => undefined)
    }
    this.#busy = false
  }

  /** An error of the browser costs one frame: those behind it must not wait for good. */
  async #result(frame: EncodedFrame): Promise<FrameResult> {
    try {
      return await this.#transform(frame)
    } catch {
      return 'failed'
    }
  }

  #drop(reason: DropReason): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1
  }
}
