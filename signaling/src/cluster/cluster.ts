import { audience, limits, viewFor } from '@parley/protocol'
import type {
  AnswerFrame,
  Call,
  CallId,
  DeviceAddress,
  Millis,
  ServerEvent,
} from '@parley/protocol'
import type { Log } from '@parley/service'
import type { Calls } from '../calls.ts'
import { Absences } from '../core/absences.ts'
import { Fence } from '../core/fence.ts'
import { ForeignCalls } from '../core/foreign-calls.ts'
import type { NodeId } from '../core/lease-book.ts'
import { freshDevice } from '../core/neighbours.ts'
import type { DeviceChange, DeviceState, Neighbours } from '../core/neighbours.ts'
import { callKey, callOf, roomKey } from '../core/subject.ts'
import type { Directory, ResumeRequest } from '../directory.ts'
import type { Leases } from '../store/leases.ts'
import type { NodeChannel } from './channel.ts'
import { SessionFerry } from './ferry.ts'
import type { Asking, AskingType, Telling, TellingType } from './messages.ts'
import { Ownership } from './ownership.ts'
import { Routing } from './routing.ts'
import type { Asker, TicketedCall } from './routing.ts'

/** How often a node shows that it lives, and looks who else does. */
const BEAT_MS = 1_000

/** What joins this process to the others that share a store. */
export interface ClusterLink {
  readonly node: NodeId
  readonly leases: Leases
  readonly channel: NodeChannel
  /** The store comes and goes. */
  onState(listener: (isUp: boolean) => void): void
  readonly beatMs?: number
  readonly lifeMs: number
  readonly settleMs?: number
}

/** What the cluster needs of the hub. */
export interface ClusterPorts {
  readonly now: () => Millis
  readonly log: Log
  readonly directory: Directory
  readonly neighbours: Neighbours
  readonly calls: Calls
  /** Answers a request with the calls of this node. */
  answer(asker: Asker, type: string, data: unknown): Promise<AnswerFrame>
  /** A device of another node has come, changed, lost its socket, or gone. */
  readonly deviceChanged: (at: DeviceAddress, change: DeviceChange) => void
  /** Another node has an event for a device here. */
  deliver(to: DeviceAddress, event: ServerEvent): void
  /** A device has a later session on another node: the one here ends. */
  replaced(at: DeviceAddress): void
  /** Another node holds the call now: what is known of it here is to be forgotten. */
  dropCall(call: Call): void
  /** The call that a seat ticket is for, if the ticket is good. */
  callOfTicket(ticket: string, at: DeviceAddress): TicketedCall | undefined
}

/**
 * Makes several signaling processes one: each tells the others of its devices, a call is held by one
 * of them, and what is about a call goes there. A process that is alone has none of it.
 */
export class Cluster {
  readonly #link: ClusterLink | undefined
  readonly #ports: ClusterPorts
  readonly #ownership: Ownership | undefined
  readonly #routing: Routing | undefined
  readonly #ferry: SessionFerry | undefined
  readonly #foreign = new ForeignCalls()
  readonly #fence = new Fence<CallId>()
  readonly #peers = new Set<NodeId>()
  readonly #dirty = new Map<string, DeviceAddress>()
  readonly #absences = new Absences()
  #beat: NodeJS.Timeout | undefined
  #lastBeatAt: Millis = 0
  #isUp = false

