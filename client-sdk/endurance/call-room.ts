import type {
  CallId,
  CallView,
  DeviceId,
  ParticipantId,
  ServerEvent,
  UserId,
} from '@parley/protocol'
import { CallError } from '../src/errors.ts'
import { GroupSession } from '../src/e2ee/group-session.ts'
import type { GroupAlarm } from '../src/e2ee/group-alarms.ts'
import { deviceKeyOf, generateDeviceKeyPair } from '../src/e2ee/identity/device-key.ts'
import type { DeviceKey } from '../src/e2ee/identity/device-key.ts'
import { mlsAgreement } from '../src/e2ee/mls/agreement.ts'
import { toText } from '../src/e2ee/octets.ts'
import type { Clock } from '../src/ports.ts'
import type { Request } from '../src/signaling.ts'
import { DeliveryService } from './delivery-service.ts'
import type { KeyRequest } from './delivery-service.ts'

export const CALL = 'the-call' as CallId

/** A device in a call, as far as its keys go. */
export interface Guest {
  readonly participant: ParticipantId
  readonly user: UserId
  readonly session: GroupSession
  readonly alarms: GroupAlarm[]
}

/** What a dishonest server may do to an event on its way; undefined keeps it back. */
export type Tamper = (event: ServerEvent, to: Guest) => ServerEvent | undefined

/** The time of the machine. */
export const realClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/**
 * A call around the real delivery core: requests and events take a moment, as they do on a network,
 * and keep their order for each device.
 */
export class CallRoom {
  readonly guests = new Map<ParticipantId, Guest>()
  readonly #clock: Clock
  readonly #lagMs: () => number
  readonly #delivery = this.#newDelivery(false)
  /** Those who are at another server, which holds the call as well, and that server. */
  #apart: ReadonlySet<ParticipantId> = new Set()
  #other = this.#newDelivery(true)
  #ids = 0
  tamper: Tamper = (event) => event
  /** A member who is told that nothing has happened since he last looked. */
  hideFrom: ParticipantId | undefined

  constructor(clock: Clock = realClock, lagMs: () => number = () => 0) {
    this.#clock = clock
    this.#lagMs = lagMs
  }

  /** A device takes a seat. `as` gives it another certificate than its own. */
  async enter(user: string, key?: DeviceKey, as: string = user): Promise<Guest> {
    const participant = `p-${++this.#ids}` as ParticipantId
    const device = `d-${user}` as DeviceId
    const certificate = key ?? (await deviceKeyOf(await generateDeviceKeyPair()))
    const session = new GroupSession({
      call: CALL,
      self: participant,
      clock: this.#clock,
      request: this.#requestOf(participant),
      agreement: mlsAgreement({
        call: CALL,
        user: as as UserId,
        device: `d-${as}` as DeviceId,
        key: certificate,
        now: () => this.#clock.now(),
      }),
    })
    const guest: Guest = { participant, user: user as UserId, session, alarms: [] }
    session.on('alarm', (alarm) => guest.alarms.push(alarm))
    this.guests.set(participant, guest)
    this.#devices.set(participant, device)
    this.#tellRoster()
    return guest
  }

  leave(guest: Guest): void {
    this.guests.delete(guest.participant)
    guest.session.close()
    this.#tellRoster()
  }

  /** The server forgets what it knew of the group, as after a crash. */
  forget(): void {
    this.#delivery.forget()
    for (const { session } of this.guests.values()) session.resync()
  }

  /**
   * Another server takes the call over for these, while the others go on at the first: each holds those
   * at the other one for gone.
   */
  part(away: readonly Guest[]): void {
    this.#apart = new Set(away.map(({ participant }) => participant))
    this.#other = this.#newDelivery(true)
    for (const { session } of away) session.resync()
    this.#tellRoster()
  }

