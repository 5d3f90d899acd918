import { roomNameSchema } from '@parley/protocol'
import type { MediaSession, ParticipantId, ServerEvent, TransportInfo } from '@parley/protocol'
import { Camera } from './camera.ts'
import { MediaLine } from './media-line.ts'
import { Microphone } from './microphone.ts'
import { audioLevelId, cameraParameters, microphoneParameters, receivable } from './ortc.ts'
import type { Seat } from './plan.ts'
import type { Instruments } from './received-stream.ts'
import { decodeFeedback, isRtcp } from './rtcp.ts'
import { decodeRtp } from './rtp.ts'
import type { ClientFailure, ClientPhase, ClientSample, StreamSample } from './samples.ts'
import { RequestError, SignalingClient } from './signaling-client.ts'
import { Subscriptions } from './subscriptions.ts'
import type { MediaSeat } from './subscriptions.ts'

/** What all callers of a run share. */
export interface ParticipantContext {
  readonly url: URL
  readonly tokenFor: (user: string) => Promise<string>
  /** Seats by user. */
  readonly seats: ReadonlyMap<string, Seat>
  readonly instruments: Instruments
  readonly video: boolean
  readonly silence: boolean
  /** Opus frames of a tone. */
  readonly tone: (toneHz: number) => readonly Buffer[]
}

/** SSRCs live within one transport, so every caller may use the same. */
const MICROPHONE_SSRC = 1_001
const CAMERA_SSRC = 2_001

/** One simulated caller: comes in, sends, receives what the others send, and leaves. */
export class Participant {
  readonly seat: Seat
  readonly #context: ParticipantContext
  readonly #subscriptions: Subscriptions
  readonly #phases: Partial<Record<ClientPhase, number>> = {}
  readonly #closers: (() => void)[] = []
  #me: ParticipantId | undefined
  #isIn = false
  #hasLeft = false
  #microphone: Microphone | undefined
  #camera: Camera | undefined
  #failure: ClientFailure | undefined
  #strayPackets = 0

