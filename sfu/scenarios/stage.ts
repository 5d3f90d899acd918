import type {
  CallId,
  ConsumerInfo,
  MediaSession,
  NodeEvent,
  NodeEventType,
  NodeRequestData,
  NodeRequestResult,
  NodeRequestType,
  ParticipantId,
  ProducerId,
  Result,
  SfuNode,
} from '@parley/protocol'
import { createLog, Health, Metrics } from '@parley/service'
import { onTestFinished } from 'vitest'
import { startSfu } from '../src/index.ts'
import type { Sfu } from '../src/index.ts'

/** A node on free ports of loopback, closed after the test. */
export interface Stage {
  readonly sfu: Sfu
  readonly node: SfuNode
  readonly health: Health
  readonly events: EventLog
}

/** Sets one up. */
export async function raiseStage({ workers = 1 } = {}): Promise<Stage> {
  const health = new Health()
  const sfu = await startSfu(
    { listen: '127.0.0.1', firstPort: 0, workers, publicAddress: '127.0.0.1' },
    { log: createLog('sfu', { level: 'silent' }), metrics: new Metrics(), health },
  )
  onTestFinished(() => sfu.close())
  const events = new EventLog()
  sfu.node.onEvent((event) => events.add(event))
  return { sfu, node: sfu.node, health, events }
}

type EventData<T extends NodeEventType> = Extract<NodeEvent, { type: T }>['data']

/** Everything that a node has told, and the wait for what it will. */
export class EventLog {
  readonly #events: NodeEvent[] = []
  readonly #waiting = new Set<() => void>()

  add(event: NodeEvent): void {
    this.#events.push(event)
    for (const look of this.#waiting) look()
  }

  /** How many events there were, to wait only for later ones. */
  get length(): number {
    return this.#events.length
  }

  /** The first event of `type` from number `from` on that `fits`. */
  next<T extends NodeEventType>(
    type: T,
    fits: (data: EventData<T>) => boolean = () => true,
    from = 0,
  ): Promise<EventData<T>> {
    return new Promise<unknown>((resolve) => {
      const look = () => {
        const events = this.#events.slice(from).filter((event) => event.type === type)
        // The filter has picked those whose data is of this type.
        const found = events.map((event) => event.data as EventData<T>).find(fits)
        if (found === undefined) return
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    }) as Promise<EventData<T>>
  }
}

/** What can be asked of a node: itself, or a link to it. */
export type Door = Pick<SfuNode, 'request'>

/** A room's orders with the names filled in, as signaling gives them. */
export class RoomDoor {
  readonly #door: Door
  readonly at: { readonly call: CallId; readonly epoch: number }

  constructor(door: Door, { call = 'call-1', epoch = 1 } = {}) {
    this.#door = door
    this.at = { call: call as CallId, epoch }
  }

  /** The answer, good or bad. */
  ask<T extends NodeRequestType>(
    type: T,
    data: Omit<NodeRequestData<T>, 'call' | 'epoch'>,
  ): Promise<Result<NodeRequestResult<T>>> {
    // What was left out is added again.
    return this.#door.request(type, { ...this.at, ...data } as unknown as NodeRequestData<T>)
  }

  /** The data of a good answer; a bad one fails the test. */
  async must<T extends NodeRequestType>(
    type: T,
    data: Omit<NodeRequestData<T>, 'call' | 'epoch'>,
  ): Promise<NodeRequestResult<T>> {
    const answer = await this.ask(type, data)
    if (!answer.ok) throw new Error(`${type}: ${answer.error.code}: ${answer.error.message}`)
    return answer.data
  }

  /** A participant who says that he can receive all that the room forwards. */
  async enter(name: string): Promise<{ id: ParticipantId; session: MediaSession }> {
    const peer = name as ParticipantId
    const session = await this.must('peer.open', { peer })
    const { rtpCapabilities } = session
    await this.must('peer.capabilities', { peer, rtpCapabilities })
    return { id: peer, session }
  }

  consume(peer: ParticipantId, producer: ProducerId): Promise<ConsumerInfo> {
    return this.must('consumer.open', { peer, producer })
  }
}

/** A camera of three simulcast layers, told apart by SSRC. */
export const simulcastCamera = {
  mid: 'v',
  codecs: [
    {
      mimeType: 'video/VP8',
      payloadType: 101,
      clockRate: 90_000,
      parameters: {},
      rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
    },
  ],
  headerExtensions: [],
  encodings: [{ ssrc: 2_001 }, { ssrc: 2_002 }, { ssrc: 2_003 }],
  rtcp: { cname: 'camera' },
}

export const AUDIO_SSRC = 1_001
export const AUDIO_PAYLOAD_TYPE = 111
export const AUDIO_LEVEL_EXTENSION = 10

export const microphone = {
  mid: 'a',
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: AUDIO_PAYLOAD_TYPE,
      clockRate: 48_000,
      channels: 2,
      parameters: { useinbandfec: 1, usedtx: 1 },
      rtcpFeedback: [],
    },
  ],
  headerExtensions: [
    { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: AUDIO_LEVEL_EXTENSION },
  ],
  encodings: [{ ssrc: AUDIO_SSRC }],
  rtcp: { cname: 'microphone' },
}
