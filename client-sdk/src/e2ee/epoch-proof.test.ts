import type { CallView, ParticipantId } from '@parley/protocol'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../testing.ts'
import { EpochProof } from './epoch-proof.ts'

const NAMES = ['alice', 'bob', 'carol'] as const
type Name = (typeof NAMES)[number]

describe('[GROUP-9] nobody is called silent', () => {
  test('where all confirm', async () => {
    const room = new Room()
    for (const name of NAMES) room.installs(name)
    await room.clock.advance(MINUTE)
    expect(room.silent).toEqual([])
    expect([...new Set(room.allReady)].sort()).toEqual(['alice', 'bob', 'carol'])
  })

  test.for<[who: string, is: (room: Room) => void | Promise<void>]>([
    ['whose connection is being resumed', (room) => room.seat('carol', { connected: false })],
    ['whose page goes away', (room) => room.seat('carol', { leaving: true })],
    ['who has put the call on hold', (room) => room.seat('carol', { onHold: true })],
    ['who waits for his person to look at somebody', (room) => room.stays('carol')],
    ['who answers late, as a page in the background', (room) => room.installsAt('carol', 19_999)],
    ['whose first word was lost', (room) => room.installsUnheard('carol')],
  ])('%s', async ([, is]) => {
    const room = new Room()
    for (const name of ['alice', 'bob'] as const) room.installs(name)
    await is(room)
    await room.clock.advance(MINUTE)
    expect(room.silent).toEqual([])
  })

  test('who comes back after the server has taken him for present for a while', async () => {
    const room = new Room()
    for (const name of ['alice', 'bob'] as const) room.installs(name)
    // So long a server may take to see it.
    await room.clock.advance(15_000)
    room.seat('carol', { connected: false })
    await room.clock.advance(MINUTE)
    room.seat('carol', { connected: true })
    await room.clock.advance(15_000)
    room.installs('carol')
    await room.clock.advance(MINUTE)
    expect(room.silent).toEqual([])
  })

  test('by a page that was frozen before it had heard the others', async () => {
    const room = new Room()
    room.installs('alice')
    await room.clock.freeze(10 * MINUTE)
    for (const name of ['bob', 'carol'] as const) room.installs(name)
    await room.clock.advance(MINUTE)
    expect(room.silent).toEqual([])
  })

  test('by a device whose own connection is lost', async () => {
    const room = new Room()
    for (const name of NAMES) room.line(name, 'lost')
    for (const name of NAMES) room.installs(name)
    await room.clock.advance(10 * MINUTE)
    // What was said meanwhile is lost: it is asked for.
    for (const name of NAMES) room.line(name, 'stands')
    await room.clock.advance(MINUTE)
    expect(room.silent).toEqual([])
  })
})

describe('[GROUP-9] one is called silent', () => {
  test.for<[who: string, is: (room: Room) => void]>([
    ['who is shown as present and says nothing', () => undefined],
    ['who is kept at another epoch', (room) => room.stays('carol', 1)],
    ['who has no leaf', (room) => room.begin('alice', ['alice', 'bob'])],
  ])('%s', async ([, is]) => {
    const room = new Room()
    for (const name of ['alice', 'bob'] as const) room.installs(name)
    is(room)
    await room.clock.advance(MINUTE)
    expect(room.silent.filter((told) => told.startsWith('alice'))).toEqual(['alice: carol'])
  })

  test('who confirmed an epoch of the same number in a group that was given up', async () => {
    const room = new Room()
    for (const name of NAMES) room.installs(name)
    await room.clock.advance(MINUTE)
    expect(room.silent).toEqual([])
    room.allReady.length = 0
    for (const name of NAMES) room.forget(name)
    for (const name of ['alice', 'bob'] as const) room.installs(name)
    await room.clock.advance(MINUTE)
    expect(room.silent.toSorted()).toEqual(['alice: carol', 'bob: carol'])
    expect(room.allReady).toEqual([])
  })
})

