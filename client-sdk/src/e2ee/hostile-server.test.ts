import type { ParticipantId, ServerEvent, UserId } from '@parley/protocol'
import { afterAll, describe, test } from 'vitest'
import { realClock } from '../../endurance/call-room.ts'
import { HostileServer } from '../../endurance/hostile-server.ts'
import type { Person } from '../../endurance/hostile-server.ts'
import { until } from '../../endurance/patience.ts'
import { CallError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { deviceKeyOf, generateDeviceKeyPair } from './identity/device-key.ts'
import { readDeviceList, signEntry } from './identity/device-list.ts'
import { memoryIdentityStore } from './identity/identity.ts'
import { mlsAgreement } from './mls/agreement.ts'
import { toText } from './octets.ts'

const STALE = new CallError('mls-stale-epoch')

const opened: HostileServer[] = []
afterAll(() => {
  for (const server of opened) server.close()
})

// Most of their time they wait for somebody's patience to end.
describe.concurrent('an honest server', () => {
  test('gives everybody the same keys and the same code, and nobody an alarm', async ({
    expect,
  }) => {
    const [server, alice, bob] = await pair({ clock: hastyClock(1 / 4) })
    const carol = await server.seat('carol')
    await agreed(alice, bob, carol)
    expect(alice.encryption.verification).toMatch(/^\d{5}( \d{5}){5}$/)
    expect(bob.encryption.verification).toBe(alice.encryption.verification)
    server.leave(carol)
    const before = carol.keys()
    await until(() => alice.keys()?.base !== before?.base)
    await agreed(alice, bob)
    expect(alarms(alice, bob, carol)).toEqual([])
  })

  test('[GROUP-9] calls nobody silent who waits for his person to look at somebody', async ({
    expect,
  }) => {
    const { store } = await acquaintance()
    const server = serve({ clock: hastyClock(2) })
    const alice = await server.seat('alice', { store })
    const carol = await server.seat('carol')
    await agreed(alice, carol)
    // To Alice he is another than before; to Carol he is new.
    const bob = await server.seat('bob')
    await until(() => has(alice, 'identity-changed'))
    await agreed(carol, bob)
    // Dave cannot get in: when they have had enough of that, they would have of Alice.
    server.lie = (type, _data, { user }) =>
      user === 'dave' && type.startsWith('mls.') ? new CallError('store-unavailable') : undefined
    const dave = await server.seat('dave')
    await until(() => has(carol, 'silent-member') && has(bob, 'silent-member'))
    const silent = [carol, bob].map(({ alarms: told }) =>
      told.map(({ participant }) => participant),
    )
    expect(silent).toEqual([[dave.id], [dave.id]])
  })
})

describe.concurrent('a server that injects a key package', () => {
  test('of a device without a seat gets nobody in', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    const added: ParticipantId[] = []
    server.lie = (type, data) => {
      if (type === 'mls.commit') added.push(...data.added)
      return undefined
    }
    const keyPackage = await keyPackageOf('mallory', server)
    for (const { id } of [alice, bob]) {
      server.tell(id, waiting(server, 'p-99' as ParticipantId, keyPackage))
    }
    const carol = await server.seat('carol')
    await agreed(alice, bob, carol)
    expect(added).toEqual([carol.id])
  })

  test('[GROUP-10] for somebody else’s seat is told on, and gets nobody in', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    const keyPackage = await keyPackageOf('mallory', server)
    server.tamper = (event) =>
      event.type === 'mls.waiting' ? { ...event, data: { ...event.data, keyPackage } } : event
    const carol = await server.seat('carol')
    await until(() => has(alice, 'bad-offer') && has(bob, 'bad-offer'))
    // She finds her own way in.
    await agreed(alice, bob, carol)
    expect(alice.encryption.memberOf(carol.id)?.deviceKey).toEqual(carol.identity.key.publicKey)
  })

  test('that no device has signed is told on', async () => {
    const [server, alice] = await pair()
    server.tell(alice.id, waiting(server, 'p-99' as ParticipantId, 'AAAA'))
    await until(() => has(alice, 'bad-offer'))
  })
})

