import type { Millis, NodeEvent, NodeLoad, NodeRequestData, Result } from '@parley/protocol'
import { fail, ok, unreachable } from '@parley/protocol'
import type { Log } from '@parley/service'
import { Controllers } from './controllers.ts'
import { leaseEnd } from './core/lease.ts'
import { leastLoaded, nodeLoad } from './core/load.ts'
import type { WorkerLoad } from './core/load.ts'
import { parseOrder } from './core/order.ts'
import type { Order } from './core/order.ts'
import { isDue, room } from './core/room-machine.ts'
import type { RoomEffect, RoomEvent } from './core/room-machine.ts'
import { standingEvents } from './core/room-report.ts'
import { publisherOf, roomKey } from './core/room.ts'
import type { Room, RoomKey } from './core/room.ts'
import type { SpeakerEvent } from './core/speakers.ts'
import { noSpeakers } from './core/speakers.ts'
import { carryOut } from './orders.ts'
import type { EngineEvent, MediaEngine } from './ports.ts'
import { Turnstile } from './turnstile.ts'
import { WorkerKeeper } from './worker-keeper.ts'

/** How often the load is reported. Shorter places rooms better, at more messages. */
const LOAD_EVERY_MS = 1_000

/** What the hub tells whoever counts. */
export interface HubObserver {
  /** `outcome`: `ok` or the error's code. */
  ordered(type: Order['type'] | 'unknown', outcome: string): void
  workerDied(): void
  /** False while no worker runs. */
  canServe(serves: boolean): void
}

/** How many of each the node holds now. */
export interface Counts {
  readonly rooms: number
  readonly peers: number
  readonly transports: number
  readonly producers: number
  readonly consumers: number
}

/** A room with what only this node needs to know of it. */
interface Held {
  room: Room
  /** The controller that gave the last order. */
  controller: string
  /** The largest that came with an order: none below it is obeyed. */
  fence: number
  leaseEndsAt: Millis | undefined
}

/** Holds all state of the node: takes orders and media events one by one, and runs what follows. */
export class Hub {
  readonly #engine: MediaEngine
  readonly #log: Log
  readonly #now: () => Millis
  readonly #observer: HubObserver
  readonly #keeper: WorkerKeeper
  readonly #controllers = new Controllers()
  readonly #turns = new Turnstile<RoomKey>()
  readonly #rooms = new Map<RoomKey, Held>()
  #loadAt: Millis = 0

