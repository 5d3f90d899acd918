import type {
  CallId,
  CallView,
  DeviceId,
  ParticipantId,
  ServerEvent,
  UserId,
} from '@parley/protocol'
import { CallEncryption } from '../src/e2ee/call-encryption.ts'
import type { SecurityAlarm } from '../src/e2ee/call-encryption.ts'
import { Identity, memoryIdentityStore, trustOnFirstUse } from '../src/e2ee/identity/identity.ts'
import type { IdentityStore } from '../src/e2ee/identity/identity.ts'
import { mlsAgreement } from '../src/e2ee/mls/agreement.ts'
import { toText } from '../src/e2ee/octets.ts'
import { CallError } from '../src/errors.ts'
import type { Clock } from '../src/ports.ts'
import type { Request } from '../src/signaling.ts'
import { realClock } from './call-room.ts'
import { DeliveryService } from './delivery-service.ts'
import type { KeyRequest } from './delivery-service.ts'

/** Who sits in a call, as the server says. */
export interface SeatClaim {
  readonly id: ParticipantId
  readonly user: UserId
  readonly device: DeviceId
  readonly connected: boolean
}

/** A device with the SDK's own encryption of a call, and what its app would see of it. */
export interface Person extends SeatClaim {
  readonly encryption: CallEncryption
  readonly identity: Identity
  readonly alarms: SecurityAlarm[]
  /** The keys that its frames would be sealed with; undefined for none. */
  readonly keys: () => { readonly epoch: number; readonly base: string } | undefined
}

/** What a device is seated with. */
export interface SeatOptions {
  /** What it keeps from call to call: its key, and whom it has met. */
  readonly store?: IdentityStore
  readonly device?: string
}

interface ListRequest {
  readonly user: UserId
  readonly length: number
  readonly entries: readonly string[]
}

/**
 * A signaling server that may lie about everything it carries. As it is it tells the truth, by the
 * real delivery core; a story replaces what it wants to lie about.
 */
export class HostileServer {
  readonly people = new Map<ParticipantId, Person>()
  readonly lists = new Map<string, string[]>()
  readonly call: CallId
  /** Changes an event on its way, or keeps it back. */
  tamper: (event: ServerEvent, to: Person) => ServerEvent | undefined = (event) => event
  /** Answers a request itself; undefined leaves it to the honest part. */
  lie: (type: string, data: KeyRequest & ListRequest, from: Person) => object | undefined = () =>
    undefined
  /** Says who sits in the call. */
  rosterFor: (to: Person, all: readonly SeatClaim[]) => readonly SeatClaim[] = (_to, all) => all
  /** The path that media take, as the server says. */
  path: 'p2p' | 'sfu' = 'sfu'
  readonly #delivery: DeliveryService
  readonly #lines = new Map<ParticipantId, Promise<void>>()
  readonly #clock: Clock
  #ids = 0

  constructor({ call = 'the-call', clock = realClock }: { call?: string; clock?: Clock } = {}) {
    this.call = call as CallId
    this.#clock = clock
    this.#delivery = new DeliveryService(
      this.call,
      () => this.people.keys(),
      (to, event) => this.tell(to, event),
    )
  }

  async seat(user: string, { store = memoryIdentityStore(), device = 'only' }: SeatOptions = {}) {
    const id = `p-${++this.#ids}` as ParticipantId
    const claim = { id, user: user as UserId, device: device as DeviceId, connected: true }
    const request = this.#requestOf(id)
    const { call } = this
    const clock = this.#clock
    const now = () => clock.now()
    const identity = await Identity.open({
      ...{ store, request, now, trust: trustOnFirstUse },
      user: claim.user,
    })
    const encryption = new CallEncryption({
      ...{ call, self: id, clock, request, identity: Promise.resolve(identity) },
      hears: () => true,
      agreement: mlsAgreement({ call, ...claim, key: identity.key, now }),
    })
    const alarms: SecurityAlarm[] = []
    encryption.on('alarm', (alarm) => alarms.push(alarm))
    let keys: ReturnType<Person['keys']>
    // As frames do it: new keys are put to use at once.
    encryption.listen({
      epoch: ({ epoch, baseKey }) => {
        keys = { epoch: Number(epoch), base: toText(baseKey) }
        encryption.installed(epoch)
      },
      allReady: () => undefined,
      stopped: () => (keys = undefined),
    })
    const person: Person = { ...claim, encryption, identity, alarms, keys: () => keys }
    this.people.set(id, person)
    await identity.publish()
    this.tellRoster()
    return person
  }

  leave({ id, encryption }: Person): void {
    this.people.delete(id)
    encryption.close()
    this.tellRoster()
  }

  /** Tells everybody who sits in the call, each by what he is to believe. */
  tellRoster(): void {
    const all = [...this.people.values()].map(({ id, user, device, connected }) => ({
      ...{ id, user, device, connected },
    }))
    for (const person of this.people.values()) {
      const participants = this.rosterFor(person, all)
      // The rest of a view is of no interest to keys.
      const view = { participants, topology: { path: this.path, epoch: 0 } } as unknown as CallView
      this.#later(person.id, () => person.encryption.update(view))
    }
  }

  tell(to: ParticipantId, event: ServerEvent): void {
    const person = this.people.get(to)
    const sent = person && this.tamper(event, person)
    if (sent) this.#later(to, () => person.encryption.handle(sent))
  }

  /** Gives the group up, as if a member had asked for it. */
  reset(generation: number): void {
    const [first] = this.people.keys()
    if (first !== undefined) this.#answer(first, 'mls.reset', { generation } as never)
  }

  close(): void {
    for (const { encryption } of this.people.values()) encryption.close()
  }

  #requestOf(from: ParticipantId): Request {
    const request = async (type: string, data: KeyRequest & ListRequest): Promise<object> => {
      await new Promise<void>((resolve) => this.#later(from, resolve))
      try {
        return this.#answer(from, type, data)
      } finally {
        await new Promise<void>((resolve) => this.#later(from, resolve))
      }
    }
    // Its answers are those that the protocol says, for the requests of keys.
    return request as unknown as Request
  }

  #answer(from: ParticipantId, type: string, data: KeyRequest & ListRequest): object {
    const person = this.people.get(from)
    const lie = person && this.lie(type, data, person)
    if (lie instanceof CallError) throw lie
    if (lie) return lie
    if (type === 'devices.get') return { entries: this.lists.get(data.user) ?? [], cards: [] }
    if (!person) throw new CallError('not-in-call')
    if (type !== 'devices.append') return this.#delivery.answer(from, type, data)
    const list = this.lists.get(person.user) ?? []
    if (list.length !== data.length) throw new CallError('device-list-conflict')
    this.lists.set(person.user, [...list, ...data.entries])
    return {}
  }

  /** After everything that was sent to `to` before. */
  #later(to: ParticipantId, run: () => void): void {
    const line = this.#lines.get(to) ?? Promise.resolve()
    const next = line.then(() => new Promise<void>((resolve) => setImmediate(resolve))).then(run)
    this.#lines.set(to, next)
  }
}
