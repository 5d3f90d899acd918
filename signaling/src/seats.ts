import type {
  Call,
  CallId,
  CallMedia,
  ClientRequestResult,
  DeviceAddress,
  Millis,
  ParticipantId,
  Publication,
  RememberedCall,
  Result,
  SeatTicket,
  Sending,
  ServerEvent,
} from '@parley/protocol'
import {
  correctedCall,
  fail,
  kindOfSource,
  limits,
  ok,
  openEpochs,
  participantAt,
  participantById,
  restoredCall,
  topologyView,
  viewFor,
} from '@parley/protocol'
import type { Log } from '@parley/service'
import type { Calls } from './calls.ts'
import { Deadlines } from './core/deadlines.ts'
import type { TicketSeal } from './core/ticket.ts'
import { followHolds } from './holds.ts'
import type { Media } from './media.ts'
import type { Environment } from './ports.ts'

/** Bytes of randomness in a participant's id. */
const ID_BYTES = 12

/** Restored calls remembered after their end, so that a late ticket does not bring one back. */
const ENDED_REMEMBERED = 1_000

/** Lost seats of one call that can be taken again; the oldest are forgotten first. */
const LOST_REMEMBERED = 100

/** What the seats need of their surroundings. */
export interface SeatPorts {
  readonly env: Environment
  readonly log: Log
  readonly seal: TicketSeal
  /** Names this process in tickets. */
  readonly issuer: string
  readonly calls: Calls
  readonly media: Media
  readonly tell: (to: DeviceAddress, event: ServerEvent) => void
}

/** A call that was brought back, while newer tickets than the first may still correct it. */
interface Restored {
  /** When the newest ticket that was used had been written. */
  basis: Millis
  readonly restoredAt: Millis
  /** Who came or left since. */
  readonly since: Set<ParticipantId>
}

interface SeatKey {
  readonly call: CallId
  readonly participant: ParticipantId
}

/**
 * Gives devices their seats back: writes the tickets, and makes a call that this process has never
 * seen, or has lost, from the tickets that its people bring.
 */
export class Seats {
  readonly #ports: SeatPorts
  readonly #restoring = new Map<CallId, Promise<void>>()
  readonly #restored = new Map<CallId, Restored>()
  /** Restored seats whose devices are not back yet. */
  readonly #awaited = new Map<string, SeatKey>()
  readonly #deadlines = new Deadlines<string>()
  readonly #lost = new Map<CallId, Set<ParticipantId>>()
  readonly #ended = new Set<CallId>()
  #lastStamp: Millis = 0

  constructor(ports: SeatPorts) {
    this.#ports = ports
    ports.media.onPlaced((id) => {
      const call = ports.calls.find(id)
      if (call) this.#issue(call)
    })
  }

