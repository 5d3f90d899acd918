import type {
  AnswerFrame,
  CallId,
  CallView,
  DeviceAddress,
  EventFrame,
  ParticipantId,
  SessionId,
  Welcome,
} from '@parley/protocol'
import { limits } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ClientSocket } from './ports.ts'
import { RING_TIMEOUT_MS, testHub } from './testing-hub.ts'
import { ManualEnvironment } from './testing.ts'

const USERS = ['alice', 'bob', 'carol'] as const
const KINDS = ['phone', 'laptop', 'tablet'] as const
const MEDIA = { audio: true, video: false }
/** So that nobody is refused for asking too often. */
const STEP_MS = 200
/** One walk for all, as a rare kind of end is otherwise missed once in many runs. */
const SEED = 20_261_127

/** One thing that happens: who acts, what he does, and two choices within it. */
interface Happening {
  readonly who: number
  readonly what: number
  readonly a: number
  readonly b: number
}

/** Without bias: small numbers are no likelier mistakes here, only the same few deeds. */
const happening: fc.Arbitrary<Happening> = fc.record({
  who: fc.noBias(fc.nat(8)),
  what: fc.noBias(fc.nat(10_000)),
  a: fc.noBias(fc.nat(10_000)),
  b: fc.noBias(fc.nat(10_000)),
})

test('[CALL-4] whatever nine devices of three people do, and however it is lost, doubled and turned round, they agree in the end', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 90, size: 'max' }), async (history) => {
      const world = new World()
      for (const one of history) await world.happen(one)
      for (const reason of world.seen) seen.add(reason)
      await world.quiesce()
      world.checkAgreement()
      await world.everybodyLeaves()
      expect(world.hub.stats().calls, 'calls that never end').toBe(0)
    }),
    { numRuns: 400, seed: SEED },
  )
  // A walk that leads nowhere would find nothing wrong.
  for (const reason of ENDS_MET) expect(seen, 'ends that the walk has met').toContain(reason)
})

/** What has to come about on the way, or the walk has not been where the races are. */
const ENDS_MET = [
  'hangup',
  'declined',
  'declined-elsewhere',
  'answered-elsewhere',
  'cancelled',
  'no-answer',
  'failed',
  'transferred',
  'moved',
  'superseded',
  'brought over',
]

/** The real hub, and what nine devices believe of it. */
class World {
  readonly env = new ManualEnvironment()
  readonly hub = testHub({ env: this.env })
  readonly devices: readonly Device[]
  /** Calls that somebody has come into beside another device of his own. */
  readonly onPurpose = new Set<CallId>()
  /** The reasons that were told of a call when it ended for anybody last. */
  readonly seen = new Set<string>()
  /** Who was in a call or asked to join, ever. */
  readonly asked = new Map<CallId, Set<string>>()
  readonly ends = new Map<CallId, { atMs: number; reasons: Set<string> }>()
  #ids = 0

  constructor() {
    this.devices = USERS.flatMap((user) =>
      KINDS.map((kind) => new Device(this, { user, device: `${user}-${kind}` } as DeviceAddress)),
    )
    for (const device of this.devices) device.connect()
  }

  newId(kind: string): string {
    this.#ids += 1
    return `${kind}-${this.#ids}`
  }

  noteView({ id, participants, invites }: CallView): void {
    const asked = this.asked.get(id) ?? new Set()
    for (const { user } of [...participants, ...invites]) asked.add(user)
    this.asked.set(id, asked)
  }

  noteEnd(call: CallId, reason: string): void {
    const known = this.ends.get(call)
    const atMs = this.env.now()
    const end = known?.atMs === atMs ? known : { atMs, reasons: new Set<string>() }
    end.reasons.add(reason)
    this.seen.add(reason)
    this.ends.set(call, end)
  }

  async happen({ who, what, a, b }: Happening): Promise<void> {
    this.env.advance(STEP_MS)
    // Who has a call has more to do than who has none.
    const engaged = this.devices.filter(({ isEngaged }) => isEngaged)
    const pool = what % 3 > 0 && engaged.length > 0 ? engaged : this.devices
    const device = pool[who % pool.length]
    if (!device) return
    const kind = Math.floor(what / 3) % 24
    // Mostly people act and messages arrive; now and then the network or time gets in the way.
    if (kind < 14) {
      device.act(a, b)
      // Often at once, else in any order later.
      if (kind < 11) await device.deliver(who * 7 + a, b)
    } else if (kind < 19) await device.deliver(a, b)
    else if (kind === 19) device.lose()
    else if (kind === 20) device.reconnect()
    else if (kind === 21) device.reload()
    else if (kind === 22 && a % 3 === 0) this.env.advance(RING_TIMEOUT_MS)
    else for (const each of this.devices) each.read()
    this.checkEachDevice()
  }

