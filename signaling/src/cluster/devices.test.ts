import { describe, expect, test } from 'vitest'
import { soon, useCluster } from './testing.ts'

const cluster = useCluster()

describe('device lists of two signaling processes', { timeout: 60_000 }, () => {
  test('[IDENT-2] are one: what is signed on one node is read on the other, and told to one’s devices', async () => {
    const [a, b] = await cluster.two()
    const [laptop, phone] = [a.connect('alice', 'laptop'), b.connect('alice', 'phone')]
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    const entries = ['ZTE', 'ZTI']
    expect(await laptop.ask('devices.append', { length: 0, entries })).toMatchObject({ ok: true })
    await soon(() => phone.socket.heard('devices.changed').length === 1)
    const late = await phone.ask('devices.append', { length: 0, entries: ['eDE'] })
    expect(late).toMatchObject({ error: { code: 'device-list-conflict', retryable: true } })
    expect(await phone.ask('devices.show', { card: 'Y2FyZA' })).toMatchObject({ ok: true })
    await soon(() => laptop.socket.heard('devices.changed').length === 1)
    const cards = [{ device: 'phone', card: 'Y2FyZA' }]
    const known = { ok: true, data: { entries, cards } }
    expect(await bob.ask('devices.get', { user: 'alice' })).toEqual(known)
    expect(laptop.socket.heard('devices.changed')).toEqual([{ user: 'alice' }])
    expect(bob.socket.heard('devices.changed')).toEqual([])
  })

  test('[IDENT-2] outlive every process, and say so while Redis is away', async () => {
    const a = await cluster.node()
    const entries = ['ZTE']
    await a.connect('carol').ask('devices.append', { length: 0, entries })
    a.kill()
    const b = await cluster.node()
    const dave = b.connect('dave')
    const known = { ok: true, data: { entries, cards: [] } }
    expect(await dave.ask('devices.get', { user: 'carol' })).toEqual(known)
    cluster.redis.hang()
    await soon(() => !b.isUp())
    const away = { error: { code: 'store-unavailable', retryable: true } }
    expect(await dave.ask('devices.get', { user: 'carol' })).toMatchObject(away)
    expect(await dave.ask('devices.append', { length: 0, entries })).toMatchObject(away)
    expect(await dave.ask('devices.show', { card: 'Y2FyZA' })).toMatchObject(away)
    cluster.redis.goOn()
    await soon(() => b.isUp())
    expect(await dave.ask('devices.get', { user: 'carol' })).toEqual(known)
  })
})
