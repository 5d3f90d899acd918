import type {
  CallId,
  ConsumerId,
  ConsumerInfo,
  ProducerId,
  Result,
  TransportId,
  TransportInfo,
} from '@parley/protocol'
import { kindOfSource, ok } from '@parley/protocol'
import type { Capabilities, RoomKey } from './core/room.ts'
import type { EngineEvent, Layers, MediaEngine, OpenedProducer, ProducerSpec } from './ports.ts'

/** Short names for branded ids, for tests. */
export const callId = (name: string) => name as CallId
export const transportId = (name: string) => name as TransportId
export const producerId = (name: string) => name as ProducerId
export const consumerId = (name: string) => name as ConsumerId

/** A media engine without media: it notes what it is told, and every camera has three layers. */
export class FakeEngine implements MediaEngine {
  /** Orders that nobody waits for, as `closeRoom call-1/1`. */
  readonly told: string[] = []
  /** Set to hold back every answer until it resolves. */
  gate: Promise<void> = Promise.resolve()
  /** What `measureWorker` answers. */
  cpuMs: number | undefined = 0
  started = 0
  emit: (event: EngineEvent) => void = () => undefined
  #ids = 0

  onEvent(listener: (event: EngineEvent) => void): void {
    this.emit = listener
  }

  startWorker(): Promise<boolean> {
    this.started += 1
    return Promise.resolve(true)
  }

  killWorker(worker: number): void {
    this.told.push(`killWorker ${worker}`)
  }

  measureWorker(): Promise<number | undefined> {
    return Promise.resolve(this.cpuMs)
  }

  openRoom(): Promise<Result<Capabilities>> {
    return this.#answer({ codecs: [] })
  }

  closeRoom(room: RoomKey): void {
    this.told.push(`closeRoom ${room}`)
  }

  checkCapabilities(capabilities: Capabilities): Result<Capabilities> {
    return ok(capabilities)
  }

  openTransport(): Promise<Result<TransportInfo>> {
    const id = transportId(this.#id('transport'))
    return this.#answer({ id, iceParameters: {}, iceCandidates: [], dtlsParameters: {} })
  }

  connectTransport(): Promise<Result<null>> {
    return this.#answer(null)
  }

  restartIce(): Promise<Result<Capabilities>> {
    return this.#answer({})
  }

  closeTransport(transport: TransportId): void {
    this.told.push(`closeTransport ${transport}`)
  }

  openProducer(_transport: TransportId, spec: ProducerSpec): Promise<Result<OpenedProducer>> {
    const layers = kindOfSource[spec.source] === 'video' ? 3 : 1
    return this.#answer({ producer: producerId(this.#id('producer')), layers })
  }

  pauseProducer(producer: ProducerId): Promise<Result<null>> {
    this.told.push(`pauseProducer ${producer}`)
    return this.#answer(null)
  }

  resumeProducer(producer: ProducerId): Promise<Result<null>> {
    this.told.push(`resumeProducer ${producer}`)
    return this.#answer(null)
  }

  closeProducer(producer: ProducerId): void {
    this.told.push(`closeProducer ${producer}`)
  }

  openConsumer(
    _transport: TransportId,
    { producer }: { readonly producer: ProducerId },
  ): Promise<Result<ConsumerInfo>> {
    const consumer = consumerId(this.#id('consumer'))
    return this.#answer({ consumer, producer, kind: 'video', rtpParameters: {} })
  }

  pauseConsumer(consumer: ConsumerId): void {
    this.told.push(`pauseConsumer ${consumer}`)
  }

  resumeConsumer(consumer: ConsumerId): void {
    this.told.push(`resumeConsumer ${consumer}`)
  }

  setLayers(consumer: ConsumerId, { spatialLayer, temporalLayer }: Layers): void {
    this.told.push(`setLayers ${consumer} ${spatialLayer}/${temporalLayer}`)
  }

  setPriority(consumer: ConsumerId, priority: number): void {
    this.told.push(`setPriority ${consumer} ${priority}`)
  }

  closeConsumer(consumer: ConsumerId): void {
    this.told.push(`closeConsumer ${consumer}`)
  }

  #id(what: string): string {
    this.#ids += 1
    return `${what}-${this.#ids}`
  }

  async #answer<T>(data: T): Promise<Result<T>> {
    await this.gate
    return ok(data)
  }
}
