import type {
  Call,
  CallEffect,
  CallEvent,
  CallId,
  DeviceAddress,
  Millis,
  ParticipantId,
  RoomName,
  ServerEvent,
  UserId,
} from '@parley/protocol'
import {
  audience,
  call as callMachine,
  callDeadline,
  newCall,
  participantAt,
  ringsAt,
  unreachable,
  viewOf,
} from '@parley/protocol'
import type { Log } from '@parley/service'
import { Deadlines } from './core/deadlines.ts'
import type { Environment } from './ports.ts'

/** What the calls need of their surroundings. */
export interface CallPorts {
  tell(to: DeviceAddress, event: ServerEvent): void
  openMedia(call: CallId, epoch: number): void
  closeMedia(call: CallId, epoch: number): void
  closePeer(call: CallId, epoch: number, peer: ParticipantId): void
  /** A device's call began or ended, so its user's presence may have changed. */
  occupancyChanged(user: UserId): void
}

/** All running calls: applies events to the call machine and carries out what it orders. */
export class Calls {
  readonly #env: Environment
  readonly #log: Log
  readonly #ports: CallPorts
  readonly #calls = new Map<CallId, Call>()
  readonly #rooms = new Map<RoomName, CallId>()
  readonly #byDevice = new Map<string, CallId>()
  readonly #deadlines = new Deadlines<CallId>()

  constructor({ env, log, ports }: { env: Environment; log: Log; ports: CallPorts }) {
    this.#env = env
    this.#log = log
    this.#ports = ports
  }

  open(spec: Pick<Call, 'id' | 'room' | 'startedBy' | 'sfuOnly'>): void {
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
    const { state, effects } = callMachine(before, event, this.#env.now())
    if (state === before) return
    this.#calls.set(id, state)
    this.#deadlines.set(id, callDeadline(state))
    this.#logTransition(before, state, event)
    this.#noteOccupancy(before, state)
    for (const effect of effects) this.#run(state, effect)
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

  /** The call that a device is in; it is in one at most. */
  ofDevice(at: DeviceAddress): Call | undefined {
    const id = this.#byDevice.get(deviceKey(at))
    return id === undefined ? undefined : this.#calls.get(id)
  }

  /** The calls that a device is in or that ring at it. */
  seenBy(at: DeviceAddress): readonly Call[] {
    return [...this.#calls.values()].filter(
      (call) => participantAt(call, at) !== undefined || ringsAt(call, at),
    )
  }

  get size(): number {
    return this.#calls.size
  }

  #run(state: Call, effect: CallEffect): void {
    switch (effect.type) {
      case 'ring': {
        const { to, from, media } = effect
        this.#ports.tell(to, {
          type: 'call.incoming',
          data: { call: viewOf(state), from, media },
        })
        return
      }
      case 'endFor':
        this.#ports.tell(effect.to, {
          type: 'call.ended',
          data: { call: state.id, reason: effect.reason },
        })
        return
      case 'update': {
        const event: ServerEvent = { type: 'call.updated', data: { call: viewOf(state) } }
        for (const to of audience(state)) this.#ports.tell(to, event)
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
    if (state.room !== undefined) this.#rooms.delete(state.room)
  }

  #noteOccupancy(before: Call, after: Call): void {
    const gone = before.participants.filter((p) => participantAt(after, p) === undefined)
    const come = after.participants.filter((p) => participantAt(before, p) === undefined)
    for (const at of gone) this.#byDevice.delete(deviceKey(at))
    for (const at of come) this.#byDevice.set(deviceKey(at), after.id)
    for (const { user } of [...gone, ...come]) this.#ports.occupancyChanged(user)
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

function deviceKey({ user, device }: DeviceAddress): string {
  return JSON.stringify([user, device])
}
