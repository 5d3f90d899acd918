import type { Seat } from './plan.ts'
import type { StreamFigures } from './stream-meter.ts'

/** The steps of a client, in order. */
export const clientPhases = ['connect', 'join', 'mediaOpen', 'mediaConnected', 'publish'] as const
export type ClientPhase = (typeof clientPhases)[number]

/** One client's way in, and what went wrong. */
export interface ClientSample {
  readonly seat: Seat
  /** Duration of each step that was completed, in ms. */
  readonly phases: Readonly<Partial<Record<ClientPhase, number>>>
  readonly failure: ClientFailure | undefined
  readonly sentFrames: number
  /** Frames that the generator was too late to send. */
  readonly skippedFrames: number
  /** Packets that were neither RTP of a known stream nor RTCP. */
  readonly strayPackets: number
}

/** Where a client failed: in a step, or later when it had come in. */
export interface ClientFailure {
  readonly during: ClientPhase | 'consume' | 'stay'
  readonly code: string
  readonly message: string
}

interface StreamSampleBase {
  readonly from: Seat
  readonly to: Seat
  /** From when the receiver learned of the stream to its first packet, or first whole frame. */
  readonly firstMs: number | undefined
  readonly figures: StreamFigures
}

/** One stream as its receiver got it. */
export type StreamSample =
  | (StreamSampleBase & {
      readonly kind: 'audio'
      /** Stretches of sound by verdict. */
      readonly heard: {
        readonly right: number
        readonly silent: number
        readonly wrong: number
        readonly wrongHz: number | undefined
      }
    })
  | (StreamSampleBase & {
      readonly kind: 'video'
      readonly seen: {
        readonly frames: number
        readonly keyFrames: number
        /** Frames of which a packet was missing. */
        readonly broken: number
        /** Whole frames that are not, byte for byte, what a camera sends. */
        readonly altered: number
        readonly width: number
        readonly height: number
      }
    })

/** How the load generator itself fared. */
export interface GeneratorSample {
  /** 99th percentile of how late the event loop was. */
  readonly loopDelayP99Ms: number
  /** Busy share of the event loop, 0 to 1. */
  readonly loopUtilization: number
  /** Processor time of all threads as a share of one core. */
  readonly cpu: number
  readonly cores: number
}

/** Everything that a run measured. */
export interface RunSamples {
  readonly clients: readonly ClientSample[]
  readonly streams: readonly StreamSample[]
  readonly generator: GeneratorSample
  readonly interrupted: boolean
  /** From the last client's arrival to the end. */
  readonly heldMs: number
}