  /** Gives the bearer of a ticket its seat, in a call that may have to be restored for it. */
  async resume(
    at: DeviceAddress,
    { ticket: text, fresh }: { readonly ticket: string; readonly fresh?: CallMedia | undefined },
  ): Promise<Result<ClientRequestResult<'call.resume'>>> {
    const { seal, env, calls, issuer } = this.#ports
    const opened = seal.open(text, at, env.now())
    if (!opened.ok) return opened
    const ticket = opened.data
    const { id, room } = ticket.call
    // Others may have come with their tickets at the same moment.
    while (this.#restoring.has(id)) await this.#restoring.get(id)
    if (calls.find(id)) {
      await this.#correct(ticket)
    } else {
      // A call of this very process that it does not know has ended.
      const over = ticket.issuer === issuer || this.#ended.has(id)
      const moved = room !== undefined && calls.inRoom(room) !== undefined
      // Nobody had answered: the caller rings anew.
      const unanswered = room === undefined && !ticket.call.answered
      if (over || moved || unanswered) return fail('call-not-found', { field: 'data.ticket' })
      await this.#once(id, () => this.#restore(ticket))
    }
    return this.#takeSeat(ticket, at, fresh)
  }

  /** A call has changed: its people may need new tickets. */
  changed(before: Call, after: Call): void {
    this.#noteComings(before, after)
    // Its device may have come back by another process, with its session.
    for (const { id, connected } of after.participants) {
      if (connected) this.#arrived({ call: after.id, participant: id })
    }
    if (after.phase === 'ended') this.#forget(after.id)
    else if (factsOf(before) !== factsOf(after)) this.#issue(after)
    followHolds(this.#ports.media, before, after)
  }

  /** A seat goes because its device was lost, and not by anybody's will: it may be taken again. */
  lost(call: CallId, participant: ParticipantId): void {
    const seats = this.#lost.get(call) ?? new Set()
    seats.add(participant)
    const [oldest] = seats
    if (seats.size > LOST_REMEMBERED && oldest !== undefined) seats.delete(oldest)
    this.#lost.set(call, seats)
  }

  /** Ends the waiting for devices that have not come back in time. */
  tick(now: Millis): void {
    for (const key of this.#deadlines.takeDue(now)) {
      const seat = this.#awaited.get(key)
      this.#awaited.delete(key)
      if (!seat) continue
      this.#restored.delete(seat.call)
      this.lost(seat.call, seat.participant)
      const { participant } = seat
      this.#ports.calls.apply(seat.call, { type: 'left', participant, reason: 'failed' })
    }
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.next()
  }

  async #once(id: CallId, work: () => Promise<void>): Promise<void> {
    const done = work().finally(() => this.#restoring.delete(id))
    this.#restoring.set(id, done)
    await done
  }

  async #restore(ticket: SeatTicket): Promise<void> {
    const { calls, env, log } = this.#ports
    const { streams, lostEpochs } = await this.#adoptMedia(ticket)
    const now = env.now()
    const call = restoredCall(ticket.call, streams, now)
    this.#restored.set(call.id, { basis: ticket.issuedAt, restoredAt: now, since: new Set() })
    for (const { id } of call.participants) this.#await({ call: call.id, participant: id })
    log.info({ call: call.id, participants: call.participants.length }, 'call restored')
    // Each gets a new ticket with his seat; until then his own may be the newer one.
    calls.put(call)
    for (const epoch of lostEpochs) calls.apply(call.id, { type: 'mediaLost', epoch })
  }

  /** Takes in what a newer ticket than those so far tells of a restored call. */
  async #correct(ticket: SeatTicket): Promise<void> {
    const { calls, env, log } = this.#ports
    const { id } = ticket.call
    const restored = this.#restored.get(id)
    if (!restored || ticket.issuedAt <= restored.basis) return
    // A ticket of this process tells of what it did itself.
    if (ticket.issuer === this.#ports.issuer) return
    restored.basis = ticket.issuedAt
    await this.#once(id, async () => {
      const { streams, lostEpochs } = await this.#adoptMedia(ticket)
      const call = calls.find(id)
      if (!call) return
      const memory = { known: ticket.call, since: restored.since }
      const corrected = correctedCall(call, memory, { streams, now: env.now() })
      for (const { id: participant } of corrected.call.participants) {
        if (!participantById(call, participant)) this.#await({ call: id, participant })
      }
      log.info({ call: id, gone: corrected.gone.length }, 'call corrected')
      this.#issue(corrected.call)
      calls.put(corrected.call)
      for (const participant of corrected.gone) {
        calls.apply(id, { type: 'left', participant, reason: 'failed' })
      }
      for (const epoch of lostEpochs) calls.apply(id, { type: 'mediaLost', epoch })
    })
  }

  /** Takes over the rooms that the ticket names, with what is published in them. */
  async #adoptMedia({ call, nodes }: SeatTicket): Promise<{
    readonly streams: ReadonlyMap<ParticipantId, readonly Publication[]>
    readonly lostEpochs: readonly number[]
  }> {
    const streams = new Map<ParticipantId, Publication[]>()
    const lostEpochs: number[] = []
    for (const epoch of openEpochsOf(call)) {
      const node = nodes.find((one) => one.epoch === epoch)?.node
      const publications = await this.#ports.media.adopt({ call: call.id, epoch }, node)
      if (!publications) lostEpochs.push(epoch)
      for (const { peer, producer, source, paused } of publications ?? []) {
        const kind = kindOfSource[source]
        const known = streams.get(peer) ?? []
        streams.set(peer, [...known, { producer, source, kind, paused, epoch }])
      }
    }
    return { streams, lostEpochs }
  }

  #takeSeat(
    ticket: SeatTicket,
    at: DeviceAddress,
    fresh: CallMedia | undefined,
  ): Result<ClientRequestResult<'call.resume'>> {
    const { calls, env } = this.#ports
    const { id } = ticket.call
    const call = calls.find(id)
    if (!call) return fail('call-not-found', { field: 'data.ticket' })
    const own = participantById(call, ticket.seat) ?? participantAt(call, at)
    const participant = own && !fresh ? own.id : (env.randomId(ID_BYTES) as ParticipantId)
    const sending = fresh ? sendingOf(fresh) : sendingIn(ticket)
    if (own && fresh) {
      this.#arrived({ call: id, participant: own.id })
      calls.apply(id, { type: 'reseated', participant: own.id, as: participant, sending })
    } else if (own) {
      this.#arrived({ call: id, participant })
      calls.apply(id, { type: 'connectionChanged', participant, connected: true })
      this.#report(call, participant)
    } else {
      const isRemoved = call.policy.removed.includes(at.user)
      if (isRemoved || !this.#lost.get(id)?.delete(ticket.seat)) {
        return fail('not-in-call', { field: 'data.ticket' })
      }
      const limit = limits.participantsPerCall
      if (call.participants.length >= limit) return fail('call-full', { limit })
      calls.apply(id, { type: 'joined', participant, at, sending })
    }
    const now = calls.find(id)
    if (!now) return fail('call-not-found', { field: 'data.ticket' })
    this.#tellTicket(now, participant, this.#stamp())
    return ok({ call: viewFor(now, at), participant })
  }

  /** The node tells the peer again what it may have missed. */
  #report(call: Call, peer: ParticipantId): void {
    for (const epoch of openEpochs(call.topology)) {
      void this.#ports.media.request('peer.report', { call: call.id, epoch, peer })
    }
  }

  #await(seat: SeatKey): void {
    const key = keyOf(seat)
    if (this.#awaited.has(key)) return
    this.#awaited.set(key, seat)
    this.#deadlines.set(key, this.#ports.env.now() + limits.sessionGraceMs)
  }

  #arrived(seat: SeatKey): void {
    const key = keyOf(seat)
    this.#awaited.delete(key)
    this.#deadlines.set(key, undefined)
  }

  #noteComings(before: Call, after: Call): void {
    const since = this.#restored.get(after.id)?.since
    for (const { id } of before.participants) {
      if (participantById(after, id)) continue
      since?.add(id)
      this.#arrived({ call: after.id, participant: id })
    }
    for (const { id } of after.participants) if (!participantById(before, id)) since?.add(id)
  }

  #forget(id: CallId): void {
    this.#lost.delete(id)
    if (!this.#restored.delete(id)) return
    this.#ended.add(id)
    const [oldest] = this.#ended
    if (this.#ended.size > ENDED_REMEMBERED && oldest !== undefined) this.#ended.delete(oldest)
  }

  #issue(call: Call): void {
    const issuedAt = this.#stamp()
    for (const { id } of call.participants) this.#tellTicket(call, id, issuedAt)
  }

  #tellTicket(call: Call, seat: ParticipantId, issuedAt: Millis): void {
    const { seal, issuer, media, tell } = this.#ports
    const to = participantById(call, seat)
    if (!to) return
    const nodes = openEpochs(call.topology).flatMap((epoch) => {
      const node = media.nodeOf(call.id, epoch)
      return node === undefined ? [] : [{ epoch, node }]
    })
    const ticket = seal.seal({ seat, issuer, issuedAt, call: memoryOf(call), nodes })
    tell(to, { type: 'call.ticket', data: { call: call.id, ticket } })
  }

  /** The time, but never the same twice: the newest ticket must be known as such. */
  #stamp(): Millis {
    this.#lastStamp = Math.max(this.#lastStamp + 1, this.#ports.env.now())
    return this.#lastStamp
  }
}

