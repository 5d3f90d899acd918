import { callViewSchema, fail, ok, participantAt } from '@parley/protocol'
import type {
  AnswerFrame,
  CallId,
  DeviceAddress,
  Grants,
  Millis,
  RoomName,
  SessionId,
} from '@parley/protocol'
import type { Log } from '@parley/service'
import type { Calls } from '../calls.ts'
import type { ForeignCalls } from '../core/foreign-calls.ts'
import type { NodeId } from '../core/lease-book.ts'
import { callKey, pairKey, roomKey, subjectOf } from '../core/subject.ts'
import type { Subject } from '../core/subject.ts'
import type { NodeChannel } from './channel.ts'
import type { Claimed, Ownership } from './ownership.ts'

/** Departures kept for owners that cannot be told now; the oldest are forgotten first. */
const MOST_DEPARTURES = 10_000

/** How long owners are tried. Longer than any store is away for; one that is dead costs one line a beat. */
const DEPARTURE_MS = 30 * 60_000

/** Who asks. */
export interface Asker {
  readonly at: DeviceAddress
  readonly session: SessionId
  /** What the session's token lets it do; checked where the session is, and of use where the call is. */
  readonly grants: Grants
}

/** The call of a seat ticket. */
export interface TicketedCall {
  readonly id: CallId
  readonly room?: RoomName | undefined
}

/** What routing needs of its surroundings. */
export interface RoutingPorts {
  readonly calls: Calls
  readonly channel: NodeChannel
  readonly ownership: Ownership
  readonly foreign: ForeignCalls
  readonly log: Log
  readonly now: () => Millis
  answer(asker: Asker, type: string, data: unknown): Promise<AnswerFrame>
  callOfTicket(ticket: string, at: DeviceAddress): TicketedCall | undefined
  /** A device here has come into a call of another node, or left one. */
  seatsChanged(at: DeviceAddress): void
  isUp(): boolean
}

/** Who answers a request: this node, another one, or nobody now. */
type Place = 'here' | 'nobody' | NodeId

/** A request, and what it is about. */
interface RoutedRequest {
  readonly type: string
  readonly data: unknown
  readonly subject: Subject
}

/** Somebody has left a call whose owner could not be told. */
interface Departure extends Asker {
  readonly call: CallId
  readonly owner: NodeId
  readonly until: Millis
}

/** Brings each request to the node that holds what it is about. */
export class Routing {
  readonly #ports: RoutingPorts
  #departures: Departure[] = []

  constructor(ports: RoutingPorts) {
    this.#ports = ports
  }

  async handle(asker: Asker, type: string, data: unknown): Promise<AnswerFrame> {
    const subject = subjectOf(type, data)
    const place = await this.#placeOf(subject, asker.at)
    if (place === 'nobody') return this.#refuse(asker, type, subject)
    if (place !== 'here') return this.#forward(place, asker, { type, data, subject })
    const answer = await this.#ports.answer(asker, type, data)
    this.#settleClaims(subject, asker.at)
    if (answer.ok) await this.#quietOthers(asker, answer, undefined)
    // Whoever is on another node cannot be seen now, which is not the same as not being there.
    else if (answer.error.code === 'user-offline' && !this.#ports.isUp()) {
      return fail('store-unavailable', { field: answer.error.field ?? 'data.users' })
    }
    return answer
  }

  /** Tells owners who has left while they could not be told. */
  tellDepartures(): void {
    const departures = this.#departures
    this.#departures = []
    for (const departure of departures) void this.#depart(departure)
  }

