import type { MissedCall, Presence } from '@parley/protocol'
import { describe, expect, test } from 'vitest'
import { soon, useCluster } from './testing.ts'
import type { TestClient } from './testing.ts'

const MEDIA = { audio: true, video: true }

const cluster = useCluster()

describe('people of two signaling processes', { timeout: 120_000 }, () => {
  test('[MISSED-1] who was rung on one node finds the call on the other, once on each device', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const started = await alice.ask('call.start', { call: 'm1', users: ['bob'], media: MEDIA })
    expect(started).toMatchObject({ error: { code: 'user-offline' } })
    const phone = b.connect('bob', 'phone')
    const [missed] = await soon(() => heardBy(phone))
    expect(missed).toMatchObject({ call: 'm1', from: 'alice', reason: 'unreachable' })
    expect(await phone.ask('mailbox.ack', { seq: missed?.seq })).toMatchObject({ ok: true })
    const laptop = a.connect('bob', 'laptop')
    await soon(() => heardBy(laptop))
    const again = a.connect('bob', 'phone')
    await alice.ask('call.start', { call: 'm2', users: ['bob'], media: MEDIA })
    await alice.ask('call.hangup', { call: 'm2' })
    await soon(() => heardBy(again))
    expect(heardBy(again)?.map(({ call }) => call)).toEqual(['m2'])
    expect(heardBy(laptop)?.map(({ call }) => call)).toEqual(['m1', 'm2'])
  })

  test('[MISSED-1] a device that rang in vain hears of it at once, wherever it is', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const bob = b.connect('carol')
    await soon(async () => (await a.sees('carol')) === 'online')
    await alice.ask('call.start', { call: 'm3', users: ['carol'], media: MEDIA })
    await soon(() => bob.socket.heard('call.incoming').length === 1)
    await alice.ask('call.hangup', { call: 'm3' })
    await soon(() => heardBy(bob))
    expect(heardBy(bob)).toMatchObject([{ call: 'm3', reason: 'cancelled' }])
  })

  test('a call missed while Redis is away is told when it is back', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const phone = a.connect('dave', 'phone')
    await cluster.redis.kill()
    await soon(() => !a.isUp() && !b.isUp())
    const started = await alice.ask('call.start', { call: 'm4', users: ['dave'], media: MEDIA })
    expect(started).toMatchObject({ ok: true })
    await alice.ask('call.hangup', { call: 'm4' })
    const laptop = b.connect('dave', 'laptop')
    expect(await laptop.ask('mailbox.ack', { seq: 1 })).toMatchObject({
      error: { code: 'store-unavailable', retryable: true },
    })
    expect([heardBy(phone), heardBy(laptop)]).toEqual([undefined, undefined])
    await cluster.redis.start()
    for (const device of [phone, laptop]) {
      await soon(() => heardBy(device))
      expect(heardBy(device)).toMatchObject([{ call: 'm4', from: 'alice', reason: 'cancelled' }])
    }
  })

  test('[PRESENCE-4] what a device tells of its person is seen on the other node, and so are calls', async () => {
    const [a, b] = await cluster.two()
    const watcher = b.connect('watcher')
    await watcher.ask('presence.subscribe', { users: ['erin'] })
    const erin = a.connect('erin')
    const sees = (status: string) => soon(() => presenceOf(watcher).at(-1)?.status === status)
    await sees('online')
    await erin.ask('presence.set', { status: 'away' })
    await sees('away')
    await erin.ask('room.join', { room: 'cluster-people', media: MEDIA, topology: 'auto' })
    await sees('in-call')
    await erin.ask('presence.set', { status: 'invisible' })
    await sees('offline')
    expect(presenceOf(watcher).map(({ status }) => status)).toEqual([
      ...['online', 'away', 'in-call', 'offline'],
    ])
    // Her choice goes with her session, as does her seat.
    await erin.moveTo(b)
    const answer = await watcher.ask('presence.subscribe', { users: ['erin'] })
    expect(answer).toMatchObject({ data: { users: [{ user: 'erin', status: 'offline' }] } })
  })
})

/** Missed calls that a device was told of; undefined for none. */
function heardBy(client: TestClient): readonly MissedCall[] | undefined {
  const events = client.socket.heard('mailbox.missed') as { readonly missed: MissedCall[] }[]
  return events.length > 0 ? events.flatMap(({ missed }) => missed) : undefined
}

function presenceOf(client: TestClient): readonly Presence[] {
  return client.socket.heard('presence').flatMap((data) => (data as { users: Presence[] }).users)
}