  constructor(seat: Seat, context: ParticipantContext) {
    const { seats, instruments } = context
    this.seat = seat
    this.#context = context
    this.#subscriptions = new Subscriptions({
      seat,
      seats,
      instruments,
      onFailure: (error) => this.#fail('consume', error),
    })
  }

  /** In the room with its media, as far as it knows. */
  get isIn(): boolean {
    return this.#isIn && !this.hasFailed
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  get streamsFlowing(): number {
    return this.#subscriptions.flowing
  }

  /** Comes in and begins to send; a failure is kept for the sample, not thrown. */
  async enter(): Promise<void> {
    let during: ClientPhase = 'connect'
    const timed = async <T>(phase: ClientPhase, work: () => Promise<T>): Promise<T> => {
      during = phase
      const startedAtMs = performance.now()
      const result = await work()
      this.#phases[phase] = performance.now() - startedAtMs
      return result
    }
    try {
      const token = await this.#context.tokenFor(this.seat.user)
      const signaling = await timed('connect', () => this.#connect(token))
      const media = await timed('join', () => this.#join(signaling))
      const session = await timed('mediaOpen', () => openMedia(media))
      const line = await timed('mediaConnected', async () => {
        const [sending] = await Promise.all([
          this.#openLine(media, session.send, 'send'),
          this.#openLine(media, session.recv, 'receive'),
        ])
        return sending
      })
      await timed('publish', () => this.#publish(media, session, line))
      this.#isIn = true
      this.#subscriptions.begin(media)
    } catch (error) {
      this.#fail(during, error)
    }
  }

  /** What was measured up to `nowMs`. */
  sample(nowMs: number): { client: ClientSample; streams: readonly StreamSample[] } {
    const sending = [this.#microphone, this.#camera].flatMap((sender) => sender?.frames ?? [])
    const client = {
      seat: this.seat,
      phases: this.#phases,
      failure: this.#failure,
      sentFrames: sending.reduce((sum, { sent }) => sum + sent, 0),
      skippedFrames: sending.reduce((sum, { skipped }) => sum + skipped, 0),
      strayPackets: this.#strayPackets,
    }
    return { client, streams: this.#subscriptions.sample(nowMs) }
  }

  /** Stops sending and goes. Called again, closes what has been opened in the meantime. */
  leave(): void {
    this.#hasLeft = true
    for (const close of this.#closers.splice(0).toReversed()) close()
  }

  async #connect(token: string): Promise<SignalingClient> {
    const signaling = await SignalingClient.connect({
      url: this.#context.url,
      token,
      device: this.seat.user,
      onEvent: (event) => this.#onEvent(event),
      onLost: (reason) => this.#fail('stay', new RequestError('signaling-lost', reason)),
    })
    // To the server, a socket that is closed by intent is a caller who leaves.
    this.#closers.push(() => signaling.close())
    return signaling
  }

  async #join(signaling: SignalingClient): Promise<MediaSeat> {
    const entered = await signaling.request('room.join', {
      room: roomNameSchema.parse(this.seat.room),
      media: { audio: true, video: this.#context.video },
      topology: 'sfu',
    })
    if (!('call' in entered)) throw new RequestError('bad-answer', 'the room has a lobby')
    const { call, participant } = entered
    const { path, epoch } = call.topology
    if (path !== 'sfu') throw new RequestError('bad-answer', `the room's path is ${path}, not sfu`)
    this.#me = participant
    this.#subscriptions.see(call, participant)
    return { signaling, inMedia: { call: call.id, epoch } }
  }

  async #openLine(
    { signaling, inMedia }: MediaSeat,
    info: TransportInfo,
    direction: 'send' | 'receive',
  ): Promise<MediaLine> {
    const line = await MediaLine.open(info, direction)
    this.#closers.push(() => line.close())
    line.onPacket((bytes) => this.#onPacket(bytes))
    const { dtlsParameters } = line
    await signaling.request('sfu.connect', { ...inMedia, transport: info.id, dtlsParameters })
    await line.connect((state) => {
      this.#fail('stay', new RequestError('media-lost', `the ${direction} transport is ${state}`))
    })
    return line
  }

  async #publish(media: MediaSeat, session: MediaSession, line: MediaLine): Promise<void> {
    const { signaling, inMedia } = media
    const { silence, tone, instruments, video } = this.#context
    const send = (bytes: Buffer) => line.send(bytes)
    const levelId = audioLevelId(session)
    const base = { ...inMedia, transport: session.send.id, paused: false }
    await signaling.request('sfu.produce', {
      ...base,
      source: 'microphone',
      rtpParameters: microphoneParameters(MICROPHONE_SSRC, levelId),
    })
    const microphone = new Microphone({
      ssrc: MICROPHONE_SSRC,
      frames: tone(this.seat.toneHz),
      silent: silence,
      levelId,
      send,
    })
    this.#microphone = microphone
    this.#run(microphone)
    if (!video) return
    const films = instruments.films.layers
    const ssrcs = films.map((_, index) => CAMERA_SSRC + index)
    await signaling.request('sfu.produce', {
      ...base,
      source: 'camera',
      rtpParameters: cameraParameters(ssrcs),
    })
    const camera = new Camera({ ssrcs, films, send })
    this.#camera = camera
    this.#run(camera)
  }

  #run(sender: { start(): void; stop(): void }): void {
    this.#closers.push(() => sender.stop())
    sender.start()
  }

  #onEvent(event: ServerEvent): void {
    if (event.type === 'call.updated') this.#subscriptions.see(event.data.call, this.#me)
    if (event.type === 'sfu.demand') this.#camera?.limit(event.data.maxSpatialLayer)
    if (event.type === 'call.ended') {
      this.#fail('stay', new RequestError('call-ended', `the call ended: ${event.data.reason}`))
    }
  }

  #onPacket(bytes: Buffer): void {
    if (isRtcp(bytes)) {
      for (const feedback of decodeFeedback(bytes)) this.#camera?.take(feedback)
      return
    }
    const packet = decodeRtp(bytes)
    if (!packet.ok || !this.#subscriptions.take(packet.value)) this.#strayPackets += 1
  }

  /** Keeps the first failure; what follows from it says less. */
  #fail(during: ClientFailure['during'], error: unknown): void {
    if (this.#hasLeft) return
    const code = error instanceof RequestError ? error.code : 'failed'
    const message = error instanceof Error ? error.message : String(error)
    this.#failure ??= { during, code, message }
  }
}

async function openMedia({ signaling, inMedia }: MediaSeat): Promise<MediaSession> {
  const session = await signaling.request('sfu.open', inMedia)
  const rtpCapabilities = receivable(session)
  await signaling.request('sfu.capabilities', { ...inMedia, rtpCapabilities })
  return session
}
