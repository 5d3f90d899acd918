import type {
  ConsumerId,
  ConsumerInfo,
  ProducerId,
  Result,
  TransportId,
  TransportInfo,
} from '@parley/protocol'
import { fail, kindOfSource, ok } from '@parley/protocol'
import type { Log } from '@parley/service'
import { parseScalabilityMode } from 'mediasoup'
import type { types } from 'mediasoup'
import type { Capabilities, RoomKey } from '../core/room.ts'
import type {
  ConsumerSpec,
  EngineEvent,
  Layers,
  MediaEngine,
  OpenedProducer,
  ProducerSpec,
} from '../ports.ts'
import { attempt } from './attempt.ts'
import { mediaCodecs } from './codecs.ts'
import { parseDtlsParameters, parseRtpCapabilities, parseRtpParameters } from './parameters.ts'
import type { WorkerPool } from './workers.ts'

/**
 * What a receiver is taken to stand before the first estimate, bit/s; also the least that probing
 * aims for. Higher shows good video sooner; lower spares slow links a burst.
 */
const FIRST_OUTGOING_BITRATE = 1_000_000

/** What one sender may send, bit/s: three layers of a camera and a screen, and no flood. */
const MAX_INCOMING_BITRATE = 4_000_000

/** A peer that answers no ICE checks for this long is gone. Shorter frees ghosts sooner. */
const ICE_CONSENT_TIMEOUT_S = 15

/** Speech is judged this often; shorter follows it more closely, at more CPU. */
const SPEECH_EVERY_MS = 300

/** Quieter than this is no speech, dBov. */
const SPEECH_THRESHOLD = -60

/** How many speakers at once are told apart. */
const LOUDEST = 8

interface OpenRoom {
  readonly router: types.Router
  readonly server: types.WebRtcServer
  readonly activeSpeaker: types.ActiveSpeakerObserver
  readonly audioLevel: types.AudioLevelObserver
}

interface OpenTransport {
  readonly room: RoomKey
  readonly transport: types.WebRtcTransport
}

/** Carries out the hub's effects on mediasoup. Holds its objects by id, and no policy. */
export class MediasoupEngine implements MediaEngine {
  readonly #pool: WorkerPool
  readonly #log: Log
  readonly #rooms = new Map<RoomKey, OpenRoom>()
  readonly #transports = new Map<TransportId, OpenTransport>()
  readonly #producers = new Map<ProducerId, types.Producer>()
  readonly #consumers = new Map<ConsumerId, types.Consumer>()
  #emit: (event: EngineEvent) => void = () => undefined

