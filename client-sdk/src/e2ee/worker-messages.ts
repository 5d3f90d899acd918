import type { ParticipantId, TrackSource } from '@parley/protocol'
import type { FrameCodec } from '../core/frames/clear-part.ts'

/** What the worker must know of a stream whose frames it seals. */
export interface SendingStream {
  readonly direction: 'send'
  readonly stream: number
  readonly source: TrackSource
  readonly codec: FrameCodec
}

/** What the worker must know of a stream whose frames it opens: whose they have to be. */
export interface ReceivingStream {
  readonly direction: 'receive'
  readonly stream: number
  readonly source: TrackSource
  readonly participant: ParticipantId
}

export type StreamSpec = SendingStream | ReceivingStream

/** One epoch's secret for the worker, which makes its keys of it. */
export interface EpochSecret {
  readonly slot: number
  readonly epochByte: number
  /** Handed over, and zeroed by the worker. */
  readonly baseKey: Uint8Array<ArrayBuffer>
  readonly ownLeaf: number
  readonly leaves: ReadonlyMap<ParticipantId, number>
  readonly incarnation: number
}

/** Why frames went no further. */
export const dropReasons = [
  'no-key',
  'not-a-frame',
  'not-sealed',
  'unknown-epoch',
  'wrong-sender',
  'replayed',
  'forged',
  'overrun',
  'failed',
  'used-up',
] as const
export type DropReason = (typeof dropReasons)[number]

/** The worker's count of one stream. */
export interface StreamCount {
  readonly stream: number
  /** Frames that came to the worker. */
  readonly seen: number
  /** Frames that were sealed or opened, and went on. */
  readonly passed: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
}

/** From the page to the worker. */
export type ToWorker =
  | { readonly type: 'install'; readonly secret: EpochSecret }
  | { readonly type: 'sendWith'; readonly slot: number }
  | { readonly type: 'forget'; readonly slot: number }
  /** The streams of `createEncodedStreams`, where there are no script transforms. */
  | {
      readonly type: 'attach'
      readonly spec: StreamSpec
      readonly readable: ReadableStream
      readonly writable: WritableStream
    }
  | { readonly type: 'detach'; readonly stream: number }
  | { readonly type: 'count' }

/** From the worker to the page. */
export type FromWorker =
  | { readonly type: 'installed'; readonly slot: number }
  | { readonly type: 'attached'; readonly stream: number }
  | { readonly type: 'firstFrame'; readonly stream: number }
  | { readonly type: 'counted'; readonly counts: readonly StreamCount[] }
  /** A counter comes near its end. */
  | { readonly type: 'renew' }
  /** The browser's worker cannot ask the encoder itself. */
  | { readonly type: 'keyFrameWanted'; readonly stream: number }