  /** The other server gives way, and its people come to the first. */
  meet(): void {
    const came = [...this.guests.values()].filter(({ participant }) => this.#isApart(participant))
    this.#apart = new Set()
    this.#tellRoster()
    for (const { session } of came) this.#later(() => session.resync())
  }

  /** Whether all who are here are in one group of just them, with the same secrets. */
  get agrees(): boolean {
    return inOneGroup([...this.guests.values()])
  }

  /** Waits until {@link agrees}. Answers with the milliseconds that it took. */
  async settled(patienceMs = 45_000): Promise<number> {
    const began = performance.now()
    while (!this.agrees) {
      if (performance.now() - began > patienceMs) throw new Error(`no agreement: ${this.sight}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return performance.now() - began
  }

  /** What each one sees, for a failed test's message. */
  get sight(): string {
    return [...this.guests.values()]
      .map(({ user, session: { group }, alarms }) => {
        const names = group?.members.map((member) => member.user).join('+')
        return `${user}: ${group?.epoch ?? '-'} ${names ?? '-'} ${JSON.stringify(alarms)}`
      })
      .join('; ')
  }

  /** Sends an event as the server would. */
  tell(to: Guest, event: ServerEvent): void {
    const sent = this.tamper(event, to)
    if (sent) this.#later(() => to.session.handle(sent))
  }

  #tellRoster(): void {
    for (const { participant, session } of this.guests.values()) {
      const view = {
        participants: this.#seenFrom(participant).map(({ participant: id, user }) => ({
          id,
          user,
          device: this.#devices.get(id) ?? ('?' as DeviceId),
          connected: true,
        })),
        // The rest of a view is of no interest to keys.
      } as unknown as CallView
      this.#later(() => session.update(view))
    }
  }

  #isApart(participant: ParticipantId): boolean {
    return this.#apart.has(participant)
  }

  /** Who is at the same server. */
  #seenFrom(participant: ParticipantId): readonly Guest[] {
    const side = this.#isApart(participant)
    return [...this.guests.values()].filter((other) => this.#isApart(other.participant) === side)
  }

  #newDelivery(apart: boolean): DeliveryService {
    const seats = () => [...this.guests.keys()].filter((id) => this.#isApart(id) === apart)
    return new DeliveryService(CALL, seats, (to, event) => {
      const guest = this.guests.get(to)
      if (guest) this.tell(guest, event)
    })
  }

  readonly #devices = new Map<ParticipantId, DeviceId>()

  #requestOf(from: ParticipantId): Request {
    const moment = () => new Promise<void>((resolve) => this.#later(resolve))
    const request = async (type: string, data: never): Promise<unknown> => {
      await moment()
      try {
        return this.#answer(from, type, data)
      } finally {
        await moment()
      }
    }
    // Its answers are those that the protocol says, for the requests of keys.
    return request as unknown as Request
  }

  #answer(from: ParticipantId, type: string, data: KeyRequest): unknown {
    if (!this.guests.has(from)) throw new CallError('not-in-call')
    const delivery = this.#isApart(from) ? this.#other : this.#delivery
    const answer = delivery.answer(from, type, data)
    if (type !== 'mls.fetch' || from !== this.hideFrom || data.since === null) return answer
    return { ...answer, epoch: data.since, commits: [], groupInfo: null }
  }

  #line: Promise<void> = Promise.resolve()

  /** After the lag, and after everything that was sent before. */
  #later(run: () => void): void {
    const arrived = new Promise<void>((resolve) => void this.#clock.after(this.#lagMs(), resolve))
    this.#line = this.#line.then(() => arrived).then(run)
  }
}

/** Whether these are in one group of just them, with the same secrets. */
export function inOneGroup(guests: readonly Guest[]): boolean {
  const views = guests.map(({ session: { group } }) =>
    group ? `${group.epoch} ${group.members.length} ${toText(group.authenticator)}` : 'none',
  )
  const size = guests[0]?.session.group?.members.length
  return new Set(views).size === 1 && views[0] !== 'none' && size === guests.length
}
