import type { ParticipantId } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { LOOK_EVERY_MS } from '../core/frames/stream-proof.ts'
import { CallError } from '../errors.ts'
import type { FrameEngine } from '../ports.ts'
import { ManualClock } from '../testing.ts'
import { FrameGuard } from './frame-guard.ts'
import type { EpochCause, FrameKeys, FrameKeysListener } from './frame-keys.ts'
import type { EncodedFrame } from './frame-pipe.ts'
import { FrameWorker } from './frame-worker.ts'
import type { StreamCount } from './worker-messages.ts'

const ALICE = 'alice' as ParticipantId
const BOB = 'bob' as ParticipantId
const microphone = { source: 'microphone', codec: 'opus' } as const

let clock: ManualClock
let alice: Device
let bob: Device

beforeEach(() => {
  clock = new ManualClock()
  alice = new Device(0)
  bob = new Device(1)
})

describe('media between two', () => {
  it('is heard by who has the keys, and is nothing to others on its way', async () => {
    const wire = alice.speak()
    const heard = bob.hear(ALICE, wire)
    await alice.begin(1)
    await bob.begin(1)
    await alice.say('hello')
    expect(await heard.next()).toBe('hello')
    expect(wire.passed.join()).not.toContain('hello')
    expect(alice.keys.installedEpochs).toEqual([1n])
  })

  it('does not leave without keys, nor after they were taken away', async () => {
    const wire = alice.speak()
    await alice.say('before')
    expect(alice.guard.keyed).toBe(false)
    await alice.begin(1)
    expect(alice.guard.keyed).toBe(true)
    await alice.say('during')
    alice.keys.listener?.stopped()
    expect(alice.guard.keyed).toBe(false)
    await alice.say('after')
    expect(wire.passed).toHaveLength(1)
    // A group that was made anew begins at an epoch of the same number.
    await alice.begin(1)
    expect(alice.guard.keyed).toBe(true)
    await alice.say('again')
    expect(wire.passed).toHaveLength(2)
  })

  it('goes on over a new epoch: old frames open still, for ten seconds', async () => {
    const wire = alice.speak()
    const heard = bob.hear(ALICE, wire, { byHand: true })
    await alice.begin(1)
    await bob.begin(1)
    await alice.say('one')
    await alice.say('two')
    await alice.say('three')
    await bob.begin(2)
    await bob.advance(1_000)
    await wire.deliver(0)
    expect(await heard.next()).toBe('one')
    await bob.advance(9_900)
    await wire.deliver(1)
    expect(await heard.next()).toBe('two')
    await bob.advance(200)
    await wire.deliver(2)
    await bob.judged(3)
    expect(heard.count).toBe(2)
  })
})

describe('a stream that passes the worker by', () => {
  it('[FRAME-16] is shown or heard by nobody until it is proven', async () => {
    const wire = alice.speak()
    const heard = bob.hear(ALICE, wire)
    expect(heard.track.enabled).toBe(false)
    await alice.begin(1)
    await bob.begin(1)
    await alice.say('hello')
    await heard.next()
    expect(heard.track.enabled).toBe(true)
    expect(heard.stream.state).toBe('proven')
  })

  it('is stopped within a second, and the app is told', async () => {
    const wire = alice.speak()
    await alice.begin(1)
    await alice.say('hello')
    expect(wire.stream.state).toBe('proven')
    wire.bypass(60)
    await alice.advance(LOOK_EVERY_MS)
    wire.bypass(60)
    await alice.advance(LOOK_EVERY_MS)
    expect(wire.stream.state).toBe('bypassed')
    expect(wire.track).toBeNull()
    expect(alice.errors.map(({ code }) => code)).toEqual(['encryption-lost'])
  })
})

it('says that it is of no use where its worker does not start', () => {
  alice.breakWorker()
  expect(alice.guard.broken).toBe(true)
  expect(alice.errors.map(({ code }) => code)).toEqual(['encryption-unsupported'])
})

it('goes on, and tells, when something fails in a worker that has started', async () => {
  await alice.begin(1)
  alice.breakWorker()
  expect(alice.guard.broken).toBe(false)
  expect(alice.errors.map(({ code }) => code)).toEqual(['encryption-lost'])
})

it('[FRAME-14] asks for a key frame when it begins to seal with a new epoch', async () => {
  const wire = alice.film()
  await alice.begin(1)
  expect(wire.keyFrames).toBe(1)
  await alice.begin(2)
  await alice.advance(1_000)
  expect(wire.keyFrames).toBe(2)
})

/** One member: a guard, and a worker in this very thread that does all the real work. */
class Device {
  readonly keys = new GivenKeys()
  readonly errors: CallError[] = []
  readonly guard: FrameGuard
  breakWorker: () => void = () => undefined
  readonly #leaf: number
  #worker: FrameWorker | undefined
  #counts: readonly StreamCount[] = []
  #said = 0
  #say: (text: string) => void = () => undefined

  constructor(leaf: number) {
    this.#leaf = leaf
    const engine: FrameEngine = {
      connectionSettings: {},
      check: () => Promise.resolve(),
      takeIncarnation: () => Promise.resolve(0),
      startWorker: (listener) => {
        this.breakWorker = () => listener.failed(new CallError('encryption-unsupported'))
        const worker = new FrameWorker((message) => {
          if (message.type === 'counted') this.#counts = message.counts
          queueMicrotask(() => listener.told(message))
        })
        this.#worker = worker
        return {
          post: (message) => void worker.handle(structuredClone(message)),
          attach: (endpoint, spec) => worker.attach(spec, (endpoint as unknown as Wire).streams),
          close: () => undefined,
        }
      },
    }
    this.guard = new FrameGuard({ keys: this.keys, engine, clock })
    this.guard.on('failed', (error) => this.errors.push(error))
  }