  constructor(pool: WorkerPool, log: Log) {
    this.#pool = pool
    this.#log = log
    pool.onDeath((worker) => this.#emit({ type: 'workerDied', worker }))
  }

  onEvent(listener: (event: EngineEvent) => void): void {
    this.#emit = listener
  }

  async startWorker(worker: number): Promise<boolean> {
    try {
      await this.#pool.start(worker)
      return true
    } catch (error) {
      this.#log.error({ worker, error }, 'worker could not be replaced')
      return false
    }
  }

  killWorker(worker: number): void {
    this.#pool.kill(worker)
  }

  measureWorker(worker: number): Promise<number | undefined> {
    return this.#pool.cpuMs(worker)
  }

  async openRoom(worker: number, key: RoomKey): Promise<Result<Capabilities>> {
    const running = this.#pool.get(worker)
    if (running === undefined) return fail('no-media-node')
    const { server } = running
    const opened = await attempt(() => running.worker.createRouter({ mediaCodecs }), {
      undo: (router) => router.close(),
    })
    if (!opened.ok) return opened
    const router = opened.data
    const observers = await attempt(() =>
      Promise.all([
        router.createActiveSpeakerObserver({ interval: SPEECH_EVERY_MS }),
        router.createAudioLevelObserver({
          interval: SPEECH_EVERY_MS,
          threshold: SPEECH_THRESHOLD,
          maxEntries: LOUDEST,
        }),
      ]),
    )
    if (!observers.ok) {
      router.close()
      return observers
    }
    const [activeSpeaker, audioLevel] = observers.data
    this.#rooms.set(key, { router, server, activeSpeaker, audioLevel })
    router.observer.once('close', () => this.#rooms.delete(key))
    this.#listenForSpeech(key, activeSpeaker, audioLevel)
    return ok(plain(router.rtpCapabilities))
  }

  closeRoom(key: RoomKey): void {
    this.#rooms.get(key)?.router.close()
  }

  checkCapabilities(capabilities: Capabilities): Result<Capabilities> {
    const parsed = parseRtpCapabilities(capabilities)
    return parsed.ok ? ok(plain(parsed.data)) : parsed
  }

  async openTransport(key: RoomKey): Promise<Result<TransportInfo>> {
    const room = this.#rooms.get(key)
    if (room === undefined) return fail('no-media-node')
    const opened = await attempt(
      () =>
        room.router.createWebRtcTransport({
          webRtcServer: room.server,
          enableUdp: true,
          enableTcp: true,
          preferUdp: true,
          iceConsentTimeout: ICE_CONSENT_TIMEOUT_S,
          initialAvailableOutgoingBitrate: FIRST_OUTGOING_BITRATE,
        }),
      { undo: (transport) => transport.close() },
    )
    if (!opened.ok) return opened
    const transport = opened.data
    const id = transport.id as TransportId
    this.#transports.set(id, { room: key, transport })
    transport.observer.once('close', () => this.#transports.delete(id))
    const capped = await attempt(() => transport.setMaxIncomingBitrate(MAX_INCOMING_BITRATE))
    if (!capped.ok) {
      transport.close()
      return capped
    }
    return ok({
      id,
      iceParameters: plain(transport.iceParameters),
      iceCandidates: transport.iceCandidates.map(plain),
      dtlsParameters: plain(transport.dtlsParameters),
    })
  }

  async connectTransport(id: TransportId, dtlsParameters: Capabilities): Promise<Result<null>> {
    const open = this.#transports.get(id)
    if (open === undefined) return gone()
    const parsed = parseDtlsParameters(dtlsParameters)
    if (!parsed.ok) return parsed
    const connected = await attempt(() => open.transport.connect({ dtlsParameters: parsed.data }), {
      refusal: 'bad-media-parameters',
    })
    return connected.ok ? ok(null) : connected
  }

  async restartIce(id: TransportId): Promise<Result<Capabilities>> {
    const open = this.#transports.get(id)
    if (open === undefined) return gone()
    const restarted = await attempt(() => open.transport.restartIce())
    return restarted.ok ? ok(plain(restarted.data)) : restarted
  }

  closeTransport(id: TransportId): void {
    this.#transports.get(id)?.transport.close()
  }

  async openProducer(id: TransportId, spec: ProducerSpec): Promise<Result<OpenedProducer>> {
    const open = this.#transports.get(id)
    if (open === undefined) return gone()
    const parsed = parseRtpParameters(spec.rtpParameters)
    if (!parsed.ok) return parsed
    const { source, paused } = spec
    const kind = kindOfSource[source]
    // mediasoup takes the codec's word for the kind, and would treat sound as video.
    if (!parsed.data.codecs.every(({ mimeType }) => mimeType.startsWith(`${kind}/`))) {
      const field = 'data.rtpParameters.codecs'
      return fail('bad-media-parameters', {
        message: `A ${source} has ${kind} codecs only.`,
        field,
      })
    }
    const opened = await attempt(
      () => open.transport.produce({ kind, rtpParameters: parsed.data, paused }),
      { refusal: 'bad-media-parameters', undo: (producer) => producer.close() },
    )
    if (!opened.ok) return opened
    const producer = opened.data
    const producerId = producer.id as ProducerId
    this.#producers.set(producerId, producer)
    producer.observer.once('close', () => this.#producers.delete(producerId))
    if (source === 'microphone') this.#observeSpeech(open.room, producer)
    return ok({ producer: producerId, layers: layersOf(producer.rtpParameters) })
  }

  pauseProducer(id: ProducerId): Promise<Result<null>> {
    return this.#askProducer(id, (producer) => producer.pause())
  }

  resumeProducer(id: ProducerId): Promise<Result<null>> {
    return this.#askProducer(id, (producer) => producer.resume())
  }

  closeProducer(id: ProducerId): void {
    this.#producers.get(id)?.close()
  }

  async openConsumer(id: TransportId, spec: ConsumerSpec): Promise<Result<ConsumerInfo>> {
    const open = this.#transports.get(id)
    const room = open && this.#rooms.get(open.room)
    if (open === undefined || room === undefined) return gone()
    const { peer, producer, layers } = spec
    const parsed = parseRtpCapabilities(spec.capabilities)
    if (!parsed.ok) return parsed
    const rtpCapabilities = parsed.data
    if (!room.router.canConsume({ producerId: producer, rtpCapabilities })) {
      return fail('bad-media-parameters', {
        message: 'The device cannot decode this stream.',
        field: 'data.producer',
      })
    }
    const opened = await attempt(
      () =>
        open.transport.consume({
          producerId: producer,
          rtpCapabilities,
          paused: true,
          enableRtx: true,
          preferredLayers: layers,
        }),
      { refusal: 'bad-media-parameters', undo: (consumer) => consumer.close() },
    )
    if (!opened.ok) return opened
    const consumer = opened.data
    const consumerId = consumer.id as ConsumerId
    this.#consumers.set(consumerId, consumer)
    consumer.observer.once('close', () => this.#consumers.delete(consumerId))
    consumer.on('layerschange', (now) => {
      const spatialLayer = now?.spatialLayer ?? null
      this.#emit({
        type: 'layersChanged',
        room: open.room,
        peer,
        consumer: consumerId,
        spatialLayer,
      })
    })
    const { kind, rtpParameters } = consumer
    return ok({ consumer: consumerId, producer, kind, rtpParameters: plain(rtpParameters) })
  }

  pauseConsumer(id: ConsumerId): void {
    this.#tellConsumer(id, (consumer) => consumer.pause())
  }

  resumeConsumer(id: ConsumerId): void {
    this.#tellConsumer(id, (consumer) => consumer.resume())
  }

  setLayers(id: ConsumerId, layers: Layers): void {
    this.#tellConsumer(id, (consumer) => consumer.setPreferredLayers(layers))
  }

  setPriority(id: ConsumerId, priority: number): void {
    this.#tellConsumer(id, (consumer) => consumer.setPriority(priority))
  }

  closeConsumer(id: ConsumerId): void {
    this.#consumers.get(id)?.close()
  }

  async #askProducer(
    id: ProducerId,
    request: (producer: types.Producer) => Promise<void>,
  ): Promise<Result<null>> {
    const producer = this.#producers.get(id)
    if (producer === undefined) return gone()
    const answered = await attempt(() => request(producer))
    return answered.ok ? ok(null) : answered
  }

  #tellConsumer(id: ConsumerId, request: (consumer: types.Consumer) => Promise<void>): void {
    const consumer = this.#consumers.get(id)
    if (consumer === undefined) return
    void attempt(() => request(consumer)).then((answered) => {
      if (!answered.ok) this.#log.debug({ error: answered.error }, 'a consumer did not follow')
    })
  }

  #listenForSpeech(
    room: RoomKey,
    activeSpeaker: types.ActiveSpeakerObserver,
    audioLevel: types.AudioLevelObserver,
  ): void {
    activeSpeaker.on('dominantspeaker', ({ producer }) => {
      this.#emit({ type: 'dominant', room, producer: producer.id as ProducerId })
    })
    audioLevel.on('volumes', (volumes) => {
      const producers = volumes.map(({ producer }) => producer.id as ProducerId)
      this.#emit({ type: 'loud', room, producers })
    })
    audioLevel.on('silence', () => this.#emit({ type: 'quiet', room }))
  }

  /** Who speaks is a nicety: a stream that cannot be observed is forwarded all the same. */
  #observeSpeech(key: RoomKey, producer: types.Producer): void {
    const room = this.#rooms.get(key)
    if (room === undefined) return
    for (const observer of [room.activeSpeaker, room.audioLevel]) {
      void attempt(() => observer.addProducer({ producerId: producer.id })).then((added) => {
        if (!added.ok) this.#log.debug({ error: added.error }, 'speech is not observed')
      })
    }
  }
}

/** Spatial layers: one per simulcast encoding, or those inside the one SVC encoding. */
function layersOf({ encodings = [] }: types.RtpParameters): number {
  if (encodings.length > 1) return encodings.length
  return Math.min(3, parseScalabilityMode(encodings[0]?.scalabilityMode).spatialLayers)
}

function gone() {
  return fail('no-media-node', { message: 'The room was lost in the meantime.' })
}

/** mediasoup's closed types as the open objects of the protocol, without sharing its memory. */
function plain(value: object): Record<string, unknown> {
  return structuredClone(value) as Record<string, unknown>
}