describe.concurrent('a server that adds a ghost', () => {
  test('without a seat: the epoch is not used, and after a while everybody is told', async ({
    expect,
  }) => {
    const [server, alice, bob] = await pair()
    const before = alice.keys()
    server.rosterFor = (to, all) =>
      all.filter(({ user }) => user !== 'ghost' || to.user === 'ghost')
    server.lie = (type, _data, { user }) =>
      type === 'mls.commit' && user !== 'ghost' ? STALE : undefined
    const ghost = await server.seat('ghost')
    await until(() => ghost.keys() !== undefined && ghost.keys()?.epoch !== 0)
    await until(() => has(alice, 'unknown-member') && has(bob, 'unknown-member'))
    expect(alice.keys()).toEqual(before)
    expect(bob.keys()).toEqual(before)
    expect(ghost.keys()?.base).not.toBe(before?.base)
  })

  test('that can only be put out again: nobody has used a key that it knew', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    const used = new Set<string>()
    for (const person of [alice, bob]) {
      person.encryption.listen({
        epoch: ({ baseKey }) => used.add(toText(baseKey)),
        allReady: () => undefined,
        stopped: () => undefined,
      })
    }
    server.rosterFor = (to, all) =>
      all.filter(({ user }) => user !== 'ghost' || to.user === 'ghost')
    const ghost = await server.seat('ghost')
    await until(() => ghost.keys() !== undefined && ghost.keys()?.epoch !== 0)
    const known = ghost.keys()?.base
    await until(() => used.size > 1)
    await agreed(alice, bob)
    expect(used).not.toContain(known)
  })

  test('that was shown for a moment, and then is kept in: everybody is told', async () => {
    const [server, alice, bob] = await pair({ clock: hastyClock(4) })
    const ghost = await server.seat('ghost')
    await agreed(alice, bob, ghost)
    server.rosterFor = (_to, all) => all.filter(({ user }) => user !== 'ghost')
    server.lie = (type) => (type === 'mls.commit' ? STALE : undefined)
    server.tellRoster()
    await until(() => has(alice, 'unknown-member') && has(bob, 'unknown-member'))
  })
})

describe.concurrent('a server that does as it likes with commits', () => {
  test('replaying an old one as new is told on, and changes no key', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    let old: ServerEvent | undefined
    server.tamper = (event) => {
      if (event.type === 'mls.commit') old = event
      return event
    }
    const carol = await server.seat('carol')
    await agreed(alice, bob, carol)
    const before = alice.keys()
    if (old?.type !== 'mls.commit') throw new Error('no commit was seen')
    const { data } = old
    server.tell(alice.id, { type: 'mls.commit', data: { ...data, epoch: before?.epoch ?? 0 } })
    await until(() => has(alice, 'bad-commit'))
    // She enters anew, with keys that all have.
    await until(() => alice.keys()?.base !== before?.base)
    await agreed(alice, bob, carol)
    expect(has(bob, 'bad-commit')).toBe(false)
  })

  test('keeping them from one member is told on by what the others say', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    keepCommitsFrom(server, bob)
    const carol = await server.seat('carol')
    await agreed(alice, carol)
    await until(() => has(bob, 'withheld-commit'))
    expect(bob.keys()?.base).not.toBe(carol.keys()?.base)
  })

  test('[GROUP-9] keeping them and what the others say is told on by silence', async () => {
    const [server, alice, bob] = await pair({ clock: hastyClock(8) })
    keepCommitsFrom(server, bob)
    const { tamper } = server
    server.tamper = (event, to) =>
      event.type === 'mls.message' && to.id === bob.id ? undefined : tamper(event, to)
    await server.seat('carol')
    await until(() =>
      alice.alarms.some((alarm) => alarm.kind === 'silent-member' && alarm.participant === bob.id),
    )
  })

  test('[GROUP-9] keeping somebody out who is shown as there is told on', async () => {
    const [server, alice] = await pair({ clock: hastyClock(8) })
    server.lie = (type, _data, { user }) =>
      user === 'carol' && type.startsWith('mls.') ? new CallError('store-unavailable') : undefined
    const carol = await server.seat('carol')
    await until(() =>
      alice.alarms.some(({ kind, participant }) => {
        return kind === 'silent-member' && participant === carol.id
      }),
    )
  })

  test('showing them in another order does no harm', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    const held: ServerEvent[] = []
    server.tamper = (event, to) => {
      if (event.type !== 'mls.commit' || to.id !== bob.id || held.length > 1) return event
      held.push(event)
      return undefined
    }
    const epoch = alice.keys()?.epoch ?? 0
    alice.encryption.renew()
    await until(() => held.length === 1 && alice.keys()?.epoch === epoch + 1)
    alice.encryption.renew()
    await until(() => held.length === 2 && alice.keys()?.epoch === epoch + 2)
    for (const event of held.reverse()) server.tell(bob.id, event)
    await agreed(alice, bob)
    expect(has(bob, 'bad-commit')).toBe(false)
  })

  test('showing two for one epoch to different members is told on by both', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    // Each is told that his own has won.
    server.lie = (type, { generation, epoch, commit }, { id: from }) => {
      if (type !== 'mls.commit') return undefined
      const data = { call: server.call, generation, epoch, from, commit }
      server.tell(from, { type: 'mls.commit', data })
      return {}
    }
    alice.encryption.renew()
    bob.encryption.renew()
    await until(() => has(alice, 'bad-message') && has(bob, 'bad-message'))
    expect(alice.keys()?.base).not.toBe(bob.keys()?.base)
    expect(alice.encryption.verification).not.toBe(bob.encryption.verification)
  })

  test('[GROUP-10] saying that another member has sealed a message is told on', async () => {
    const [server, alice, bob] = await pair()
    const carol = await server.seat('carol')
    await agreed(alice, bob, carol)
    server.tamper = (event, to) =>
      event.type === 'mls.message' && to.id === alice.id
        ? { ...event, data: { ...event.data, from: carol.id } }
        : event
    bob.encryption.renew()
    await until(() => has(alice, 'bad-message'))
  })
})