  constructor({
    engine,
    log,
    now,
    observer,
    workers,
  }: {
    readonly engine: MediaEngine
    readonly log: Log
    readonly now: () => Millis
    readonly observer: HubObserver
    readonly workers: number
  }) {
    this.#engine = engine
    this.#log = log
    this.#now = now
    this.#observer = observer
    this.#keeper = new WorkerKeeper(workers, { engine, log, now })
    engine.onEvent((event) => this.#onEngineEvent(event))
  }

  /** Slot `worker` has its first process. */
  workerStarted(worker: number): void {
    this.#keeper.handle(worker, { type: 'started' })
  }

  /** Checks and carries out an order, after those before it in the same room. Never rejects. */
  async order(controller: string, type: string, data: unknown): Promise<Result<unknown>> {
    const parsed = parseOrder(type, data)
    const answer = parsed.ok ? await this.#inTurn(controller, parsed.data) : parsed
    const known = parsed.ok ? parsed.data.type : 'unknown'
    this.#observer.ordered(known, answer.ok ? 'ok' : answer.error.code)
    return answer
  }

  /** `controller` hears the node's events until the function given back is called. */
  attach(controller: string, listener: (event: NodeEvent) => void): () => void {
    const detach = this.#controllers.attach(controller, listener)
    listener({ type: 'load', data: this.load() })
    for (const held of this.#rooms.values()) {
      if (held.controller === controller) standingEvents(held.room).forEach(listener)
    }
    return detach
  }

  /** Does what is due. Called a few times a second. */
  tick(): void {
    const now = this.#now()
    this.#keeper.tick()
    for (const [key, held] of this.#rooms) {
      if (isDue(held.room, now)) this.#apply(key, { type: 'tick' })
      held.leaseEndsAt = leaseEnd(held.leaseEndsAt, this.#controllers.isHere(held.controller), now)
      if (held.leaseEndsAt !== undefined && now >= held.leaseEndsAt) {
        this.#log.warn({ call: short(held.room.call) }, 'nobody came back for the room')
        this.#closeRoom(key)
      }
    }
    this.#observer.canServe(this.#keeper.running().size > 0)
    if (now < this.#loadAt) return
    this.#loadAt = now + LOAD_EVERY_MS
    this.#controllers.tell({ type: 'load', data: this.load() })
  }

  load(): NodeLoad {
    return nodeLoad(this.#workerLoads())
  }

  counts(): Counts {
    const peers = [...this.#rooms.values()].flatMap((held) => [...held.room.peers.values()])
    const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0)
    return {
      rooms: this.#rooms.size,
      peers: peers.length,
      transports: 2 * peers.length,
      producers: sum(peers.map(({ producers }) => producers.size)),
      consumers: sum(peers.map(({ consumers }) => consumers.size)),
    }
  }

  /** CPU share of each running worker. */
  workerCpu(): ReadonlyMap<number, number> {
    return this.#keeper.running()
  }

  /** Replaces no more workers and closes all rooms. */
  close(): void {
    this.#keeper.stop()
    for (const key of [...this.#rooms.keys()]) this.#closeRoom(key)
  }

  async #inTurn(controller: string, order: Order): Promise<Result<unknown>> {
    const key = roomKey(order.data)
    try {
      const answer = await this.#turns.take(key, () => this.#carryOut(controller, order))
      return answer ?? fail('rate-limited', { message: 'Too many orders wait for this room.' })
    } catch (error) {
      this.#log.error({ error, type: order.type }, 'an order failed; closing its room')
      this.#lose(key)
      return fail('internal')
    }
  }

  #carryOut(controller: string, order: Order): Promise<Result<unknown>> {
    const key = roomKey(order.data)
    const held = this.#rooms.get(key)
    if (held !== undefined) {
      const { fence } = order.data
      if (fence !== undefined && fence < held.fence) {
        this.#log.warn({ controller, call: short(held.room.call) }, 'a former owner was refused')
        const message = 'Another signaling process looks after this room by now.'
        return Promise.resolve(fail('media-order', { message, field: 'data.fence' }))
      }
      held.fence = fence ?? held.fence
      held.controller = controller
    }
    switch (order.type) {
      case 'room.open':
        return this.#openRoom(controller, order.data)
      case 'room.close':
        this.#closeRoom(key)
        return Promise.resolve(ok({}))
      default: {
        const desk = {
          engine: this.#engine,
          room: () => (this.#rooms.get(key) === held ? held?.room : undefined),
          apply: (event: RoomEvent) => {
            if (this.#rooms.get(key) === held) this.#apply(key, event)
          },
        }
        // Type and data belong together, which the compiler cannot follow through a union.
        return carryOut(desk, order.type, order.data as never)
      }
    }
  }

  async #openRoom(
    controller: string,
    { call, epoch, fence = 0 }: NodeRequestData<'room.open'>,
  ): Promise<Result<unknown>> {
    const key = roomKey({ call, epoch })
    if (this.#rooms.has(key)) return ok({})
    const worker = leastLoaded(this.#workerLoads())
    if (worker === undefined) return fail('no-media-node', { message: 'No worker is running.' })
    const opened = await this.#engine.openRoom(worker, key)
    if (!opened.ok) return opened
    const state: Room = {
      call,
      epoch,
      worker,
      rtpCapabilities: opened.data,
      peers: new Map(),
      speakers: noSpeakers,
    }
    this.#rooms.set(key, { room: state, controller, fence, leaseEndsAt: undefined })
    this.#log.info({ call: short(call), epoch, worker }, 'room opened')
    return ok({})
  }

  #closeRoom(key: RoomKey): void {
    const held = this.#rooms.get(key)
    if (held === undefined) return
    this.#rooms.delete(key)
    this.#engine.closeRoom(key)
    this.#log.info({ call: short(held.room.call), epoch: held.room.epoch }, 'room closed')
  }

  /** The room's media is gone: its people must be told at once, even if signaling is away. */
  #lose(key: RoomKey): void {
    const held = this.#rooms.get(key)
    if (held === undefined) return
    this.#closeRoom(key)
    const { call, epoch } = held.room
    this.#controllers.tellSurely({ type: 'room.lost', data: { call, epoch } }, held.controller)
  }

  #onEngineEvent(event: EngineEvent): void {
    switch (event.type) {
      case 'workerDied': {
        this.#onWorkerDied(event.worker)
        return
      }
      case 'layersChanged': {
        const { peer, consumer, spatialLayer } = event
        this.#apply(event.room, { type: 'layersChanged', peer, consumer, spatialLayer })
        return
      }
      case 'dominant':
      case 'loud':
      case 'quiet': {
        const held = this.#rooms.get(event.room)
        const speech = held && speechOf(held.room, event)
        if (speech !== undefined) this.#apply(event.room, { type: 'speech', event: speech })
        return
      }
      default:
        unreachable(event)
    }
  }

  #onWorkerDied(worker: number): void {
    const lost = [...this.#rooms].filter(([, held]) => held.room.worker === worker)
    this.#log.error({ worker, rooms: lost.length }, 'worker died')
    this.#observer.workerDied()
    for (const [key] of lost) this.#lose(key)
    this.#keeper.handle(worker, { type: 'died' })
  }

  #apply(key: RoomKey, event: RoomEvent): void {
    const held = this.#rooms.get(key)
    if (held === undefined) return
    const step = room(held.room, event, this.#now())
    held.room = step.state
    for (const effect of step.effects) this.#run(effect)
  }

  #run(effect: RoomEffect): void {
    switch (effect.type) {
      case 'closeTransport': {
        this.#engine.closeTransport(effect.transport)
        return
      }
      case 'closeProducer': {
        this.#engine.closeProducer(effect.producer)
        return
      }
      case 'closeConsumer': {
        this.#engine.closeConsumer(effect.consumer)
        return
      }
      case 'pauseConsumer': {
        this.#engine.pauseConsumer(effect.consumer)
        return
      }
      case 'resumeConsumer': {
        this.#engine.resumeConsumer(effect.consumer)
        return
      }
      case 'setLayers': {
        const { consumer, spatialLayer, temporalLayer } = effect
        this.#engine.setLayers(consumer, { spatialLayer, temporalLayer })
        return
      }
      case 'setPriority': {
        this.#engine.setPriority(effect.consumer, effect.priority)
        return
      }
      case 'tell': {
        this.#controllers.tell(effect.event)
        return
      }
      default:
        unreachable(effect)
    }
  }

  #workerLoads(): readonly WorkerLoad[] {
    const rooms = [...this.#rooms.values()].map((held) => held.room)
    return [...this.#keeper.running()].map(([worker, cpu]) => {
      const own = rooms.filter((one) => one.worker === worker)
      const peers = own.reduce((all, { peers }) => all + peers.size, 0)
      return { worker, cpu, rooms: own.length, peers }
    })
  }
}

type SpeechEngineEvent = Extract<EngineEvent, { type: 'dominant' | 'loud' | 'quiet' }>

/** Undefined when the streams heard have ended in the meantime. */
function speechOf(state: Room, event: SpeechEngineEvent): SpeakerEvent | undefined {
  switch (event.type) {
    case 'dominant': {
      const peer = publisherOf(state, event.producer)
      return peer && { type: 'dominant', peer: peer.id }
    }
    case 'loud': {
      const peers = event.producers.flatMap((id) => publisherOf(state, id)?.id ?? [])
      return peers.length > 0 ? { type: 'loud', peers } : undefined
    }
    case 'quiet':
      return { type: 'quiet' }
    default:
      return unreachable(event)
  }
}

/** Enough of an id to join log lines, without naming the call. */
function short(id: string): string {
  return id.slice(0, 8)
}