test('[GROUP-9] one answer is for all who ask at once', async () => {
  const room = new Room()
  for (const name of ['alice', 'bob'] as const) room.installs(name)
  room.stays('carol')
  await room.clock.advance(MINUTE)
  expect(room.said.filter((one) => one === 'alice: ready? 7')).toHaveLength(1)
  expect(room.said.filter((one) => one === 'bob: ready? 7')).toHaveLength(1)
  expect(room.said.filter((one) => one === 'carol: here 7')).toHaveLength(1)
})

const MINUTE = 60_000
const EPOCH = 7n

/** Three members on a path through a node, around an honest server that carries what they say. */
class Room {
  readonly clock = new ManualClock()
  readonly silent: string[] = []
  readonly allReady: string[] = []
  readonly said: string[] = []
  readonly #seats = new Map<Name, object>(NAMES.map((name) => [name, { connected: true }]))
  readonly #present = new Map<Name, number>()
  readonly #lost = new Set<Name>()
  readonly #proofs = new Map(NAMES.map((name) => [name, this.#proofOf(name)]))

  constructor() {
    for (const name of NAMES) this.begin(name, NAMES)
    this.#tellSeats()
  }

  /** The epoch, with these in it, is used. */
  begin(name: Name, members: readonly Name[]): void {
    const leaves = new Map(members.map((member, leaf) => [idOf(member), leaf]))
    const baseKey = new Uint8Array(16)
    const at = {
      epoch: EPOCH,
      baseKey,
      leaves,
      ownLeaf: NAMES.indexOf(name),
      cause: 'join',
    } as const
    this.#proofs.get(name)?.begin(at)
  }

  /** Frames of the epoch can be opened there. */
  installs(name: Name): void {
    this.#present.set(name, Number(EPOCH))
    this.#proofs.get(name)?.installed(EPOCH)
  }

  installsAt(name: Name, afterMs: number): void {
    this.clock.after(afterMs, () => this.installs(name))
  }

  /** The server loses what somebody says of himself, and carries his answer. */
  installsUnheard(name: Name): void {
    this.#lost.add(name)
    this.installs(name)
    this.#lost.delete(name)
  }

  /** Somebody has the keys of an epoch and opens no frames of it. */
  stays(name: Name, epoch = Number(EPOCH)): void {
    this.#present.set(name, epoch)
  }

  seat(name: Name, change: object): void {
    this.#seats.set(name, { ...this.#seats.get(name), ...change })
    this.#tellSeats()
  }

  /** The group is given up, and the next one is at the same epoch, with the same people. */
  forget(name: Name): void {
    this.#present.delete(name)
    this.#proofs.get(name)?.begin(undefined)
    this.#proofs.get(name)?.forget()
    this.begin(name, NAMES)
  }

  line(name: Name, state: 'lost' | 'stands'): void {
    if (state === 'lost') this.#lost.add(name)
    else this.#lost.delete(name)
  }

  #proofOf(name: Name): EpochProof {
    return new EpochProof({
      self: idOf(name),
      clock: this.clock,
      hears: () => !this.#lost.has(name),
      present: () => this.#present.get(name),
      send: (message) => this.#carry(name, message),
      allReady: () => this.allReady.push(name),
      silent: (who) => this.silent.push(`${name}: ${who.slice(2)}`),
    })
  }

  #carry(from: Name, message: Uint8Array): Promise<void> {
    this.said.push(`${from}: ${new TextDecoder().decode(message)}`)
    if (this.#lost.has(from)) return Promise.reject(new Error('not connected'))
    for (const [name, proof] of this.#proofs) {
      // Who is at another epoch cannot open it.
      const opens = this.#present.get(name) === this.#present.get(from)
      if (name !== from && opens && !this.#lost.has(name)) proof.take(message, idOf(from))
    }
    return Promise.resolve()
  }

  #tellSeats(): void {
    const participants = NAMES.map((name) => ({ id: idOf(name), ...this.#seats.get(name) }))
    const view = { participants, topology: { path: 'sfu', epoch: 0 } }
    // The rest of a view is of no interest here.
    for (const proof of this.#proofs.values()) proof.update(view as unknown as CallView)
  }
}

function idOf(name: Name): ParticipantId {
  return `p-${name}` as ParticipantId
}
