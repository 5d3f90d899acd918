import { describe, expect, test } from 'vitest'
import { soon, useCluster } from './testing.ts'
import type { TestClient, TestNode } from './testing.ts'

const JOIN = { room: 'council', media: { audio: true, video: true }, topology: 'auto' }

const cluster = useCluster()
let a: TestNode
let b: TestNode
let alice: TestClient
let bob: TestClient

/** A room that alice moderates on one node, and bob on another one. */
async function meet(): Promise<string> {
  ;[a, b] = await cluster.two()
  alice = a.connect('alice', 'phone', { host: true })
  bob = b.connect('bob')
  await soon(async () => (await a.sees('bob')) === 'online')
  const answer = await alice.ask('room.join', JOIN)
  expect(answer).toMatchObject({ ok: true })
  return alice.view()?.id ?? ''
}

describe('with the call on another signaling process', { timeout: 60_000 }, () => {
  test('somebody waits, is let in, and is removed', async () => {
    const call = await meet()
    await alice.ask('call.lobby', { call, on: true })
    const answer = await bob.ask('room.join', JOIN)
    expect(answer).toEqual({ ok: true, data: { waiting: { call, room: 'council' } } })
    expect(alice.view()?.waiting).toMatchObject([{ user: 'bob' }])
    await alice.ask('call.admit', { call, user: 'bob' })
    await soon(() => bob.socket.heard('call.admitted').length === 1)
    await soon(() => bob.ticket())
    const [, seat] = alice.view()?.participants ?? []
    await alice.ask('call.remove', { call, participant: seat?.id })
    await soon(() => bob.ends().length === 1)
    expect(bob.ends()).toEqual(['removed'])
    await alice.ask('call.lock', { call })
    expect(await bob.ask('room.join', JOIN)).toMatchObject({ error: { code: 'call-locked' } })
  })

  test('a lobby forgets who hangs up', async () => {
    const call = await meet()
    await alice.ask('call.lobby', { call, on: true })
    await bob.ask('room.join', JOIN)
    expect(await bob.ask('call.hangup', { call })).toMatchObject({ ok: true })
    expect(alice.view()?.waiting).toBeUndefined()
  })

  test('[GRANT-5] a right that is taken away counts there, too', async () => {
    await meet()
    await bob.ask('room.join', JOIN)
    await soon(() => bob.view()?.participants.length === 2)
    expect(await bob.refresh({ rooms: ['other'] })).toMatchObject({ ok: true })
    await soon(() => bob.ends().length === 1)
    expect(bob.ends()).toEqual(['removed'])
    expect(alice.view()?.participants).toMatchObject([{ user: 'alice' }])
  })

  test('[GRANT-5] a right to moderate that is given counts there, too', async () => {
    const call = await meet()
    await bob.ask('room.join', JOIN)
    expect(await bob.ask('call.lock', { call })).toMatchObject({ error: { code: 'not-moderator' } })
    await bob.refresh({ moderate: ['council'] })
    await soon(() => alice.view()?.participants[1]?.moderator)
    expect(await bob.ask('call.lock', { call })).toMatchObject({ ok: true })
    expect(alice.view()?.locked).toBe(true)
  })

  test('[MERGE-1] the grants of who is brought there are known', async () => {
    const into = await meet()
    await bob.ask('room.join', JOIN)
    const carol = b.connect('carol', 'phone', { rooms: ['other'] })
    await soon(async () => (await a.sees('carol')) === 'online')
    const media = JOIN.media
    await alice.ask('call.start', { call: 'c1', users: ['carol'], media })
    await soon(() => carol.socket.heard('call.incoming').length === 1)
    await carol.ask('call.accept', { call: 'c1', media })
    const answer = await alice.ask('call.merge', { call: 'c1', into })
    expect(answer).toMatchObject({ error: { code: 'not-permitted' } })
  })
})