  /** Everything that is under way arrives, and everybody is connected. */
  async quiesce(): Promise<void> {
    for (const device of this.devices) device.reconnect()
    for (let round = 0; round < 3; round++) {
      for (const device of this.devices) await device.deliverAll()
      for (const device of this.devices) device.read()
    }
  }

  async everybodyLeaves(): Promise<void> {
    for (const device of this.devices) device.leaveAll()
    await this.quiesce()
    this.env.advance(RING_TIMEOUT_MS)
  }

  checkEachDevice(): void {
    for (const { seats, at } of this.devices) {
      const active = seats.filter(({ view, seat }) => {
        return view.participants.some(({ id, onHold }) => id === seat && !onHold)
      })
      // What a device has not read yet may still put one of them on hold.
      if (this.devices.every(({ isUpToDate }) => isUpToDate)) {
        expect(active.length, `${at.device} is active in one call at most`).toBeLessThan(2)
      }
    }
  }

  checkAgreement(): void {
    for (const device of this.devices) {
      for (const { view, seat } of device.seats) {
        const where = `${device.at.device} in ${view.id}`
        expect(
          view.participants.map(({ id }) => id),
          `${where} sees itself`,
        ).toContain(seat)
        for (const { user, device: id } of view.participants) {
          const other = this.devices.find(({ at }) => at.device === id)
          const theirs = other?.seats.find(({ view: { id: call } }) => call === view.id)
          expect(theirs?.view.participants, `${where}: ${user} sees the same people`).toEqual(
            view.participants,
          )
        }
        const users = view.participants.map(({ user }) => user)
        if (!this.onPurpose.has(view.id)) {
          expect(new Set(users).size, `${where}: one device of each`).toBe(users.length)
        }
      }
      expect(device.active, `${device.at.device} is active in one call at most`).toBeLessThan(2)
    }
    for (const [call, { reasons }] of this.ends) {
      // Of several who were asked, each has an outcome of his own.
      if ((this.asked.get(call)?.size ?? 0) > 2) continue
      const telling = [...reasons].filter((reason) => !ONE_SIDED.has(reason))
      expect(telling.length, `${call} ends for one reason, not ${telling.join()}`).toBeLessThan(2)
    }
  }
}

/** Reasons that are about one device, or about one that was merely rung. */
const ONE_SIDED = new Set([
  'answered-elsewhere',
  'declined-elsewhere',
  'moved',
  'transferred',
  'cancelled',
])

interface Outgoing {
  readonly id: string
  readonly type: string
  readonly data: { readonly call?: CallId } & Readonly<Record<string, unknown>>
}

interface Known {
  readonly view: CallView
  readonly seat: ParticipantId
}

/** One device: what it has been told, and what it has asked that has not arrived. */
class Device {
  readonly at: DeviceAddress
  readonly #world: World
  readonly #seats = new Map<CallId, Known>()
  readonly #ringing = new Map<CallId, CallView>()
  #session: SessionId | undefined
  #key = ''
  #socket: Wire | undefined
  #lastSeq = 0
  #outbox: readonly Outgoing[] = []

  constructor(world: World, at: DeviceAddress) {
    this.#world = world
    this.at = at
  }

