import type { DeviceId, UserId } from '@parley/protocol'
import { describe, expect, test } from 'vitest'
import type { LeafIdentity } from '../credential.ts'
import { fromText, toText } from '../octets.ts'
import type { Request } from '../../signaling.ts'
import { callCode, safetyNumber } from './codes.ts'
import { deviceKeyOf, generateDeviceKeyPair } from './device-key.ts'
import { readDeviceList, signEntry } from './device-list.ts'
import type { DeviceList } from './device-list.ts'
import { Identity, memoryIdentityStore, trustOnFirstUse } from './identity.ts'
import type { TrustPolicy } from './identity.ts'

/** Device lists as the server keeps them: it can say anything, and append what it is given. */
class ListServer {
  readonly lists = new Map<string, string[]>()

  readonly request = ((type: string, data: { user: string; entries: string[] }) => {
    if (type === 'devices.append') this.lists.get(this.appender)?.push(...data.entries)
    return Promise.resolve({ entries: [...(this.lists.get(data.user) ?? [])], cards: [] })
    // Only these two are asked for here.
  }) as unknown as Request

  appender = ''
}

describe('a device list', () => {
  test('[IDENT-2] grows by signatures of its own devices only', async () => {
    const [first, second, stranger] = await Promise.all([newKey(), newKey(), newKey()])
    const begun = await entryOf(first, first.publicKey)
    const one = await readDeviceList('alice', [begun])
    if (typeof one === 'string') throw new Error(one)
    const added = await entryOf(first, second.publicKey, one)
    const grown = await readDeviceList('alice', [begun, added])
    expect(grown).toMatchObject({ heads: { length: 2 } })
    const forged = await entryOf(stranger, stranger.publicKey, one)
    expect(await readDeviceList('alice', [begun, forged])).toBe('forged')
    expect(await readDeviceList('bob', [begun])).toBe('forged')
    expect(await readDeviceList('alice', [added, begun])).toBe('forged')
    for (let at = 0; at < begun.length; at += 7) {
      const flipped = begun.slice()
      flipped[at] = (flipped[at] ?? 0) ^ 1
      expect(await readDeviceList('alice', [flipped])).toBe('forged')
    }
    expect(await readDeviceList('alice', [])).toBe('empty')
  })
})

describe('trust on first use', () => {
  test('[IDENT-3] takes whom it meets first, knows him again, and holds back from another', async () => {
    const { bob, server } = await people()
    const alice = await newKey()
    expect(await bob.assess(leaf('alice', alice))).toMatchObject({
      state: 'new',
      decision: 'accept',
    })
    expect(await bob.assess(leaf('alice', alice))).toMatchObject({ state: 'pinned' })
    const other = leaf('alice', await newKey())
    const changed = { state: 'changed', reason: 'other-key', decision: 'hold' }
    expect(await bob.assess(other)).toMatchObject(changed)
    // Asking again does not make it right.
    expect(await bob.assess(other)).toMatchObject(changed)
    await bob.accept(other)
    expect(await bob.assess(other)).toMatchObject({ state: 'pinned', decision: 'accept' })
    expect(server.lists.size).toBe(0)
  })

  test('[IDENT-3] follows a list that grows, and refuses one that is forked or rolled back', async () => {
    const { bob, server } = await people()
    const [first, second, forker] = await Promise.all([newKey(), newKey(), newKey()])
    const begun = await entryOf(first, first.publicKey)
    const one = await readDeviceList('alice', [begun])
    if (typeof one === 'string') throw new Error(one)
    const added = await entryOf(first, second.publicKey, one)
    server.lists.set('alice', [toText(begun)])
    await bob.assess(leaf('alice', first))
    server.lists.set('alice', [toText(begun), toText(added)])
    expect(await bob.assess(leaf('alice', second))).toMatchObject({ state: 'pinned' })
    server.lists.set('alice', [toText(begun)])
    expect(await bob.assess(leaf('alice', first))).toMatchObject({ reason: 'list-rolled-back' })
    server.lists.set('alice', [toText(await entryOf(forker, forker.publicKey))])
    expect(await bob.assess(leaf('alice', forker))).toMatchObject({ reason: 'list-forked' })
    server.lists.set('alice', [toText(added)])
    expect(await bob.assess(leaf('alice', first))).toMatchObject({ reason: 'list-forged' })
  })

  test('[IDENT-4] leaves the last word to the app', async () => {
    const { bob } = await people(({ user }) => (user === 'mallory' ? 'refuse' : 'accept'))
    expect(await bob.assess(leaf('mallory', await newKey()))).toMatchObject({ decision: 'refuse' })
  })
})