describe.concurrent('a server that gives groups up', () => {
  test('[GROUP-8] while all are in it is told on: the code is another', async ({ expect }) => {
    const [server, alice, bob] = await pair()
    const code = alice.encryption.verification
    server.reset(0)
    await until(() => has(alice, 'group-reset') && has(bob, 'group-reset'))
    await agreed(alice, bob)
    expect(alice.encryption.verification).toBe(bob.encryption.verification)
    expect(alice.encryption.verification).not.toBe(code)
  })

  test('[GROUP-8] again and again is told on, though it shows somebody who is in none', async () => {
    const [server, alice, bob] = await pair()
    const excuse = { ...bob, id: 'p-99' as ParticipantId, user: 'excuse' as UserId }
    server.rosterFor = (_to, all) => [...all, excuse]
    server.tellRoster()
    for (let generation = 0; generation <= 2; generation++) {
      const before = alice.keys()?.base
      server.reset(generation)
      await until(() => alice.keys() !== undefined && alice.keys()?.base !== before)
      await agreed(alice, bob)
    }
    await until(() => has(alice, 'group-reset') && has(bob, 'group-reset'))
  })
})

describe.concurrent('a server that lies about identities', () => {
  test('seating another in the place of somebody known: nothing is sent to him', async ({
    expect,
  }) => {
    const { store, lists } = await acquaintance()
    const server = serve()
    // Even if the list that all have seen is served, the key is not in it.
    for (const [user, entries] of lists) server.lists.set(user, entries)
    const alice = await server.seat('alice', { store })
    await until(() => alice.keys() !== undefined)
    const alone = alice.keys()
    const impostor = await server.seat('bob')
    await until(() => has(alice, 'identity-changed'))
    await until(() => (impostor.keys()?.epoch ?? 0) > 0)
    expect(alice.keys()).toEqual(alone)
    expect(alice.alarms).toContainEqual(
      expect.objectContaining({ participant: impostor.id, detail: 'unapproved-device' }),
    )
    // Only the person may take him for the one that he was.
    await alice.encryption.accept(impostor.id)
    await agreed(alice, impostor)
  })

  test.for(['list-rolled-back', 'list-forked', 'list-forged'] as const)(
    'serving a device list that is not the one before (%s): nothing is sent to it',
    async (lie, { expect }) => {
      const { store, bobs, lists } = await acquaintance(2)
      const server = serve()
      const [first = '', second = ''] = lists.get('bob') ?? []
      const forged = {
        'list-rolled-back': [first],
        'list-forked': [await ownListOf('bob')],
        'list-forged': [second, first],
      }[lie]
      server.lie = (type, { user }) =>
        type === 'devices.get' && user === 'bob' ? { entries: forged, cards: [] } : undefined
      const alice = await server.seat('alice', { store })
      await until(() => alice.keys() !== undefined)
      const alone = alice.keys()
      const bob = await server.seat('bob', { store: bobs })
      await until(() => (bob.keys()?.epoch ?? 0) > 0 && has(alice, 'identity-changed'))
      expect(alice.alarms).toContainEqual(
        expect.objectContaining({ participant: bob.id, detail: lie }),
      )
      expect(alice.keys()).toEqual(alone)
    },
  )
})