function memoryOf(call: Call) {
  const { id, room, startedBy, sfuOnly, answered, participants, topology, policy } = call
  const seats = participants.map((p) => ({
    id: p.id,
    user: p.user,
    device: p.device,
    sending: p.sending,
    onHold: p.onHold,
    ...(p.moving && { replaces: p.moving.from }),
  }))
  const path = topologyView(topology)
  const pinned = topology.pinned === true
  return { id, room, startedBy, sfuOnly, answered, seats, topology: path, pinned, policy }
}

/** What a ticket names, in brief. */
function factsOf({ answered, participants, topology, policy }: Call): string {
  const { path, epoch, next } = topologyView(topology)
  const ids = participants.map(({ id }) => id)
  return JSON.stringify([answered, path, epoch, next?.epoch, topology.pinned, ids, policy])
}

function openEpochsOf({ topology: { path, epoch, next } }: RememberedCall): readonly number[] {
  return [...(path === 'sfu' ? [epoch] : []), ...(next?.path === 'sfu' ? [next.epoch] : [])]
}

function sendingOf({ audio, video }: CallMedia): Sending {
  return { microphone: audio, camera: video, screen: false }
}

function sendingIn({ seat, call }: SeatTicket): Sending {
  const known = call.seats.find(({ id }) => id === seat)?.sending
  return known ?? { microphone: false, camera: false, screen: false }
}

function keyOf({ call, participant }: SeatKey): string {
  return `${call}/${participant}`
}
