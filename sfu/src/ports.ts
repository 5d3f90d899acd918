import type {
  ConsumerId,
  ConsumerInfo,
  ParticipantId,
  ProducerId,
  Result,
  TrackSource,
  TransportId,
  TransportInfo,
} from '@parley/protocol'
import type { Capabilities, RoomKey } from './core/room.ts'

/** What the hub needs of the media workers. No method rejects, and each answers within a deadline. */
export interface MediaEngine {
  /** Starts the process of slot `worker`; false where it did not come up. */
  startWorker(worker: number): Promise<boolean>
  /** Ends a worker that hangs; `workerDied` follows. */
  killWorker(worker: number): void
  /** CPU time that the worker has used, milliseconds; undefined when it does not answer. */
  measureWorker(worker: number): Promise<number | undefined>

  openRoom(worker: number, room: RoomKey): Promise<Result<Capabilities>>
  closeRoom(room: RoomKey): void

  /** Checks what a device says it can receive. */
  checkCapabilities(capabilities: Capabilities): Result<Capabilities>

  openTransport(room: RoomKey): Promise<Result<TransportInfo>>
  connectTransport(transport: TransportId, dtlsParameters: Capabilities): Promise<Result<null>>
  restartIce(transport: TransportId): Promise<Result<Capabilities>>
  closeTransport(transport: TransportId): void

  openProducer(transport: TransportId, spec: ProducerSpec): Promise<Result<OpenedProducer>>
  pauseProducer(producer: ProducerId): Promise<Result<null>>
  resumeProducer(producer: ProducerId): Promise<Result<null>>
  closeProducer(producer: ProducerId): void

  /** Opens a paused consumer. */
  openConsumer(transport: TransportId, spec: ConsumerSpec): Promise<Result<ConsumerInfo>>
  /** Orders about layers go out in the order of the calls; nobody waits for them. */
  pauseConsumer(consumer: ConsumerId): void
  resumeConsumer(consumer: ConsumerId): void
  setLayers(consumer: ConsumerId, layers: Layers): void
  setPriority(consumer: ConsumerId, priority: number): void
  closeConsumer(consumer: ConsumerId): void

  /** Sets the one listener. */
  onEvent(listener: (event: EngineEvent) => void): void
}

export interface Layers {
  readonly spatialLayer: number
  readonly temporalLayer: number
}

export interface ProducerSpec {
  readonly source: TrackSource
  readonly rtpParameters: Capabilities
  readonly paused: boolean
}

export interface OpenedProducer {
  readonly producer: ProducerId
  /** Spatial layers, 1 to 3. */
  readonly layers: number
}

export interface ConsumerSpec {
  readonly peer: ParticipantId
  readonly producer: ProducerId
  readonly capabilities: Capabilities
  readonly layers: Layers
}

/** What workers tell by themselves. */
export type EngineEvent =
  | { readonly type: 'workerDied'; readonly worker: number }
  | {
      readonly type: 'layersChanged'
      readonly room: RoomKey
      readonly peer: ParticipantId
      readonly consumer: ConsumerId
      readonly spatialLayer: number | null
    }
  | { readonly type: 'dominant'; readonly room: RoomKey; readonly producer: ProducerId }
  | { readonly type: 'loud'; readonly room: RoomKey; readonly producers: readonly ProducerId[] }
  | { readonly type: 'quiet'; readonly room: RoomKey }
