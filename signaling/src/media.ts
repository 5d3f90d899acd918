import type {
  CallId,
  NodeEvent,
  NodeLoad,
  NodeRequestData,
  NodeRequestResult,
  NodeRequestType,
  ParticipantId,
  ProducerId,
  Result,
  SfuNode,
} from '@parley/protocol'
import { fail } from '@parley/protocol'
import type { Log } from '@parley/service'
import { AwayNodes } from './away-nodes.ts'
import { rankNodes } from './core/placement.ts'

/** How long a placement that failed waits for its next try. Shorter heals sooner, longer is calmer. */
const PLACE_RETRY_MS = 500

/** Nothing is known of a node yet; it is taken to be idle. */
const UNKNOWN_LOAD: NodeLoad = { cpu: 0, rooms: 0, peers: 0, workers: 1 }

/** How often a node is asked for a room to adopt before the room counts as lost. */
const ADOPT_ATTEMPTS = 20

interface EpochOfCall {
  readonly call: CallId
  readonly epoch: number
}

/** What is published in an adopted room; undefined: it is gone. */
type Streams = NodeRequestResult<'room.adopt'>['publications'] | undefined

type RoomKey = `${CallId}/${number}`

/** A media room: one epoch of one call, on the node that took it, once one has. */
interface MediaRoom {
  readonly call: CallId
  readonly epoch: number
  node: SfuNode | undefined
  /** The log has said that no node takes it. */
  complained: boolean
}

/** Told when something happens to a call's media. */
export type MediaListener = (event: Exclude<NodeEvent, { type: 'load' }>) => void

/** The SFU nodes and the rooms on them: places rooms, and carries orders to the right node. */
export class Media {
  readonly #log: Log
  readonly #nodes = new Map<string, { readonly node: SfuNode; load: NodeLoad }>()
  readonly #rooms = new Map<RoomKey, MediaRoom>()
  readonly #retries = new Set<NodeJS.Timeout>()
  readonly #away: AwayNodes
  /** Rooms that were given up while their node was out of reach, which may still hold them. */
  #left: readonly (EpochOfCall & { readonly node: SfuNode })[] = []
  #listener: MediaListener = () => undefined
  #placed: (call: CallId) => void = () => undefined
  #fenceOf: (call: CallId) => number | undefined = () => undefined

