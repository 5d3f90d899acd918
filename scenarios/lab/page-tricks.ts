// Runs in the test page: what a browser, or who has changed the page, can do that the SDK does not.

const connections: RTCPeerConnection[] = []
const workers: Worker[] = []
/** The streams that come to the page, as the worker numbers them. */
const receiving = new Set<number>()
/** What each worker has counted last. */
const counts = new Map<Worker, readonly Count[]>()
/** When frames were last found opened, ms since the epoch. */
let lastOpenedAt = 0
let nextStream = 1_000_000

/** How often the worker is asked for its counts where the SDK asks no more. */
const COUNT_EVERY_MS = 50

/** The count that the worker gives of a stream. */
interface Count {
  readonly stream: number
  readonly seen: number
  readonly passed: number
  readonly dropped: Readonly<Record<string, number>>
}

export const tricks = {
  /** Plays an SDK that does not heed moderators: it hears of nothing that they have silenced. */
  ignoreModerators() {
    const { WebSocket: Plain } = globalThis
    globalThis.WebSocket = class extends Plain {
      override set onmessage(heed: (event: MessageEvent<string>) => void) {
        super.onmessage = ({ data }: MessageEvent<string>) => {
          if (data.includes('"call.muted"')) return
          const unheard = data.replaceAll(/"silenced":\[[^\]]*\],|,"silenced":\[[^\]]*\]/g, '')
          heed(new MessageEvent('message', { data: unheard }))
        }
      }
    }
  },

  /** Plays a browser that takes a sender's transform and does nothing with it. */
  loseTransforms() {
    Object.defineProperty(RTCRtpSender.prototype, 'transform', { set: () => undefined })
  },

  /** Plays a Chromium from before script transforms. */
  forgetScriptTransforms() {
    Reflect.deleteProperty(globalThis, 'RTCRtpScriptTransform')
  },

  /** Plays somebody who keeps his connections and every key, whatever the SDK has done with them. */
  hangOn() {
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...args: ConstructorParameters<typeof RTCPeerConnection>) {
        super(...args)
        connections.push(this)
      }
      override close() {
        // Goes on receiving.
      }
    }
    globalThis.RTCRtpScriptTransform = class extends RTCRtpScriptTransform {
      constructor(worker: Worker, spec: { direction: string; stream: number }) {
        super(worker, spec)
        if (spec.direction === 'receive') receiving.add(spec.stream)
      }
    }
    globalThis.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args)
        workers.push(this)
        this.addEventListener(
          'message',
          ({ data }: MessageEvent<{ counts?: readonly Count[] }>) => {
            if (!data.counts) return
            const before = openedBy(this)
            counts.set(this, data.counts)
            if (openedBy(this) > before) lastOpenedAt = Date.now()
          },
        )
      }
      override postMessage(message: { type: string }, transfer?: unknown) {
        const letsGo = message.type === 'forget' || message.type === 'detach'
        if (!letsGo) super.postMessage(message, transfer as Transferable[])
      }
      override terminate() {
        // Goes on opening frames.
        setInterval(() => super.postMessage({ type: 'count' }), COUNT_EVERY_MS)
      }
    }
  },

  /** What has become of the frames that have come over all connections. */
  async taken() {
    let pictures = 0
    for (const connection of connections) {
      for (const stats of (await connection.getStats()).values() as Iterable<InboundStats>) {
        if (stats.type === 'inbound-rtp') pictures += stats.framesDecoded ?? 0
      }
    }
    const unknown = [...counts.values()].flat().map(({ dropped }) => dropped['unknown-epoch'] ?? 0)
    return { pictures, lastOpenedAt, ofUnknownKeys: unknown.reduce((sum, some) => sum + some, 0) }
  },

  /** How many of these sealed frames, in base64, the page's keys open as a participant's camera. */
  async opened(participant: string, frames: readonly string[]) {
    const worker = workers.at(-1)
    if (!worker) throw new Error('the page has no keys')
    const stream = nextStream++
    const [sealed, open] = [new TransformStream(), new TransformStream()]
    const ends = [sealed.readable, open.writable]
    const spec = { direction: 'receive', stream, source: 'camera', participant }
    worker.postMessage(
      { type: 'attach', spec, readable: ends[0], writable: ends[1] },
      ends as Transferable[],
    )
    // What is opened is of no interest, but has to go somewhere.
    void open.readable.pipeTo(new WritableStream()).catch(() => undefined)
    const writer = sealed.writable.getWriter()
    for (const base64 of frames) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      await writer.write({ data: bytes.buffer })
    }
    for (;;) {
      const { seen, passed, dropped } = await countOf(worker, stream)
      const settled = Object.values(dropped).reduce((sum, count) => sum + count, passed)
      if (seen === frames.length && settled === seen) return passed
    }
  },
}

interface InboundStats {
  readonly type: string
  readonly framesDecoded?: number
}

function openedBy(worker: Worker): number {
  const taken = (counts.get(worker) ?? []).filter(({ stream }) => receiving.has(stream))
  return taken.reduce((sum, { passed }) => sum + passed, 0)
}

function countOf(worker: Worker, stream: number): Promise<Count> {
  return new Promise((resolve) => {
    const hear = ({ data }: MessageEvent<{ type: string; counts?: readonly Count[] }>) => {
      const count = data.counts?.find((one) => one.stream === stream)
      if (!count) return
      worker.removeEventListener('message', hear)
      resolve(count)
    }
    worker.addEventListener('message', hear)
  })
}