  constructor(link: ClusterLink | undefined, ports: ClusterPorts) {
    this.#link = link
    this.#ports = ports
    if (!link) return
    const { now, log, calls } = ports
    const { leases, channel, settleMs } = link
    this.#ownership = new Ownership({
      leases,
      log,
      now,
      ...(settleMs !== undefined && { settleMs }),
    })
    this.#routing = new Routing({
      ...{ calls, channel, log, now, ownership: this.#ownership, foreign: this.#foreign },
      answer: (asker, type, data) => ports.answer(asker, type, data),
      callOfTicket: (ticket, at) => ports.callOfTicket(ticket, at),
      seatsChanged: (at) => this.deviceTouched(at),
      isUp: () => this.#isUp,
    })
    const { directory, neighbours } = ports
    this.#ferry = new SessionFerry({
      ...{ node: link.node, channel, directory, neighbours, calls, now },
      foreign: this.#foreign,
    })
    channel.listen({
      told: (from, type, data) => this.#told(from, type, data),
      asked: (from, type, data) => this.#asked(from, type, data),
    })
  }

  /** Begins to live among the others. */
  start(): void {
    const link = this.#link
    if (!link) return
    link.onState((isUp) => {
      this.#isUp = isUp
      this.#ports.directory.seesNeighbours = isUp
      if (isUp) void this.#heal()
      else this.#ownership?.storeWent()
    })
    this.#beat = setInterval(() => void this.#onBeat(), link.beatMs ?? BEAT_MS)
    this.#beat.unref()
  }

  /** Leaves the others at once, so that they take over what was held here. */
  async stop(): Promise<void> {
    clearInterval(this.#beat)
    if (!this.#link) return
    await this.#link.leases.resign()
    for (const peer of this.#peers) await this.#link.channel.tell(peer, 'bye', {})
    this.#link.channel.close()
  }

  get peerCount(): number {
    return this.#peers.size
  }

  /** Answers a request here or where the call is that it is about. */
  handle(asker: Asker, type: string, data: unknown): Promise<AnswerFrame> {
    return this.#routing?.handle(asker, type, data) ?? this.#ports.answer(asker, type, data)
  }

  /** Calls of other nodes that a device sees. */
  foreignOf(at: DeviceAddress) {
    return this.#foreign.of(at)
  }

  /** Calls of other nodes in which a device of this or any other node is. */
  callsElsewhere(at: DeviceAddress): readonly CallId[] {
    const announced = this.#ports.neighbours.find(at)?.calls
    return announced ?? this.#foreign.seatsOf(at).map(({ view }) => view.id)
  }

  /** What marks this node's orders about a call as those of its owner; nothing where it is alone. */
  fenceOf(call: CallId): number | undefined {
    return this.#ownership?.token(callKey(call))
  }

  /** A call of this node has changed. */
  callChanged(before: Call, after: Call): void {
    const ownership = this.#ownership
    if (!ownership) return
    if (after.phase === 'ended') {
      // What follows from the end is still said in the owner's name.
      setImmediate(() => ownership.releaseOf(after.id))
    } else {
      ownership.assume(callKey(after.id), after.id)
      if (after.room !== undefined) ownership.assume(roomKey(after.room), after.id)
      if (after.answered && !before.answered) ownership.releaseOf(after.id, 'pair:')
    }
    for (const at of [...before.participants, ...after.participants]) this.deviceTouched(at)
  }

  /** A device of this node has come, gone or changed; the others are told in a moment. */
  deviceTouched({ user, device }: DeviceAddress): void {
    if (this.#peers.size === 0) return
    if (this.#dirty.size === 0) setImmediate(() => this.#flush())
    this.#dirty.set(keyOf({ user, device }), { user, device })
  }

  /** A device's session here is over, and not on its way to another node. */
  deviceLeft(at: DeviceAddress): void {
    this.#foreign.forget(at)
    this.deviceTouched(at)
  }

  /** Sends an event to a device that has its session on another node. */
  tell(to: DeviceAddress, event: ServerEvent): void {
    const neighbour = this.#ports.neighbours.find(to)
    if (!neighbour || !this.#link) return
    const call = callOf(event)
    const token = call === undefined ? 0 : (this.#ownership?.token(callKey(call)) ?? 0)
    const { user, device } = to
    const about = call === undefined ? {} : { call }
    void this.#link.channel.tell(neighbour.node, 'event', {
      ...about,
      to: { user, device },
      event,
      token,
    })
  }

  /** Brings the session of a device here that had it on another node, for its client to resume. */
  async fetchSession(at: DeviceAddress, resume: ResumeRequest | undefined): Promise<void> {
    if (!resume || !this.#isUp) return
    if (await this.#ferry?.fetch(at, resume)) this.deviceTouched(at)
  }

  #told<T extends TellingType>(from: NodeId, type: T, data: Telling<T>): void {
    if (type === 'bye') {
      this.#nodeDied(from)
      return
    }
    this.#meet(from)
    if (type === 'devices') this.#onDevices(from, data as Telling<'devices'>)
    else this.#onEvent(from, data as Telling<'event'>)
  }

  async #asked<T extends AskingType>(from: NodeId, type: T, data: Asking<T>): Promise<unknown> {
    this.#meet(from)
    if (type === 'session.take') return this.#ferry?.give(from, data as Asking<'session.take'>)
    const { at, session, grants, type: request, data: input } = data as Asking<'request'>
    // It asks for a device that it has; its news of the device may be on the way.
    if (!this.#ports.neighbours.find(at)) {
      this.#note(from, at, { ...freshDevice(session, this.#ports.now()), grants })
    }
    return this.#ports.answer({ at, session, grants }, request, input)
  }

  #onDevices(from: NodeId, { whole, asks, devices }: Telling<'devices'>): void {
    if (asks) this.#introduce(from, false)
    if (whole) {
      const told = new Set(devices.map(keyOf))
      for (const at of this.#ports.neighbours.ofNode(from)) {
        if (!told.has(keyOf(at))) this.#note(from, at, undefined)
      }
    }
    for (const { user, device, state } of devices) {
      this.#note(from, { user, device }, state ?? undefined)
    }
    if (whole) this.#retell(from)
  }

  /** What happened while a node was away has not reached its devices. */
  #retell(node: NodeId): void {
    for (const call of this.#ports.calls.all()) {
      const there = audience(call).filter((at) => this.#ports.neighbours.find(at)?.node === node)
      for (const to of there) {
        this.tell(to, { type: 'call.updated', data: { call: viewFor(call, to) } })
      }
    }
  }

  #onEvent(from: NodeId, { to, event, call, token }: Telling<'event'>): void {
    if (call !== undefined && !this.#fence.admits(call, token)) {
      this.#ports.log.warn({ call, node: from }, 'an event of a former owner was refused')
      return
    }
    // Made by the machine of a node of this version.
    const known = event as ServerEvent
    if (this.#foreign.note(to, from, known)) this.deviceTouched(to)
    if (!this.#ferry?.keep(to, known)) this.#ports.deliver(to, known)
  }

  #note(node: NodeId, at: DeviceAddress, state: DeviceState | undefined): void {
    const here = this.#ports.directory.stateOf(at)
    if (state && here) {
      if (here.since >= state.since) return
      this.#ports.replaced(at)
    }
    const change = this.#ports.neighbours.note(node, at, state)
    if (change === 'renewed' || here) {
      // Its client has to come for its seats with its tickets, as after any lost session.
      this.#await(at, node)
      this.#ports.deviceChanged(at, 'away')
      return
    }
    if (state?.connected) this.#absences.end(at)
    if (change !== 'same') this.#ports.deviceChanged(at, change)
  }

  /** A node that was not known is told of all devices here. */
  #meet(node: NodeId): void {
    if (this.#peers.has(node) || node === this.#link?.node) return
    this.#peers.add(node)
    this.#ports.log.info({ node }, 'another signaling process is there')
    this.#introduce(node)
  }

  /** `asks` the node to introduce itself, too: both may have missed something. */
  #introduce(node: NodeId, asks = true): void {
    const devices = this.#ports.directory.devices().map((at) => this.#announcement(at))
    void this.#link?.channel.tell(node, 'devices', { whole: true, asks, devices })
  }

  #announcement(at: DeviceAddress) {
    const { user, device } = at
    const state = this.#ports.directory.stateOf(at)
    if (!state) return { user, device, state: null }
    const own = this.#ports.calls.ofDevice(at).map(({ id }) => id)
    const foreign = this.#foreign.seatsOf(at).map(({ view }) => view.id)
    return { user, device, state: { ...state, calls: [...own, ...foreign] } }
  }

  #flush(): void {
    const devices = [...this.#dirty.values()]
      .filter((at) => !this.#ports.neighbours.find(at))
      .map((at) => this.#announcement(at))
    this.#dirty.clear()
    if (devices.length === 0) return
    for (const peer of this.#peers) {
      void this.#link?.channel.tell(peer, 'devices', { whole: false, asks: false, devices })
    }
  }

  async #onBeat(): Promise<void> {
    const link = this.#link
    if (!link || !this.#isUp) return
    this.#endAbsences()
    this.#routing?.tellDepartures()
    const missed = this.#ports.now() - this.#lastBeatAt >= link.lifeMs
    if (missed) return this.#heal()
    if (!(await this.#showLife())) return
    const peers = await link.leases.peers()
    if (!peers.ok) return
    for (const peer of peers.data) this.#meet(peer)
    if (!this.#ownership?.isSettled) return
    for (const known of [...this.#peers]) if (!peers.data.includes(known)) this.#nodeDied(known)
  }

  async #showLife(): Promise<boolean> {
    const beaten = await this.#link?.leases.beat()
    if (beaten?.ok) this.#lastBeatAt = this.#ports.now()
    return beaten?.ok === true
  }

  /** The store is there, again or for the first time; or this node was taken for dead. */
  async #heal(): Promise<void> {
    const link = this.#link
    this.#ownership?.storeCame()
    if (!link || !(await this.#showLife())) return
    for (const id of (await this.#ownership?.reassert()) ?? []) this.#lose(id)
    const peers = await link.leases.peers()
    if (!peers.ok) return
    for (const peer of peers.data) {
      if (this.#peers.has(peer)) this.#introduce(peer)
      else this.#meet(peer)
    }
  }

  #lose(id: CallId): void {
    const call = this.#ports.calls.find(id)
    this.#ownership?.releaseOf(id)
    if (call) this.#ports.dropCall(call)
  }

  #nodeDied(node: NodeId): void {
    if (!this.#peers.delete(node)) return
    this.#ports.log.warn({ node }, 'another signaling process is gone')
    this.#link?.channel.abandon(node)
    const { neighbours, directory } = this.#ports
    for (const at of neighbours.ofNode(node)) {
      const known = neighbours.find(at)
      if (!known) continue
      this.#await(at, node)
      const change = neighbours.note(node, at, { ...known, connected: false })
      if (change === 'away') this.#ports.deviceChanged(at, change)
    }
    // Their clients have tickets for the seats in what that node held.
    for (const at of this.#foreign.dropOwner(node)) {
      directory.makeAnew(at)
      this.deviceTouched(at)
    }
  }

  /** The seats of those who have not come back in time are free. */
  #endAbsences(): void {
    const { neighbours, deviceChanged, now } = this.#ports
    for (const { at, of } of this.#absences.takeDue(now())) {
      const known = neighbours.find(at)
      if (known?.connected === false && known.node === of) this.#note(of, at, undefined)
      else deviceChanged(at, 'unclaimed')
    }
  }

  #await(at: DeviceAddress, of: NodeId): void {
    this.#absences.begin({ at, of }, this.#ports.now() + limits.sessionGraceMs)
  }
}

function keyOf({ user, device }: DeviceAddress): string {
  return JSON.stringify([user, device])
}
