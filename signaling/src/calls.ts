import type {
  Call,
  CallEffect,
  CallEvent,
  CallId,
  DeviceAddress,
  Millis,
  ParticipantId,
  ProducerId,
  RoomName,
  NewCall,
  ServerEvent,
  UserId,
} from '@parley/protocol'
import {
  audience,
  call as callMachine,
  callDeadline,
  isPending,
  newCall,
  participantAt,
  ringsAt,
  unreachable,
  viewFor,
  viewOf,
  waiterAt,
} from '@parley/protocol'
import type { Log } from '@parley/service'
import { callFacts } from './core/call-facts.ts'
import type { CallFact } from './core/call-facts.ts'
import { Deadlines } from './core/deadlines.ts'
import type { Environment } from './ports.ts'

/** What the calls need of their surroundings. */
export interface CallPorts {
  tell(to: DeviceAddress, event: ServerEvent): void
  openMedia(call: CallId, epoch: number): void
  closeMedia(call: CallId, epoch: number): void
  closePeer(call: CallId, epoch: number, peer: ParticipantId): void
  pauseProducer(
    call: CallId,
    epoch: number,
    stream: { peer: ParticipantId; producer: ProducerId },
  ): void
  /** A device's call began or ended, so its user's presence may have changed. */
  occupancyChanged(user: UserId): void
  /** After each change of a call. */
  changed(before: Call, after: Call): void
  /** Something happened that others than the call's own devices may want to know. */
  happened(fact: CallFact): void
  /** People came or went: the user's devices that are not in the call see it from outside. */
  tellElsewhere(user: UserId, call: Call): void
  /** Somebody is gone from `call`, as it stands without him. */
  left(call: Call, gone: ParticipantId): void
}

/** All running calls: applies events to the call machine and carries out what it orders. */
export class Calls {
  readonly #env: Environment
  readonly #log: Log
  readonly #ports: CallPorts
  readonly #calls = new Map<CallId, Call>()
  readonly #rooms = new Map<RoomName, CallId>()
  /** The calls that a user is in, on any device. */
  readonly #byUser = new Map<UserId, ReadonlySet<CallId>>()
  readonly #byInvited = new Map<UserId, Set<CallId>>()
  /** The calls in whose lobby somebody waits. */
  readonly #lobbies = new Set<CallId>()
  readonly #deadlines = new Deadlines<CallId>()

  constructor({ env, log, ports }: { env: Environment; log: Log; ports: CallPorts }) {
    this.#env = env
    this.#log = log
    this.#ports = ports
  }