  /** Gives out the keys of an epoch, and waits until they are in place. */
  async begin(epoch: number, cause: EpochCause = 'join'): Promise<void> {
    this.keys.listener?.epoch({
      epoch: BigInt(epoch),
      baseKey: new Uint8Array(16).fill(epoch),
      ownLeaf: this.#leaf,
      leaves: new Map([
        [ALICE, 0],
        [BOB, 1],
      ]),
      cause,
    })
    while (!this.keys.installedEpochs.includes(BigInt(epoch))) await turn()
    await turn()
  }

  speak(): Wire {
    const wire = new Wire()
    this.#say = (text) => wire.put(text)
    wire.stream = this.guard.sender(wire as unknown as RTCRtpSender, microphone, () => undefined)
    return wire
  }

  film(): Wire {
    const wire = new Wire()
    const camera = { source: 'camera', codec: 'vp8' } as const
    wire.stream = this.guard.sender(wire as unknown as RTCRtpSender, camera, () => undefined)
    return wire
  }

  hear(participant: ParticipantId, from: Wire, { byHand = false } = {}): Ear {
    const ear = new Ear()
    const spec = { participant, source: 'microphone' } as const
    ear.stream = this.guard.receiver(ear as unknown as RTCRtpReceiver, spec, () => undefined)
    from.to = (bytes) => ear.put(bytes)
    from.byHand = byHand
    return ear
  }

  async say(text: string): Promise<void> {
    this.#say(text)
    await this.judged(++this.#said)
  }

  /** Waits until the worker has sealed, opened or dropped this many frames. */
  async judged(frames: number): Promise<void> {
    for (let done = 0; done < frames;) {
      await turn()
      await this.#worker?.handle({ type: 'count' })
      done = this.#counts
        .flatMap(({ passed, dropped }) => [passed, ...Object.values(dropped)])
        .reduce((sum, count) => sum + count, 0)
    }
  }

  async advance(byMs: number): Promise<void> {
    for (let done = 0; done < byMs; done += 100) {
      await clock.advance(100)
      await turn()
      await turn()
    }
  }
}

class GivenKeys implements FrameKeys {
  listener: FrameKeysListener | undefined
  readonly installedEpochs: bigint[] = []

  listen(listener: FrameKeysListener): () => void {
    this.listener = listener
    return () => (this.listener = undefined)
  }

  installed(epoch: bigint): void {
    this.installedEpochs.push(epoch)
  }

  renew(): void {
    throw new Error('nothing is used up')
  }
}

/** A sender whose frames go where the test wants. */
class Wire {
  stream!: ReturnType<FrameGuard['sender']>
  track: object | null = {}
  keyFrames = 0
  byHand = false
  to: (bytes: ArrayBuffer) => void = () => undefined
  readonly passed: string[] = []
  readonly #kept: ArrayBuffer[] = []
  readonly #through = new TransformStream<EncodedFrame, EncodedFrame>()
  readonly #in = this.#through.writable.getWriter()
  readonly streams = {
    readable: this.#through.readable,
    writable: new WritableStream<EncodedFrame>({ write: (frame) => this.#pass(frame.data) }),
  }
  #packets = 0

  put(text: string): void {
    const data = new TextEncoder().encode(text).buffer
    void this.#in.write({ data, getMetadata: () => ({}) })
  }

  /** The browser sends frames that the worker has not seen. */
  bypass(frames: number): void {
    this.#packets += frames
  }

  deliver(index: number): Promise<void> {
    this.to(this.#kept[index] ?? new ArrayBuffer())
    return turn()
  }

  getStats(): Promise<Map<string, object>> {
    const stats = { type: 'outbound-rtp', kind: 'audio', packetsSent: this.#packets }
    return Promise.resolve(new Map([['', stats]]))
  }

  replaceTrack(track: object | null): Promise<void> {
    this.track = track
    return Promise.resolve()
  }

  getParameters() {
    return { encodings: [{}, {}] }
  }

  setParameters(_parameters: unknown, { encodingOptions }: { encodingOptions: object[] }) {
    if (encodingOptions.length === 2) this.keyFrames++
    return Promise.resolve()
  }

  #pass(data: ArrayBuffer): void {
    this.#packets++
    this.passed.push(new TextDecoder().decode(data))
    this.#kept.push(data)
    if (!this.byHand) this.to(data)
  }
}

/** A receiver that tells what it was given to decode. */
class Ear {
  stream!: ReturnType<FrameGuard['receiver']>
  readonly track = { enabled: true }
  readonly #through = new TransformStream<EncodedFrame, EncodedFrame>()
  readonly #in = this.#through.writable.getWriter()
  readonly #heard: string[] = []
  count = 0
  readonly streams = {
    readable: this.#through.readable,
    writable: new WritableStream<EncodedFrame>({
      write: ({ data }) => {
        this.count++
        this.#heard.push(new TextDecoder().decode(data))
      },
    }),
  }

  put(data: ArrayBuffer): void {
    void this.#in.write({ data, getMetadata: () => ({}) })
  }

  async next(): Promise<string | undefined> {
    while (this.#heard.length === 0) await turn()
    return this.#heard.shift()
  }

  getStats(): Promise<Map<string, object>> {
    return Promise.resolve(new Map<string, object>())
  }
}

/** Lets streams and the cipher, which runs in other threads, get on. */
function turn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    resolve(undefined)
  }
  port2.postMessage(undefined)
  return promise
}