  async #placeOf(subject: Subject, at: DeviceAddress): Promise<Place> {
    const { calls, ownership, foreign } = this.#ports
    switch (subject.kind) {
      case 'session':
        return 'here'
      case 'start':
        return this.#placeOfStart(subject, at)
      case 'room':
        if (calls.inRoom(subject.room)) return 'here'
        return placeOf(await ownership.claim(roomKey(subject.room)))
      case 'ticket': {
        const call = this.#ports.callOfTicket(subject.ticket, at)
        if (!call || calls.find(call.id)) return 'here'
        const known = foreign.find(at, call.id)
        if (known) return known.owner
        // Whoever has the room by now knows what has become of the call.
        const { id, room } = call
        const held = room === undefined ? 'ours' : await ownership.claim(roomKey(room), id)
        return placeOf(held === 'ours' ? await ownership.claim(callKey(id), id) : held)
      }
      case 'call': {
        if (calls.find(subject.call)) return 'here'
        const known = foreign.find(at, subject.call)
        if (known) return known.owner
        const owner = await ownership.find(callKey(subject.call))
        // Nobody has it: the answer to that is the same on every node.
        return owner === undefined ? 'here' : placeOf(owner)
      }
    }
  }

  async #placeOfStart(
    { call, callee }: Extract<Subject, { kind: 'start' }>,
    at: DeviceAddress,
  ): Promise<Place> {
    const { calls, ownership, foreign } = this.#ports
    if (calls.find(call)) return 'here'
    const known = callee && foreign.between(at, callee)
    if (known) return known.owner
    const [pair, own] = await Promise.all([
      callee === undefined ? 'ours' : ownership.claim(pairKey(at.user, callee), call, true),
      ownership.claim(callKey(call), call, true),
    ])
    // Both ring each other: whoever holds the earlier call makes one of them.
    if (typeof pair === 'object') {
      ownership.releaseOf(call)
      return pair.node
    }
    // Without a store people of this node can still ring each other.
    return typeof own === 'object' ? own.node : 'here'
  }

  /** Gives back what was claimed for a call that has not come about. */
  #settleClaims(subject: Subject, at: DeviceAddress): void {
    const { calls, ownership } = this.#ports
    if (subject.kind === 'start' && !calls.find(subject.call)) ownership.releaseOf(subject.call)
    if (subject.kind === 'room') {
      const call = calls.inRoom(subject.room)
      if (call) ownership.tie(roomKey(subject.room), call.id)
      else ownership.release(roomKey(subject.room))
    }
    if (subject.kind === 'ticket') {
      const call = this.#ports.callOfTicket(subject.ticket, at)
      if (call && !calls.find(call.id)) ownership.releaseOf(call.id)
    }
  }

  async #forward(
    node: NodeId,
    asker: Asker,
    { type, data, subject }: RoutedRequest,
  ): Promise<AnswerFrame> {
    const { at, session, grants } = asker
    const { user, device } = at
    const question = { at: { user, device }, session, grants, type, data }
    const asked = await this.#ports.channel.ask(node, 'request', question)
    if (!asked.ok) return this.#refuse(asker, type, subject)
    // Another node of this version made it.
    const answer = asked.data as AnswerFrame
    if (answer.ok) {
      const view = callViewSchema.safeParse((answer.data as { readonly call?: unknown }).call)
      if (view.success) this.#ports.foreign.put(at, node, view.data)
      if (subject.kind === 'call' && isDeparture(type)) this.#ports.foreign.remove(at, subject.call)
      this.#ports.seatsChanged(at)
      await this.#quietOthers(asker, answer, node)
    }
    return answer
  }

  /** Nobody can answer now. Who wants to go may go all the same. */
  #refuse(asker: Asker, type: string, subject: Subject): AnswerFrame {
    if (subject.kind !== 'call' || !isDeparture(type)) return fail('store-unavailable')
    const known = this.#ports.foreign.find(asker.at, subject.call)
    if (!known) return fail('store-unavailable')
    this.#ports.foreign.remove(asker.at, subject.call)
    this.#ports.seatsChanged(asker.at)
    const until = this.#ports.now() + DEPARTURE_MS
    this.#remember({ ...asker, call: subject.call, owner: known.owner, until })
    return ok({})
  }

  /** Who has just taken a seat holds no other call, wherever that is. */
  async #quietOthers(asker: Asker, answer: AnswerFrame, handledBy: NodeId | undefined) {
    const { calls, foreign } = this.#ports
    const data = answer.ok
      ? (answer.data as { readonly call?: unknown; participant?: unknown })
      : {}
    if (typeof data.participant !== 'string' || typeof data.call !== 'object') return
    const { id: taken } = data.call as { readonly id: CallId }
    const { at } = asker
    for (const { owner, view } of foreign.seatsOf(at)) {
      const seat = view.participants.find((p) => p.user === at.user && p.device === at.device)
      if (owner === handledBy || view.id === taken || seat?.onHold) continue
      const { user, device } = at
      const hold = { type: 'call.hold', data: { call: view.id, on: true } }
      await this.#ports.channel.ask(owner, 'request', { ...asker, at: { user, device }, ...hold })
    }
    if (handledBy === undefined) return
    for (const call of calls.ofDevice(at)) {
      if (call.id === taken || participantAt(call, at)?.onHold) continue
      await this.#ports.answer(asker, 'call.hold', { call: call.id, on: true })
    }
  }

  async #depart(departure: Departure): Promise<void> {
    const { at, session, grants, call, owner, until } = departure
    const { user, device } = at
    const gone = { at: { user, device }, session, grants, type: 'call.hangup', data: { call } }
    const told = await this.#ports.channel.ask(owner, 'request', gone)
    // An owner that never comes back has an heir, who misses the device by itself.
    if (!told.ok && this.#ports.now() < until) this.#remember(departure)
  }

  #remember(departure: Departure): void {
    this.#departures = [...this.#departures, departure].slice(-MOST_DEPARTURES)
  }
}

function placeOf(claimed: Claimed): Place {
  if (claimed === 'ours') return 'here'
  return claimed === 'unavailable' ? 'nobody' : claimed.node
}

function isDeparture(type: string): boolean {
  return type === 'call.hangup' || type === 'call.decline'
}
