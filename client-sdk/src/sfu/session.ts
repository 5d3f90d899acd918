import type { Device, types } from 'mediasoup-client'
import type {
  CallId,
  ConsumerId,
  IceServer,
  MediaSession,
  ProducerId,
  TransportId,
  TransportInfo,
} from '@parley/protocol'
import { nodeProtection } from '../core/frames/call-protection.ts'
import type { PathProtection } from '../core/frames/call-protection.ts'
import type { StreamKey, WantedStream } from '../core/media-plan.ts'
import { pathState } from '../core/path-state.ts'
import type { PathState } from '../core/path-state.ts'
import { chooseCodec } from '../core/video-codec.ts'
import type { VideoCodec } from '../core/video-codec.ts'
import { SFU_OPEN_ATTEMPTS, SFU_OPEN_RETRY_MS } from '../defaults.ts'
import type { FrameGuard } from '../e2ee/frame-guard.ts'
import { CallError } from '../errors.ts'
import type {
  Clock,
  LocalSources,
  PathListener,
  PathSession,
  RemoteStream,
  TileSize,
} from '../ports.ts'
import type { Request } from '../signaling.ts'
import { Receivers } from './receivers.ts'
import { Senders } from './senders.ts'
import type { ProducerTag } from './senders.ts'

/** What a path through a node is made with. */
export interface SfuSessionOptions {
  readonly call: CallId
  readonly epoch: number
  readonly clock: Clock
  readonly request: Request
  readonly iceServers: () => Promise<readonly IceServer[]>
  readonly iceTransportPolicy: RTCIceTransportPolicy
  readonly videoCodec: VideoCodec
  /** Guards the frames of the call; may throw `encryption-unsupported`. */
  readonly guard: (() => FrameGuard) | undefined
  readonly listener: PathListener
}

interface Opened {
  readonly send: types.Transport
  readonly recv: types.Transport
  readonly senders: Senders
  readonly receivers: Receivers
  readonly guard: FrameGuard | undefined
  readonly stopListening: (() => void) | undefined
}

/** Media through one room of an SFU node: that of one epoch of one call. */
export class SfuSession implements PathSession {
  readonly #options: SfuSessionOptions
  #opened: Opened | undefined
  #sources: LocalSources = new Map()
  #wanted: readonly WantedStream[] = []
  #tiles: ReadonlyMap<StreamKey, TileSize> = new Map()
  #state: PathState = 'connecting'
  #closed = false

  constructor(options: SfuSessionOptions) {
    this.#options = options
    void this.#start()
  }

  get state(): PathState {
    return this.#opened?.guard?.broken === true ? 'failed' : this.#state
  }

  get streams(): ReadonlyMap<StreamKey, RemoteStream> {
    return this.#opened?.receivers.streams ?? new Map<StreamKey, RemoteStream>()
  }

  get publishing(): boolean {
    const opened = this.#opened
    if (!opened?.senders.settled) return false
    return opened.senders.size === 0 || opened.send.connectionState === 'connected'
  }