  get seats(): readonly Known[] {
    return [...this.#seats.values()]
  }

  get active(): number {
    return this.seats.filter(({ view, seat }) =>
      view.participants.some(({ id, onHold }) => id === seat && !onHold),
    ).length
  }

  get isEngaged(): boolean {
    return this.#seats.size > 0 || this.#ringing.size > 0
  }

  get isUpToDate(): boolean {
    return this.#socket !== undefined && this.#socket.unread.length === 0
  }

  connect(): void {
    const resume = this.#session && {
      session: this.#session,
      key: this.#key,
      lastSeq: this.#lastSeq,
    }
    const socket = new Wire((call, reason) => this.#world.noteEnd(call, reason))
    this.#socket = socket
    this.#session = this.#world.hub.connect(this.at, socket, resume)
    this.read()
  }

  /** The socket breaks; what it carried and was not read is lost, and comes again. */
  lose(): void {
    if (!this.#socket || !this.#session) return
    this.#world.hub.disconnected(this.#session, this.#socket, false)
    this.#socket = undefined
  }

  reconnect(): void {
    if (!this.#socket) this.connect()
  }

  /** The page is gone with all that it knew, and comes again. */
  reload(): void {
    this.lose()
    this.#session = undefined
    this.#outbox = []
    this.#forget()
    this.connect()
  }

  /** A person does something that makes sense as far as this device knows, or nearly. */
  act(a: number, b: number): void {
    const pick = <T>(list: readonly T[], by: number) => list[by % Math.max(1, list.length)]
    const known = pick(this.seats, b)?.view.id
    const rings = pick([...this.#ringing.keys()], b)
    const other = pick(USERS, b)
    const call = known ?? rings
    if (rings && a % 3 > 0) {
      if (a % 7 === 1) {
        this.#ask('call.decline', { call: rings })
        return
      }
      this.#ask('call.accept', { call: rings, media: MEDIA, others: a % 2 ? 'end' : 'hold' })
      return
    }
    const arriving = this.seats.find(({ view, seat }) =>
      view.participants.some(({ id, replaces }) => id === seat && replaces !== undefined),
    )
    if (arriving && a % 3 > 0) {
      this.#ask('call.settle', { call: arriving.view.id })
      return
    }
    if (this.seats.length > 1 && a % 4 === 1) {
      const [one, two] = b % 2 === 0 ? this.seats : this.seats.toReversed()
      this.#ask('call.merge', { call: one?.view.id, into: two?.view.id })
      return
    }
    switch (a % 16) {
      case 0:
      case 1: {
        this.#ask('call.start', {
          call: this.#world.newId('call'),
          users: b % 5 === 0 ? USERS.filter((user) => user !== this.at.user) : [other],
          media: MEDIA,
        })
        return
      }
      case 3:
      case 4:
      case 5: {
        this.#ask('call.accept', {
          call: rings ?? call,
          media: MEDIA,
          others: b % 3 === 0 ? 'end' : 'hold',
        })
        return
      }
      case 6: {
        this.#ask('call.decline', { call: rings ?? call })
        return
      }
      case 7: {
        this.#ask('call.hangup', { call })
        return
      }
      case 8: {
        this.#ask('call.hold', { call, on: b % 2 === 0 })
        return
      }
      case 2:
      case 9: {
        this.#ask('call.transfer', { call, to: this.#absent(call) ?? other })
        return
      }
      case 10: {
        this.#ask('call.merge', { call, into: pick(this.seats, b + 1)?.view.id })
        return
      }
      case 11: {
        this.#ask('call.move', { call, device: `${this.at.user}-${pick(KINDS, b) ?? ''}` })
        return
      }
      case 12: {
        this.#join(a, b)
        return
      }
      case 13: {
        this.#ask('call.settle', { call })
        return
      }
      case 14: {
        this.#ask('call.invite', { call, users: [other], media: MEDIA })
        return
      }
      default: {
        this.#ask('call.uninvite', { call, user: other })
        return
      }
    }
  }

  /** One of the requests arrives: any of them, and perhaps not for the last time. */
  async deliver(a: number, b: number): Promise<void> {
    const outgoing = this.#outbox[a % Math.max(1, this.#outbox.length)]
    if (!outgoing || !this.#socket || !this.#session) return
    if (b % 4 > 0) this.#outbox = this.#outbox.filter((one) => one !== outgoing)
    const answer = await this.#world.hub.request(this.#session, outgoing, 100)
    // As on a real socket what was told before the answer is read before it.
    this.read()
    this.#onAnswer(outgoing, answer)
  }

  async deliverAll(): Promise<void> {
    while (this.#outbox.length > 0) {
      this.#world.env.advance(STEP_MS)
      await this.deliver(0, 1)
    }
  }

  read(): void {
    for (const frame of this.#socket?.unread.splice(0) ?? []) this.#onFrame(frame)
  }

  leaveAll(): void {
    for (const call of this.#seats.keys()) this.#ask('call.hangup', { call })
    for (const call of this.#ringing.keys()) this.#ask('call.decline', { call })
  }

  /** Somebody who is not in the call. */
  #absent(call: CallId | undefined): string | undefined {
    const people = call && this.#seats.get(call)?.view.participants.map((p): string => p.user)
    return USERS.find((user) => people && !people.includes(user))
  }

  #join(a: number, b: number): void {
    const others = this.#world.devices.filter(({ at }) => at.user === this.at.user)
    const seats = others.flatMap((device) => device.seats)
    const known = seats[b % Math.max(1, seats.length)]
    if (!known) return
    this.#ask('call.join', {
      call: known.view.id,
      media: MEDIA,
      ...(a % 3 > 0 && { replaces: known.seat }),
    })
  }

  #ask(type: string, data: Readonly<Record<string, unknown>>): void {
    const call = data['call'] as CallId | undefined
    if (call === undefined) return
    const into = data['into'] as CallId | undefined
    if (['call.join', 'call.move', 'call.merge'].includes(type)) {
      for (const id of [call, into]) if (id) this.#world.onPurpose.add(id)
    }
    const frame = { id: this.#world.newId('request'), type, data: { ...data, call } }
    this.#outbox = [...this.#outbox, frame].slice(-6)
  }

  #onAnswer({ type }: Outgoing, answer: AnswerFrame): void {
    const seated = ['call.start', 'call.accept', 'call.join'].includes(type)
    if (!answer.ok || !seated) return
    const { call: view, participant } = answer.data as {
      call: CallView
      participant: ParticipantId
    }
    // A repeated answer is about a seat that may be gone, and an ended call is one that was.
    if (this.#over.has(`${view.id}/${participant}`)) return
    this.#ringing.delete(view.id)
    const newer = this.#latest.get(view.id)
    const current = newer?.participants.some(({ id }) => id === participant) ? newer : view
    if (!this.#seats.has(view.id)) this.#seats.set(view.id, { view: current, seat: participant })
  }

  /** Seats that are over, and the newest view of each call: answers are not in order with events. */
  readonly #over = new Set<string>()
  readonly #latest = new Map<CallId, CallView>()

  #onFrame({ seq, type, data }: EventFrame): void {
    if (type === 'welcome') {
      this.#onWelcome(data as Welcome)
      return
    }
    if (seq <= this.#lastSeq) return
    this.#lastSeq = seq
    if (type === 'call.incoming') {
      const { call } = data as { call: CallView }
      this.#ringing.set(call.id, call)
    } else if (type === 'call.updated') {
      this.#onView((data as { call: CallView }).call)
    } else if (type === 'call.ended') {
      const { call } = data as { call: CallId }
      this.#end(call)
    } else if (type === 'call.transferred') {
      const { from, call, participant } = data as {
        from: CallId
        call: CallView
        participant: ParticipantId
      }
      this.#world.seen.add('brought over')
      this.#end(from)
      this.#latest.set(call.id, call)
      this.#seats.set(call.id, { view: call, seat: participant })
    }
  }

  #onView(view: CallView): void {
    this.#world.noteView(view)
    this.#latest.set(view.id, view)
    const known = this.#seats.get(view.id)
    if (known) this.#seats.set(view.id, { ...known, view })
    else if (this.#ringing.has(view.id)) this.#ringing.set(view.id, view)
  }

  #end(call: CallId): void {
    const own = this.#latest.get(call)?.participants.find((p) => p.device === this.at.device)
    const seat = this.#seats.get(call)?.seat ?? own?.id
    // An answer that comes after the end says nothing that is still so.
    if (seat) this.#over.add(`${call}/${seat}`)
    this.#seats.delete(call)
    this.#ringing.delete(call)
  }

  #onWelcome({ session, resumeKey, resumed, calls }: Welcome): void {
    this.#session = session
    this.#key = resumeKey
    if (resumed === 'replayed') return
    if (resumed === 'new') this.#lastSeq = 0
    const seats = resumed === 'snapshot' ? this.seats : []
    this.#forget()
    for (const { seat } of seats) {
      const view = calls.find(({ participants }) => participants.some(({ id }) => id === seat))
      if (view) this.#seats.set(view.id, { view, seat })
    }
  }

  #forget(): void {
    for (const { view, seat } of this.seats) this.#over.add(`${view.id}/${seat}`)
    this.#seats.clear()
    this.#ringing.clear()
    this.#latest.clear()
  }
}

/** A socket on which frames wait until they are read. */
class Wire implements ClientSocket {
  readonly unread: EventFrame[] = []
  readonly #ended: (call: CallId, reason: string) => void

  constructor(ended: (call: CallId, reason: string) => void) {
    this.#ended = ended
  }

  send(frame: EventFrame): void {
    this.unread.push(frame)
    if (frame.type !== 'call.ended') return
    const { call, reason } = frame.data as { call: CallId; reason: string }
    this.#ended(call, reason)
  }

  close(): void {
    // What was sent is still read.
  }
}

/** The rate limits are what the pace above keeps to. */
test('the pace of the walk is below the limits', () => {
  expect(1_000 / STEP_MS).toBeLessThan(limits.requestsPerSecond)
})
