import type {
  EventFrame,
  Millis,
  NodeEvent,
  NodeRequestData,
  NodeRequestResult,
  NodeRequestType,
  Result,
  SfuNode,
} from '@parley/protocol'
import { fail, ok } from '@parley/protocol'
import type { ClientSocket, Environment } from './ports.ts'

/** A clock that moves when told to, and ids that count. */
export class ManualEnvironment implements Environment {
  #now: Millis = 1_000_000
  #wakeAt: Millis | undefined
  #ids = 0
  onWake: () => void = () => undefined

  now(): Millis {
    return this.#now
  }

  wakeAt(at: Millis | undefined): void {
    this.#wakeAt = at
  }

  randomId(): string {
    this.#ids += 1
    return `id-${this.#ids}`
  }

  /** Moves the clock, waking whoever asked for it at the moment that he asked for. */
  advance(ms: number): void {
    const end = this.#now + ms
    while (this.#wakeAt !== undefined && this.#wakeAt <= end) {
      this.#now = Math.max(this.#now, this.#wakeAt)
      this.#wakeAt = undefined
      this.onWake()
    }
    this.#now = end
  }
}

/** A client that keeps what it is sent. */
export class RecordingSocket implements ClientSocket {
  readonly frames: EventFrame[] = []
  closed = false

  send(frame: EventFrame): void {
    // Nothing passes a closed socket.
    if (!this.closed) this.frames.push(frame)
  }

  close(): void {
    this.closed = true
  }

  /** Data of the events of one type, oldest first. */
  heard(type: string): unknown[] {
    return this.frames.filter((frame) => frame.type === type).map(({ data }) => data)
  }
}

/** An SFU node that opens rooms and refuses all else; the real one is under test in `sfu`. */
export class FakeSfuNode implements SfuNode {
  readonly id: string
  readonly orders: { readonly type: string; readonly data: unknown }[] = []
  takesRooms = true
  /** What it says is published in a room that is adopted; undefined: it has no such room. */
  published: NodeRequestResult<'room.adopt'>['publications'] | undefined = []
  /** Whether streams are taken, and given names that count. */
  takesProducers = false
  #producers = 0
  #listener: (event: NodeEvent) => void = () => undefined

  constructor(id = 'fake-node') {
    this.id = id
  }

  request<T extends NodeRequestType>(
    type: T,
    data: NodeRequestData<T>,
  ): Promise<Result<NodeRequestResult<T>>> {
    this.orders.push({ type, data })
    if (this.takesProducers && type === 'producer.open') {
      const producer = `producer-${++this.#producers}`
      return Promise.resolve({ ok: true, data: { producer } as NodeRequestResult<T> })
    }
    if (!type.startsWith('room.')) return Promise.resolve(fail('media-order'))
    if (!this.takesRooms) return Promise.resolve(fail('no-media-node'))
    if (type === 'room.adopt')
      return Promise.resolve(this.#adopted() as Result<NodeRequestResult<T>>)
    // The orders about rooms are answered with nothing.
    return Promise.resolve({ ok: true, data: {} as NodeRequestResult<T> })
  }

  onEvent(listener: (event: NodeEvent) => void): void {
    this.#listener = listener
  }

  #adopted(): Result<NodeRequestResult<'room.adopt'>> {
    const { published } = this
    return published ? ok({ publications: published }) : fail('media-order')
  }

  emit(event: NodeEvent): void {
    this.#listener(event)
  }
}