  get protection(): PathProtection {
    if (!this.#options.guard) return 'plain'
    const { guard, senders, receivers } = this.#opened ?? {}
    if (!guard || !senders || !receivers) return 'pending'
    return nodeProtection({
      keyed: guard.keyed,
      senders: senders.proofs,
      receivers: receivers.proofs,
    })
  }

  publish(sources: LocalSources): void {
    this.#sources = sources
    this.#opened?.senders.publish(sources)
  }

  receive(wanted: readonly WantedStream[]): void {
    this.#wanted = wanted
    this.#opened?.receivers.receive(wanted)
  }

  show(tiles: ReadonlyMap<StreamKey, TileSize>): void {
    this.#tiles = tiles
    this.#opened?.receivers.show(tiles)
  }

  /** Sends no more layers than anybody takes; tells which source it was about. */
  demand(producer: ProducerId, maxSpatialLayer: number) {
    const source = this.#opened?.senders.sourceOf(producer)
    if (source) this.#opened?.senders.demand(source, maxSpatialLayer)
    return source
  }

  keyOf(consumer: ConsumerId): StreamKey | undefined {
    return this.#opened?.receivers.keyOf(consumer)
  }

  async decoded(): Promise<ReadonlySet<StreamKey>> {
    return (await this.#opened?.receivers.decoded()) ?? new Set()
  }

  async reports(): Promise<readonly RTCStatsReport[]> {
    const { send, recv } = this.#opened ?? {}
    const open = [send, recv].flatMap((t) => (t && !t.closed ? [t.getStats()] : []))
    return Promise.all(open)
  }

  restartIce(): void {
    void this.#restartTransports()
  }

  resync(): void {
    this.#opened?.senders.retry()
    this.#opened?.receivers.retry()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { send, recv, senders, receivers, stopListening } = this.#opened ?? {}
    send?.close()
    recv?.close()
    senders?.close()
    receivers?.close()
    stopListening?.()
  }

  async #start(): Promise<void> {
    try {
      // Loaded on the first use: a direct call does without it.
      const [{ Device: SfuDevice }, session] = await Promise.all([
        import('mediasoup-client'),
        this.#requestSession(),
      ])
      if (this.#closed) return
      const guard = this.#options.guard?.()
      const device = await SfuDevice.factory()
      // Made by mediasoup on the node, opaque on the way; so are the casts below.
      const routerRtpCapabilities = session.rtpCapabilities as types.RtpCapabilities
      await device.load({ routerRtpCapabilities })
      const { call, epoch, request } = this.#options
      // A plain copy: what travels is JSON.
      const rtpCapabilities = { ...device.recvRtpCapabilities }
      await request('sfu.capabilities', { call, epoch, rtpCapabilities })
      const iceServers = await this.#options.iceServers()
      if (this.#isClosed()) return
      this.#open(device, session, { iceServers, guard })
    } catch (error) {
      if (this.#isClosed()) return
      this.#state = 'failed'
      const isOurs = error instanceof CallError && error.code === 'encryption-unsupported'
      if (isOurs) this.#options.listener.failed(error)
      this.#options.listener.changed()
    }
  }

  async #requestSession(): Promise<MediaSession> {
    const { call, epoch, request, clock } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        return await request('sfu.open', { call, epoch })
      } catch (error) {
        const mayHelp = error instanceof CallError && error.retryable
        if (!mayHelp || attempt >= SFU_OPEN_ATTEMPTS || this.#closed) throw error
        await new Promise<void>((resolve) => void clock.after(SFU_OPEN_RETRY_MS, resolve))
      }
    }
  }

  #open(
    device: Device,
    session: MediaSession,
    { iceServers, guard }: { iceServers: readonly IceServer[]; guard: FrameGuard | undefined },
  ): void {
    const { call, epoch, request, listener, iceTransportPolicy, videoCodec } = this.#options
    const room = { call, epoch }
    const transportOptions = (info: TransportInfo) => ({
      ...(info as unknown as types.TransportOptions),
      iceServers: iceServers.map((server) => ({ ...server }) as RTCIceServer),
      iceTransportPolicy,
      additionalSettings: { ...guard?.connectionSettings },
    })
    const send = device.createSendTransport(transportOptions(session.send))
    const recv = device.createRecvTransport(transportOptions(session.recv))
    for (const transport of [send, recv]) this.#watch(transport)
    send.on('produce', ({ rtpParameters, appData }, done, failed) => {
      const { source, paused } = appData as ProducerTag
      const transport = send.id as TransportId
      request('sfu.produce', {
        ...room,
        transport,
        source,
        paused,
        rtpParameters: { ...rtpParameters },
      }).then(({ producer }) => done({ id: producer }), failed)
    })
    const changed = () => {
      this.#readState()
      listener.changed()
    }
    const shared = device.sendRtpCapabilities.codecs ?? []
    const senders = new Senders({
      transport: send,
      guard,
      codecFor: (kind) => chooseCodec(kind, shared, videoCodec),
      svc: !device.handlerName.startsWith('Firefox'),
      pause: (producer, paused) => request('sfu.pause', { ...room, producer, paused }),
      unproduce: (producer) => request('sfu.unproduce', { ...room, producer }),
      changed,
    })
    const receivers = new Receivers({
      transport: recv,
      guard,
      consume: (producer) => request('sfu.consume', { ...room, producer }),
      resume: (consumer) => request('sfu.resume', { ...room, consumer }),
      view: (views) => request('sfu.view', { ...room, views }),
      changed,
    })
    const stopListening = guard?.on('changed', changed)
    this.#opened = { send, recv, senders, receivers, guard, stopListening }
    receivers.show(this.#tiles)
    receivers.receive(this.#wanted)
    senders.publish(this.#sources)
    changed()
  }

  #watch(transport: types.Transport): void {
    const { call, epoch, request, listener } = this.#options
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      request('sfu.connect', {
        call,
        epoch,
        transport: transport.id as TransportId,
        dtlsParameters: { ...dtlsParameters },
      }).then(() => done(), failed)
    })
    transport.on('connectionstatechange', (state) => {
      this.#readState()
      listener.changed()
      if (state === 'failed') listener.broken()
    })
  }

  /** The path is as healthy as the worse of its two transports, of those that are in use. */
  #readState(): void {
    const opened = this.#opened
    if (!opened) return
    const { send, recv, senders, receivers } = opened
    const states = [
      ...(senders.size > 0 ? [send.connectionState] : []),
      ...(receivers.size > 0 ? [recv.connectionState] : []),
    ]
    // Nothing in use yet says nothing of the path, where something is still to come.
    if (states.length === 0 && !(senders.settled && receivers.settled)) return
    const worst = (['failed', 'disconnected', 'closed', 'connecting', 'new'] as const).find(
      (state) => states.includes(state),
    )
    this.#state = pathState(this.#state, worst ?? 'connected')
  }

  async #restartTransports(): Promise<void> {
    const { call, epoch, request } = this.#options
    const { send, recv } = this.#opened ?? {}
    for (const transport of [send, recv]) {
      if (!transport || transport.closed || transport.connectionState === 'new') continue
      try {
        const id = transport.id as TransportId
        const { iceParameters } = await request('sfu.restart-ice', { call, epoch, transport: id })
        // Made by mediasoup on the node, opaque on the way.
        await transport.restartIce({ iceParameters: iceParameters as types.IceParameters })
      } catch {
        // The ladder has the next attempt planned already.
      }
    }
  }

  /** A call, so that the compiler does not take the value from before an `await`. */
  #isClosed(): boolean {
    return this.#closed
  }
}
