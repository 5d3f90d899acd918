import type { DeviceId, UserId } from '@parley/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Request } from '../../signaling.ts'
import { toText } from '../octets.ts'
import { deviceKeyOf, generateDeviceKeyPair } from './device-key.ts'
import type { DeviceKey } from './device-key.ts'
import { readDeviceList, signEntry } from './device-list.ts'
import type { DeviceList } from './device-list.ts'
import { Identity, memoryIdentityStore, trustOnFirstUse } from './identity.ts'
import type { TrustPolicy } from './identity.ts'
import { judge } from './trust.ts'
import type { Pin } from './trust.ts'

let first: DeviceKey
let second: DeviceKey
let thief: DeviceKey

beforeAll(async () => {
  ;[first, second, thief] = await Promise.all([newKey(), newKey(), newKey()])
})

describe('a list that the server has written around a device', () => {
  test('[IDENT-3] proves nothing for its other devices, at the first meeting or later', async () => {
    // It can add anybody’s key to a list of its own, and show that list to one person only.
    const lure = await listOf([thief, 'add', thief], [thief, 'add', first])
    const without = await listOf([thief, 'add', thief])
    for (const shown of ['empty', without] as const) {
      const met = judge(undefined, shown, first.publicKey)
      expect(met.state).toBe('new')
      expect(judge(met.pin, without, thief.publicKey)).toMatchObject(isChanged('other-key'))
      const again = judge(met.pin, lure, first.publicKey)
      expect(again.state).toBe('pinned')
      expect(judge(again.pin, lure, thief.publicKey)).toMatchObject(isChanged('other-key'))
    }
  })

  test('[IDENT-3] takes no part in what was verified', async () => {
    const met = judge(undefined, 'empty', first.publicKey)
    const pin = { ...met.pin, verified: met.root }
    expect(judge(pin, 'empty', first.publicKey).state).toBe('verified')
    const lure = await listOf([thief, 'add', thief], [thief, 'add', first])
    // The number would be another one now.
    expect(judge(pin, lure, first.publicKey).state).toBe('pinned')
  })
})

describe('a list that a seen device has begun', () => {
  test('[IDENT-3] vouches for the devices that are in it, and for none that was taken out', async () => {
    const met = judge(undefined, 'empty', first.publicKey)
    const pin: Pin = { ...met.pin, verified: met.root }
    const [, grown, shrunk] = await lifeOfList()
    const judged = judge(pin, grown, second.publicKey)
    expect(judged.state).toBe('verified')
    const revoked = isChanged('revoked-device')
    expect(judge(judged.pin, shrunk, second.publicKey)).toMatchObject(revoked)
    expect(judge(undefined, shrunk, second.publicKey)).toMatchObject(revoked)
    const stayed = judge(judged.pin, shrunk, first.publicKey)
    expect(stayed.state).toBe('verified')
    expect(judge(stayed.pin, 'empty', second.publicKey)).toMatchObject(isChanged('other-key'))
  })
})

describe('a device that the person has accepted', () => {
  test('[IDENT-3] stays known though the list does not have it, and is no more than known', async () => {
    const list = await listOf([first, 'add', first])
    const met = judge(undefined, list, first.publicKey)
    const pin: Pin = { ...met.pin, verified: met.root }
    const changed = judge(pin, list, second.publicKey)
    expect(changed).toMatchObject(isChanged('unapproved-device'))
    expect(judge(changed.pin, list, second.publicKey).state).toBe('pinned')
    // What is true of the other devices stays true.
    expect(judge(changed.pin, list, first.publicKey).state).toBe('verified')
    expect(judge(changed.pin, list, thief.publicKey).state).toBe('changed')
  })

  test('[IDENT-3] is not vouched for by that once the list has had it, and taken it out', async () => {
    const [list, grown, shrunk] = await lifeOfList()
    const { pin } = judge(judge(undefined, list, first.publicKey).pin, list, second.publicKey)
    const listed = judge(pin, grown, second.publicKey)
    expect(listed.state).toBe('pinned')
    expect(judge(listed.pin, shrunk, second.publicKey).state).toBe('changed')
  })

  test('[IDENT-3] with a new list brings that list, as after all devices were lost', async () => {
    const old = await listOf([first, 'add', first])
    const anew = await listOf([second, 'add', second])
    const changed = judge(judge(undefined, old, first.publicKey).pin, anew, second.publicKey)
    expect(changed).toMatchObject(isChanged('list-forked'))
    expect(judge(changed.pin, anew, second.publicKey).state).toBe('pinned')
    expect(judge(changed.pin, old, first.publicKey)).toMatchObject(isChanged('list-forked'))
  })
})

