import type { DeviceId, UserId } from '@parley/protocol'
import { describe, expect, test, vi } from 'vitest'
import { DeviceServer } from '../endurance/device-server.ts'
import { memoryIdentityStore } from './e2ee/identity/identity.ts'
import { fromText } from './e2ee/octets.ts'
import type { OwnIdentity } from './own-identity.ts'

const ALICE = 'alice' as UserId
const BOB = 'bob' as UserId

describe('the devices of a user', { timeout: 120_000 }, () => {
  test('[IDENT-6] a second one waits until the first has approved it', async () => {
    const { server, laptop, phone } = await waiting()
    expect(laptop.self).toMatchObject({ state: 'approved', device: 'laptop', self: true })
    expect(phone.self).toMatchObject({ state: 'waiting', device: 'phone', self: true })
    await soon(() => expect(statesOf(laptop)).toEqual({ laptop: 'approved', phone: 'waiting' }))
    const asking = laptop.devices.find(({ state }) => state === 'waiting')
    if (!asking) throw new Error('nobody waits')
    // What the person compares is what the other screen shows.
    expect(asking.code).toBe(phone.self?.code)
    expect(asking.code).toMatch(/^(\d{5} ){5}\d{5}$/)
    await expect(phone.approve(asking)).rejects.toMatchObject({ code: 'device-not-approved' })
    const bob = await server.device(BOB, 'pc').open(BOB, 'pc' as DeviceId)
    const stateOfPhone = async () => (await bob.assess(leafOf(phone))).state
    expect((await bob.assess(leafOf(laptop))).state).toBe('new')
    expect(await stateOfPhone()).toBe('changed')
    await laptop.approve(asking)
    for (const one of [laptop, phone]) {
      await soon(() => expect(statesOf(one)).toEqual({ laptop: 'approved', phone: 'approved' }))
    }
    expect(await stateOfPhone()).toBe('pinned')
  })

  test('[IDENT-6] one that is revoked is trusted by nobody, and the last one stays', async () => {
    const { server, laptop, phone } = await waiting()
    await soon(() => expect(laptop.devices).toHaveLength(2))
    const [self, other] = laptop.devices
    if (!self || !other) throw new Error('two devices')
    await laptop.approve(other)
    const bob = await server.device(BOB, 'pc').open(BOB, 'pc' as DeviceId)
    await bob.assess(leafOf(laptop))
    expect((await bob.assess(leafOf(phone))).state).toBe('pinned')
    await laptop.revoke(other)
    expect(statesOf(laptop)).toEqual({ laptop: 'approved', phone: 'revoked' })
    await soon(() => expect(phone.self?.state).toBe('revoked'))
    const refused = { state: 'changed', reason: 'revoked-device', decision: 'refuse' }
    expect(await bob.assess(leafOf(phone))).toMatchObject(refused)
    await expect(phone.revoke(self)).rejects.toMatchObject({ code: 'device-not-approved' })
    await expect(laptop.revoke(self)).rejects.toMatchObject({ code: 'last-device' })
    await expect(laptop.revoke({ key: 'AAAA' })).rejects.toMatchObject({ code: 'unknown-device' })
  })

  test('[IDENT-7] a server that has lost all lists gets them back whole, and nobody is alarmed meanwhile', async () => {
    const { server, laptop, phone } = await waiting()
    await soon(() => expect(laptop.devices).toHaveLength(2))
    const other = laptop.devices.find(({ self }) => !self)
    if (other) await laptop.approve(other)
    const before = server.entries(ALICE)
    expect(before).toHaveLength(2)
    const bob = await server.device(BOB, 'pc').open(BOB, 'pc' as DeviceId)
    const seen = new Set<string>()
    const look = async () => {
      for (const one of [laptop, phone]) seen.add((await bob.assess(leafOf(one))).state)
    }
    await look()
    expect([...seen]).toEqual(['new', 'pinned'])
    seen.clear()
    server.lose()
    await look()
    let looking = false
    server.meanwhile = async () => {
      if (looking) return
      looking = true
      await look()
      looking = false
    }
    phone.publish()
    laptop.publish()
    await soon(() => expect(server.entries(ALICE)).toEqual(before))
    server.meanwhile = () => Promise.resolve()
    await look()
    expect([...seen]).toEqual(['pinned'])
  })

  test('[IDENT-7] one that is shown another list keeps its own, says so, and takes the other when told to', async () => {
    const server = new DeviceServer()
    const laptop = server.device(ALICE, 'laptop')
    laptop.publish()
    await soon(() => expect(laptop.self?.state).toBe('approved'))
    server.lose()
    const phone = server.device(ALICE, 'phone')
    phone.publish()
    await soon(() => expect(phone.self?.state).toBe('approved'))
    laptop.publish()
    await soon(() => expect(laptop.self?.state).toBe('replaced'))
    const other = { key: phone.self?.key ?? '' }
    await expect(laptop.approve(other)).rejects.toMatchObject({ code: 'device-not-approved' })
    const { self } = laptop
    if (!self) throw new Error('a device knows itself')
    await phone.approve(self)
    expect(laptop.self?.state).toBe('replaced')
    await laptop.approve(self)
    expect(statesOf(laptop)).toEqual({ laptop: 'approved', phone: 'approved' })
  })

  test('is known again after a reload, and once a store that was away is back', async () => {
    const server = new DeviceServer()
    const store = memoryIdentityStore()
    const first = server.device(ALICE, 'laptop', store)
    first.publish()
    await soon(() => expect(first.self?.state).toBe('approved'))
    server.isAway = true
    const again = server.device(ALICE, 'laptop', store)
    again.publish()
    await soon(() => expect(server.refused).toBe(1))
    expect(again.devices).toEqual([])
    server.isAway = false
    await soon(async () => {
      await server.clock.advance(5_000)
      expect(again.self).toEqual(first.self)
    })
    expect(server.entries(ALICE)).toHaveLength(1)
  })
})

/** Waits for what follows by itself; far longer than it takes. */
async function soon(check: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 45_000 })
}

/** A laptop that is approved, as the first one is, and a phone that is not. */
async function waiting() {
  const server = new DeviceServer()
  const laptop = server.device(ALICE, 'laptop')
  laptop.publish()
  await soon(() => expect(laptop.self?.state).toBe('approved'))
  const phone = server.device(ALICE, 'phone')
  phone.publish()
  await soon(() => expect(phone.self?.device).toBe('phone'))
  return { server, laptop, phone }
}

function statesOf({ devices }: OwnIdentity) {
  return Object.fromEntries(devices.map(({ device = '?', state }) => [device, state]))
}

function leafOf({ self }: OwnIdentity) {
  const deviceKey = fromText(self?.key ?? '')
  if (!deviceKey || self?.device === undefined) throw new Error('a device that is not known')
  return { user: ALICE, device: self.device, deviceKey }
}