  constructor({ log, nodes }: { log: Log; nodes: readonly SfuNode[] }) {
    this.#log = log
    this.#away = new AwayNodes({
      stillAway: (id) => this.#moveFrom(id),
      back: (id) => void this.#lookAfter(id),
    })
    for (const node of nodes) {
      this.#nodes.set(node.id, { node, load: UNKNOWN_LOAD })
      node.onEvent((event) => this.#onNodeEvent(node, event))
    }
  }

  onEvent(listener: MediaListener): void {
    this.#listener = listener
  }

  /** Sets what orders about a call are marked with, among several signaling processes. */
  fenceBy(fenceOf: (call: CallId) => number | undefined): void {
    this.#fenceOf = fenceOf
  }

  /** Sets who is told that a node has taken a room of a call. */
  onPlaced(listener: (call: CallId) => void): void {
    this.#placed = listener
  }

  /** Finds a node for the room; keeps trying until the room is closed. */
  open(call: CallId, epoch: number): void {
    const room: MediaRoom = { call, epoch, node: undefined, complained: false }
    this.#rooms.set(keyOf(call, epoch), room)
    void this.#place(room)
  }

  /**
   * Takes over a room that an earlier process has placed on `nodeId`, with the streams in it.
   * Undefined where it is gone, or the node does not answer for too long.
   */
  async adopt({ call, epoch }: EpochOfCall, nodeId: string | undefined): Promise<Streams> {
    const known = this.#rooms.get(keyOf(call, epoch))
    const node = known?.node ?? this.#nodes.get(nodeId ?? '')?.node
    if (!node) return undefined
    const room: MediaRoom = known ?? { call, epoch, node, complained: false }
    this.#rooms.set(keyOf(call, epoch), room)
    // A process that has just started may not have reached its nodes yet.
    for (let attempt = 1; ; attempt++) {
      const adopted = await this.#order(node, 'room.adopt', { call, epoch })
      if (adopted.ok) return adopted.data.publications
      if (!adopted.error.retryable || attempt >= ADOPT_ATTEMPTS) return undefined
      await new Promise<void>((resolve) => this.#after(resolve))
    }
  }

  /** The id of the node that has the room, once one has. */
  nodeOf(call: CallId, epoch: number): string | undefined {
    return this.#rooms.get(keyOf(call, epoch))?.node?.id
  }

  close(call: CallId, epoch: number): void {
    const room = this.#rooms.get(keyOf(call, epoch))
    this.#rooms.delete(keyOf(call, epoch))
    if (room?.node) void this.#order(room.node, 'room.close', { call, epoch })
  }

  /** Forgets a call's rooms, which another process looks after now. */
  leaveTo(call: CallId): void {
    for (const [key, room] of this.#rooms) if (room.call === call) this.#rooms.delete(key)
  }

  /** Stops a stream against its sender's will. */
  pauseProducer(
    call: CallId,
    epoch: number,
    stream: { readonly peer: ParticipantId; readonly producer: ProducerId },
  ): void {
    void this.request('producer.pause', { call, epoch, ...stream, paused: true })
  }

  closePeer(call: CallId, epoch: number, peer: ParticipantId): void {
    void this.request('peer.close', { call, epoch, peer })
  }

  /** Carries an order about a placed room to its node. */
  async request<T extends Exclude<NodeRequestType, `room.${string}`>>(
    type: T,
    data: NodeRequestData<T>,
  ): Promise<Result<NodeRequestResult<T>>> {
    const room = this.#rooms.get(keyOf(data.call, data.epoch))
    if (!room)
      return fail('media-order', { message: 'The media path has moved on.', field: 'epoch' })
    if (!room.node) return fail('no-media-node')
    return this.#order(room.node, type, data)
  }

  get nodeCount(): number {
    return this.#nodes.size
  }

  stop(): void {
    for (const timer of this.#retries) clearTimeout(timer)
    this.#retries.clear()
    this.#away.stop()
  }

  /** Gives an order in the name of the call's owner, which this process may be no longer. */
  #order<T extends NodeRequestType>(
    node: SfuNode,
    type: T,
    data: NodeRequestData<T>,
  ): Promise<Result<NodeRequestResult<T>>> {
    const fence = this.#fenceOf(data.call)
    return node.request(type, fence === undefined ? data : { ...data, fence })
  }

  async #place(room: MediaRoom): Promise<void> {
    const { call, epoch } = room
    for (const node of this.#nodesByPreference()) {
      const opened = await this.#order(node, 'room.open', { call, epoch })
      if (!opened.ok) continue
      if (!this.#isWanted(room)) {
        void this.#order(node, 'room.close', { call, epoch })
        return
      }
      room.node = node
      this.#log.info({ call, epoch, node: node.id }, 'media room placed')
      this.#placed(call)
      return
    }
    if (!this.#isWanted(room)) return
    // A person must act, but needs to be told once, not twice a second.
    if (!room.complained) this.#log.error({ call, epoch }, 'no SFU node takes the room; trying on')
    room.complained = true
    this.#retry(room)
  }

  #nodesByPreference(): readonly SfuNode[] {
    const candidates = [...this.#nodes].map(([id, { load }]) => ({ id, load }))
    return rankNodes(candidates)
      .map(({ id }) => this.#nodes.get(id)?.node)
      .filter((node) => node !== undefined)
  }

  #isWanted(room: MediaRoom): boolean {
    return this.#rooms.get(keyOf(room.call, room.epoch)) === room
  }

  #retry(room: MediaRoom): void {
    this.#after(() => {
      if (this.#isWanted(room)) void this.#place(room)
    })
  }

  #after(run: () => void): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer)
      run()
    }, PLACE_RETRY_MS)
    this.#retries.add(timer)
  }

  #onNodeEvent(node: SfuNode, event: NodeEvent): void {
    if (event.type === 'load') {
      this.#nodes.set(node.id, { node, load: event.data })
      this.#away.see(node.id, event.data.workers === 0)
      return
    }
    const { call, epoch } = event.data
    const room = this.#rooms.get(keyOf(call, epoch))
    // A room that has been closed or moved can still echo.
    if (room?.node !== node) return
    if (event.type === 'room.lost') this.#lose(room)
    else this.#listener(event)
  }

  #lose(room: MediaRoom): void {
    const { call, epoch, node } = room
    // Moved or closed meanwhile.
    if (!this.#isWanted(room)) return
    this.#rooms.delete(keyOf(call, epoch))
    this.#log.warn({ call, epoch, node: node?.id }, 'media room lost')
    this.#listener({ type: 'room.lost', data: { call, epoch } })
  }

  /** A node stays out of reach: its rooms go to others, where there are any. */
  #moveFrom(id: string): void {
    const hasOthers = [...this.#nodes.values()].some(
      ({ node, load }) => node.id !== id && load !== UNKNOWN_LOAD && load.workers > 0,
    )
    if (!hasOthers) return
    for (const room of this.#roomsOn(id)) {
      const { call, epoch, node } = room
      if (node) this.#left = [...this.#left, { call, epoch, node }]
      this.#lose(room)
    }
  }

  /** A node is back: maybe as it was, maybe another process without the rooms. */
  async #lookAfter(id: string): Promise<void> {
    const left = this.#left.filter(({ node }) => node.id === id)
    this.#left = this.#left.filter(({ node }) => node.id !== id)
    for (const { call, epoch, node } of left) void this.#order(node, 'room.close', { call, epoch })
    for (const room of this.#roomsOn(id)) {
      const { call, epoch, node } = room
      const adopted = node && (await this.#order(node, 'room.adopt', { call, epoch }))
      if (adopted?.ok === false && !adopted.error.retryable) this.#lose(room)
    }
  }

  #roomsOn(id: string): readonly MediaRoom[] {
    return [...this.#rooms.values()].filter(({ node }) => node?.id === id)
  }
}

function keyOf(call: CallId, epoch: number): RoomKey {
  return `${call}/${epoch}`
}