  open(spec: NewCall): void {
    this.#calls.set(spec.id, newCall(spec))
    if (spec.room !== undefined) this.#rooms.set(spec.room, spec.id)
    this.#log.info(
      { call: spec.id, kind: spec.room === undefined ? 'ring' : 'room' },
      'call opened',
    )
  }

  /** Applies one event and carries out its effects. */
  apply(id: CallId, event: CallEvent): void {
    const before = this.#calls.get(id)
    if (!before) return
    const now = this.#env.now()
    const step = callMachine(before, event, now)
    const { state, effects } = step
    if (state === before) return
    this.#calls.set(id, state)
    this.#deadlines.set(id, callDeadline(state))
    this.#logTransition(before, state, event)
    this.#noteOccupancy(before, state)
    this.#noteInvited(before, state)
    if (state.waiting.length > 0) this.#lobbies.add(id)
    else this.#lobbies.delete(id)
    const isUpdate = ({ type }: CallEffect) => type === 'update'
    for (const effect of effects) if (!isUpdate(effect)) this.#run(state, effect)
    // Whoever has seen what the call is now has the ticket that tells of it: so no server that the
    // call is restored on stays behind what anybody has seen.
    this.#ports.changed(before, state)
    for (const effect of effects) if (isUpdate(effect)) this.#run(state, effect)
    for (const fact of callFacts(before, event, step, now)) this.#ports.happened(fact)
  }

  /** Takes in a call as it was before this process, or corrects one; everybody sees it. */
  put(state: Call): void {
    const before = this.#calls.get(state.id) ?? { ...state, participants: [] }
    this.#calls.set(state.id, state)
    if (state.room !== undefined) this.#rooms.set(state.room, state.id)
    this.#deadlines.set(state.id, callDeadline(state))
    this.#noteOccupancy(before, state)
    this.#noteInvited(before, state)
    this.#run(state, { type: 'update' })
  }

  /** Lets everything that is due happen. */
  tick(now: Millis): void {
    for (const id of this.#deadlines.takeDue(now)) this.apply(id, { type: 'tick' })
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.next()
  }

  find(id: CallId): Call | undefined {
    return this.#calls.get(id)
  }

  inRoom(room: RoomName): Call | undefined {
    const id = this.#rooms.get(room)
    return id === undefined ? undefined : this.#calls.get(id)
  }

  /** The calls that a device is in. */
  ofDevice(at: DeviceAddress): readonly Call[] {
    return this.ofUser(at.user).filter((call) => participantAt(call, at) !== undefined)
  }

  /** The calls that any device of a user is in. */
  ofUser(user: UserId): readonly Call[] {
    const ids = [...(this.#byUser.get(user) ?? [])]
    return ids.flatMap((id) => this.#calls.get(id) ?? [])
  }

  /** The calls that other devices of a device's user are in, and it is not. */
  elsewhere({ user, device }: DeviceAddress): readonly Call[] {
    return this.ofUser(user).filter((call) => !participantAt(call, { user, device }))
  }

  /** The calls that a user can still be brought into: they ring him, or wait for him to wake. */
  awaiting(user: UserId): readonly CallId[] {
    return [...(this.#byInvited.get(user) ?? [])]
  }

  /** The calls that a device is in or that ring at it. */
  seenBy(at: DeviceAddress): readonly Call[] {
    return [...this.#calls.values()].filter(
      (call) => participantAt(call, at) !== undefined || ringsAt(call, at),
    )
  }

  /** The calls in whose lobby a device waits. */
  waitedFor(at: DeviceAddress): readonly Call[] {
    const open = [...this.#lobbies].flatMap((id) => this.#calls.get(id) ?? [])
    return open.filter((call) => waiterAt(call, at) !== undefined)
  }

  all(): readonly Call[] {
    return [...this.#calls.values()]
  }

  /** Forgets a call that goes on elsewhere: nobody is told, and nothing is closed. */
  drop(id: CallId): void {
    const call = this.#calls.get(id)
    if (!call) return
    this.#forget(call)
    this.#noteInvited(call, { ...call, invites: [] })
    for (const { user } of call.participants) {
      this.#index(user, { ...call, participants: [] })
      this.#ports.occupancyChanged(user)
    }
  }

  get size(): number {
    return this.#calls.size
  }

  #run(state: Call, effect: CallEffect): void {
    switch (effect.type) {
      case 'ring': {
        const { to, invitation, offer } = effect
        const { by: from, media, payload } = invitation
        const data = {
          ...{ call: viewOf(state), from, media },
          ...(payload !== undefined && { payload }),
          ...(offer && { offer }),
        }
        this.#ports.tell(to, { type: 'call.incoming', data })
        return
      }
      case 'transfer': {
        const { to, from, participant } = effect
        const data = { from, call: viewOf(state), participant }
        this.#ports.tell(to, { type: 'call.transferred', data })
        return
      }
      case 'endFor':
        this.#ports.tell(effect.to, {
          type: 'call.ended',
          data: { call: state.id, reason: effect.reason },
        })
        return
      case 'update': {
        for (const to of audience(state)) {
          this.#ports.tell(to, { type: 'call.updated', data: { call: viewFor(state, to) } })
        }
        return
      }
      case 'admit': {
        const { to, participant } = effect
        const data = { call: viewFor(state, to), participant }
        this.#ports.tell(to, { type: 'call.admitted', data })
        return
      }
      case 'openMedia':
        this.#ports.openMedia(state.id, effect.epoch)
        return
      case 'closeMedia':
        this.#ports.closeMedia(state.id, effect.epoch)
        return
      case 'closePeer':
        this.#ports.closePeer(state.id, effect.epoch, effect.participant)
        return
      case 'pauseProducer': {
        const { epoch, participant: peer, producer } = effect
        this.#ports.pauseProducer(state.id, epoch, { peer, producer })
        return
      }
      case 'ended':
        this.#forget(state)
        return
      default:
        unreachable(effect)
    }
  }

  #forget(state: Call): void {
    this.#calls.delete(state.id)
    this.#deadlines.set(state.id, undefined)
    this.#lobbies.delete(state.id)
    if (state.room !== undefined) this.#rooms.delete(state.room)
  }

  #noteOccupancy(before: Call, after: Call): void {
    const gone = before.participants.filter((p) => participantAt(after, p) === undefined)
    const come = after.participants.filter((p) => participantAt(before, p) === undefined)
    if (gone.length + come.length === 0) return
    for (const { user } of [...gone, ...come]) {
      this.#index(user, after)
      this.#ports.occupancyChanged(user)
    }
    for (const { id } of gone) this.#ports.left(after, id)
    const users = new Set([...before.participants, ...after.participants].map(({ user }) => user))
    for (const user of users) this.#ports.tellElsewhere(user, after)
  }

  #index(user: UserId, { id, participants }: Call): void {
    const ids = new Set(this.#byUser.get(user))
    if (participants.some((p) => p.user === user)) ids.add(id)
    else ids.delete(id)
    if (ids.size > 0) this.#byUser.set(user, ids)
    else this.#byUser.delete(user)
  }

  #noteInvited(before: Call, after: Call): void {
    const awaited = (call: Call) => call.invites.filter(isPending).map(({ user }) => user)
    const now = awaited(after)
    for (const user of awaited(before)) {
      const calls = now.includes(user) ? undefined : this.#byInvited.get(user)
      calls?.delete(after.id)
      if (calls?.size === 0) this.#byInvited.delete(user)
    }
    for (const user of now) {
      this.#byInvited.set(user, (this.#byInvited.get(user) ?? new Set()).add(after.id))
    }
  }

  #logTransition(before: Call, after: Call, { type }: CallEvent): void {
    const step = lifecycleStep(before, after)
    const fields = { call: after.id, event: type, participants: after.participants.length }
    if (step === undefined) this.#log.debug(fields, 'call changed')
    else this.#log.info({ ...fields, path: after.topology.path, epoch: after.topology.epoch }, step)
  }
}

/** The one line that a transition is worth at `info`, if it is worth one. */
function lifecycleStep(before: Call, after: Call): string | undefined {
  if (after.phase === 'ended') return 'call ended'
  if (!before.answered && after.answered) return 'call answered'
  if (before.topology.epoch !== after.topology.epoch) return 'media path changed'
  if (before.topology.phase !== after.topology.phase) return 'media path changing'
  if (before.participants.length < after.participants.length) return 'participant joined'
  if (before.participants.length > after.participants.length) return 'participant left'
  return undefined
}