describe('one’s own list', () => {
  test('[IDENT-2] is begun, and given back to a server that has lost it', async () => {
    const { bob, server } = await people()
    server.lists.set('bob', [])
    await bob.publish()
    expect(bob.isListed).toBe(true)
    const entries = [...(server.lists.get('bob') ?? [])]
    server.lists.set('bob', [])
    await bob.publish()
    expect(server.lists.get('bob')).toEqual(entries)
    const phone = await newKey()
    await bob.approve(toText(phone.publicKey))
    const bytes = (server.lists.get('bob') ?? []).flatMap((entry) => fromText(entry) ?? [])
    const list = await readDeviceList('bob', bytes)
    expect(list).toMatchObject({
      keys: new Set([toText(bob.key.publicKey), toText(phone.publicKey)]),
    })
  })
})

describe('a list that somebody with a session has spoilt', () => {
  test('[IDENT-2] is believed by nobody, and comes back whole once the server has erased it', async () => {
    const { bob, server } = await people()
    server.lists.set('bob', [])
    await bob.publish()
    const sound = [...(server.lists.get('bob') ?? [])]
    const alice = await Identity.open({
      ...{ store: memoryIdentityStore(), request: server.request, now: () => 1_000 },
      ...{ trust: trustOnFirstUse, user: 'alice' as UserId },
    })
    await alice.assess(leaf('bob', bob.key))
    const thief = await newKey()
    const spoilt = toText(await entryOf(thief, thief.publicKey))
    server.lists.set('bob', [...sound, spoilt])
    for (const key of [bob.key, thief]) {
      expect(await alice.assess(leaf('bob', key))).toMatchObject({ reason: 'list-forged' })
    }
    await bob.publish()
    expect(server.lists.get('bob')).toEqual([...sound, spoilt])
    server.lists.set('bob', [])
    await bob.publish()
    expect(server.lists.get('bob')).toEqual(sound)
    expect(await alice.assess(leaf('bob', bob.key))).toMatchObject({ state: 'pinned' })
    expect(await alice.assess(leaf('bob', thief))).toMatchObject({ decision: 'hold' })
  })
})

describe('codes', () => {
  test('[IDENT-5] are equal on both sides, and others for another key', async () => {
    const [a, b] = [new Uint8Array(65).fill(1), new Uint8Array(65).fill(2)]
    const alice = { user: 'alice', key: a }
    const bob = { user: 'bob', key: b }
    const number = await safetyNumber(alice, bob)
    expect(number).toMatch(/^(\d{5} ){8}\d{5}$/)
    expect(await safetyNumber(bob, alice)).toBe(number)
    expect(await safetyNumber({ user: 'alice', key: b }, bob)).not.toBe(number)
    expect(callCode(new Uint8Array(32).fill(7))).toMatch(/^(\d{5} ){5}\d{5}$/)
    // 0x0707070707 is 30,185,553,671 … of which the last five digits are read.
    expect(callCode(new Uint8Array(32).fill(7)).slice(0, 5)).toBe(
      String(0x0707070707 % 100_000).padStart(5, '0'),
    )
  })
})

async function people(trust: TrustPolicy = trustOnFirstUse) {
  const server = new ListServer()
  server.appender = 'bob'
  const bob = await Identity.open({
    store: memoryIdentityStore(),
    request: server.request,
    now: () => 1_000,
    trust,
    user: 'bob' as UserId,
  })
  return { bob, server }
}

async function newKey() {
  return deviceKeyOf(await generateDeviceKeyPair())
}

type Key = Awaited<ReturnType<typeof newKey>>

function leaf(user: string, { publicKey }: Key): LeafIdentity {
  return { user: user as UserId, device: 'd' as DeviceId, deviceKey: publicKey }
}

function entryOf(signer: Key, deviceKey: Uint8Array, list?: DeviceList) {
  return signEntry(signer, 'add', deviceKey, { list, user: 'alice', nowMs: 1 })
}