describe('an app’s own trust', () => {
  test('[IDENT-4] that holds somebody back has not made him known', async () => {
    let verdict: 'accept' | 'hold' = 'hold'
    const bob = await personWith(() => verdict)
    const alice = leaf(first)
    expect(await bob.assess(alice)).toMatchObject({ state: 'new', decision: 'hold' })
    expect(await bob.assess(alice)).toMatchObject({ state: 'new', decision: 'hold' })
    await bob.accept(alice)
    expect(await bob.assess(alice)).toMatchObject({ state: 'pinned', decision: 'hold' })
    verdict = 'accept'
    expect(await bob.assess(alice)).toMatchObject({ state: 'pinned', decision: 'accept' })
  })

  test('[IDENT-4] that fails has not accepted', async () => {
    const bob = await personWith(() => Promise.reject(new Error('the directory is away')))
    expect(await bob.assess(leaf(first))).toMatchObject({ state: 'new', decision: 'hold' })
  })

  test('[IDENT-4] sees whose device it is, and by which key', async () => {
    const claims: unknown[] = []
    const bob = await personWith((claim) => {
      claims.push(claim)
      return 'accept'
    })
    await bob.assess(leaf(first))
    const key = toText(first.publicKey)
    expect(claims).toEqual([
      { user: 'alice', device: 'd', key, root: key, state: 'new', reason: undefined },
    ])
  })
})

describe('marking as verified', () => {
  test('[IDENT-5] holds for the number that was shown, and for no other', async () => {
    const lists = new Map<string, readonly Uint8Array[]>()
    const bob = await personWith(trustOnFirstUse, lists)
    const alice = leaf(second)
    await bob.assess(alice)
    await bob.safetyNumberWith(alice)
    // The server changes what the number is made from between the look and the word.
    lists.set('alice', await entriesOf([thief, 'add', thief], [thief, 'add', second]))
    expect(await bob.markVerified(alice)).toBe(false)
    expect((await bob.assess(alice)).state).toBe('pinned')
    lists.delete('alice')
    expect(await bob.markVerified(alice)).toBe(true)
    expect((await bob.assess(alice)).state).toBe('verified')
  })

  test('[IDENT-3] is refused for somebody whose change was not accepted', async () => {
    const bob = await personWith(trustOnFirstUse)
    await bob.assess(leaf(first))
    const changed = leaf(thief)
    await bob.safetyNumberWith(changed)
    expect(await bob.markVerified(changed)).toBe(false)
    expect(await bob.assess(changed)).toMatchObject(isChanged('other-key'))
  })
})

type Change = readonly [signer: DeviceKey, change: 'add' | 'remove', subject: DeviceKey]

async function entriesOf(...changes: readonly Change[]): Promise<readonly Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (const [signer, change, subject] of changes) {
    const read = await readDeviceList('alice', entries)
    const list = typeof read === 'string' ? undefined : read
    const at = { list, user: 'alice', nowMs: 1 }
    entries.push(await signEntry(signer, change, subject.publicKey, at))
  }
  return entries
}

async function listOf(...changes: readonly Change[]): Promise<DeviceList> {
  const list = await readDeviceList('alice', await entriesOf(...changes))
  if (typeof list === 'string') throw new Error(list)
  return list
}

/** The first device begins it, takes the second one in, and takes it out again. */
async function lifeOfList(): Promise<readonly [DeviceList, DeviceList, DeviceList]> {
  const entries = await entriesOf(
    [first, 'add', first],
    [first, 'add', second],
    [first, 'remove', second],
  )
  const read = async (length: number) => {
    const list = await readDeviceList('alice', entries.slice(0, length))
    if (typeof list === 'string') throw new Error(list)
    return list
  }
  return [await read(1), await read(2), await read(3)]
}

/** Bob, before a server that shows these lists. */
function personWith(trust: TrustPolicy, lists = new Map<string, readonly Uint8Array[]>()) {
  const request = ((type: string, { user }: { user: string }) =>
    Promise.resolve(
      type === 'devices.get' ? { entries: (lists.get(user) ?? []).map(toText) } : {},
      // Only what identities ask for.
    )) as unknown as Request
  const store = memoryIdentityStore()
  return Identity.open({ store, request, trust, user: 'bob' as UserId, now: () => 1_000 })
}

function leaf({ publicKey }: DeviceKey) {
  return { user: 'alice' as UserId, device: 'd' as DeviceId, deviceKey: publicKey }
}

async function newKey(): Promise<DeviceKey> {
  return deviceKeyOf(await generateDeviceKeyPair())
}

function isChanged(reason: string) {
  return { state: 'changed', reason }
}