/** A time that passes faster, where a story waits for long, or slower, where nothing may be late. */
function hastyClock(factor: number): Clock {
  const began = realClock.now()
  return {
    now: () => Math.round(began + (realClock.now() - began) * factor),
    after: (delayMs, run) => realClock.after(delayMs / factor, run),
  }
}

function serve(options?: ConstructorParameters<typeof HostileServer>[0]): HostileServer {
  const server = new HostileServer(options)
  opened.push(server)
  return server
}

async function pair(options?: ConstructorParameters<typeof HostileServer>[0]) {
  const server = serve(options)
  const alice = await server.seat('alice')
  const bob = await server.seat('bob')
  await agreed(alice, bob)
  return [server, alice, bob] as const
}

/** What Alice keeps of a call with Bob, who has so many devices, and what all have seen. */
async function acquaintance(devices = 1) {
  const server = serve({ call: 'an-earlier-call' })
  const store = memoryIdentityStore()
  const bobs = memoryIdentityStore()
  const bob = await server.seat('bob', { store: bobs })
  for (let more = 1; more < devices; more++) {
    const { publicKey } = await deviceKeyOf(await generateDeviceKeyPair())
    await bob.identity.approve(toText(publicKey))
  }
  const alice = await server.seat('alice', { store })
  await agreed(alice, bob)
  return { store, bobs, lists: server.lists }
}

/** A device list that begins with a key of the server's own. */
async function ownListOf(user: string): Promise<string> {
  const key = await deviceKeyOf(await generateDeviceKeyPair())
  const entry = await signEntry(key, 'add', key.publicKey, { list: undefined, user, nowMs: 1 })
  if (typeof (await readDeviceList(user, [entry])) === 'string') throw new Error('no list')
  return toText(entry)
}

async function keyPackageOf(user: string, { call }: HostileServer): Promise<string> {
  const key = await deviceKeyOf(await generateDeviceKeyPair())
  const claim = { call, user: user as UserId, device: 'only' as Person['device'], key }
  return toText(await (await mlsAgreement({ ...claim, now: () => Date.now() })).offer())
}

function waiting({ call }: HostileServer, participant: ParticipantId, keyPackage: string) {
  return { type: 'mls.waiting', data: { call, participant, keyPackage } } as const
}

function keepCommitsFrom(server: HostileServer, { id }: Person): void {
  server.tamper = (event, to) => (event.type === 'mls.commit' && to.id === id ? undefined : event)
  server.lie = (type, { since }, from) =>
    type === 'mls.fetch' && from.id === id && since !== null
      ? { generation: 0, epoch: since, waiting: [], commits: [], groupInfo: null }
      : undefined
}

/** Waits until all seal with the same keys, of a group of just them. */
async function agreed(...people: readonly Person[]): Promise<void> {
  await until(() => {
    const bases = new Set(people.map((person) => person.keys()?.base))
    const everyone = people.every((person) => people.every((one) => isKnown(person, one)))
    return bases.size === 1 && !bases.has(undefined) && everyone
  })
}

function isKnown({ encryption }: Person, { id, identity }: Person): boolean {
  const member = encryption.memberOf(id)
  return member !== undefined && toText(member.deviceKey) === toText(identity.key.publicKey)
}

function has({ alarms }: Person, kind: Person['alarms'][number]['kind']): boolean {
  return alarms.some((alarm) => alarm.kind === kind)
}

function alarms(...people: readonly Person[]) {
  return people.flatMap((person) => person.alarms)
}
