import { describe, expect, test } from 'vitest'
import { TestLine } from '../redis/testing.ts'
import { soon, useCluster } from './testing.ts'
import type { TestClient } from './testing.ts'

const MEDIA = { audio: true, video: true }

const cluster = useCluster()

describe('two signaling processes', { timeout: 60_000 }, () => {
  test('a user on another node is rung, answers, and hears the hang-up', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    const started = await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    expect(started).toMatchObject({ ok: true })
    await soon(() => bob.socket.heard('call.incoming').length === 1)
    const accepted = await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    expect(accepted).toMatchObject({ ok: true, data: { call: { participants: [{}, {}] } } })
    await soon(() => alice.view()?.participants.length === 2)
    const [first, second] = alice.view()?.participants ?? []
    const signal = { candidate: null }
    await bob.ask('call.signal', { call: 'c1', to: first?.id, epoch: 0, signal })
    await soon(() => alice.socket.heard('call.signal').length === 1)
    expect(alice.socket.heard('call.signal')).toMatchObject([{ from: second?.id }])
    await bob.ask('call.hangup', { call: 'c1' })
    await soon(() => alice.ends().length === 1)
    expect(alice.ends()).toEqual(['hangup'])
    expect([a.calls(), b.calls()]).toEqual([0, 0])
  })

  test('[RELOAD-2] a page that goes away is seen to, though another node has its call', async () => {
    const [a, b] = await cluster.two()
    const [alice, bob] = [a.connect('alice'), b.connect('bob')]
    await soon(async () => (await a.sees('bob')) === 'online')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await soon(() => bob.socket.heard('call.incoming').length === 1)
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    await bob.ask('session.leaving', {})
    await soon(() => alice.view()?.participants[1]?.leaving === true)
    await bob.moveTo(b)
    await soon(() => alice.view()?.participants[1]?.connected === true)
    expect(alice.view()?.participants[1]?.leaving).toBeUndefined()
  })

  test('two who ring each other from two nodes end in one call, twenty times in a row', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    await soon(async () => (await b.sees('alice')) === 'online')
    for (let round = 0; round < 20; round++) {
      const both = await Promise.all([
        alice.ask('call.start', { call: `a-${round}`, users: ['bob'], media: MEDIA }),
        bob.ask('call.start', { call: `b-${round}`, users: ['alice'], media: MEDIA }),
      ])
      expect(both).toMatchObject([{ ok: true }, { ok: true }])
      await soon(() => a.calls() + b.calls() === 1)
      const inIt = (one: TestClient) =>
        one.view()?.id.endsWith(`-${round}`) && one.view()?.participants.length === 2
      await soon(() => inIt(alice) && inIt(bob))
      expect(alice.view()?.id).toBe(bob.view()?.id)
      await alice.ask('call.hangup', { call: alice.view()?.id })
      await soon(() => bob.ends().length === round + 1)
      await soon(() => a.calls() + b.calls() === 0)
    }
  })

  test('a room has one owner, whoever comes first and wherever from', async () => {
    const [a, b] = await cluster.two()
    const people = ['ann', 'ben', 'cem', 'dee', 'eve', 'fay'].map((user, i) =>
      (i % 2 === 0 ? a : b).connect(user),
    )
    const joins = await Promise.all(
      people.map((one) =>
        one.ask('room.join', { room: 'stand-up', media: MEDIA, topology: 'auto' }),
      ),
    )
    const ids = new Set(joins.map((join) => (join.ok ? (join.data as Joined).call.id : join.error)))
    expect([...ids]).toEqual([expect.any(String)])
    for (const one of people) await soon(() => one.view()?.participants.length === 6)
    expect(a.calls() + b.calls()).toBe(1)
    for (const one of people)
      expect(await one.ask('call.hangup', { call: [...ids][0] })).toMatchObject({ ok: true })
    await soon(() => a.calls() + b.calls() === 0)
    // The name is free again, also for the other node.
    expect(
      await people[1]?.ask('room.join', { room: 'stand-up', media: MEDIA, topology: 'auto' }),
    ).toMatchObject({
      ok: true,
      data: { call: { participants: [{}] } },
    })
  })

  test('a busy user is busy on every node', async () => {
    const [a, b] = await cluster.two()
    const bob = b.connect('bob')
    const alice = a.connect('alice')
    const carol = a.connect('carol')
    await soon(async () => (await a.sees('bob')) === 'online')
    await bob.ask('device.prefer', { callWaiting: 'busy' })
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    await soon(async () => (await a.sees('bob')) === 'in-call')
    expect(await b.sees('bob')).toBe('in-call')
    await carol.ask('call.start', { call: 'c2', users: ['bob'], media: MEDIA })
    await soon(() => carol.ends().length === 1)
    expect(carol.ends()).toEqual(['busy'])
  })

  test('taking a second call holds the first, though another node has that', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const carol = b.connect('carol')
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    await carol.ask('call.start', { call: 'c2', users: ['bob'], media: MEDIA })
    await soon(() => bob.socket.heard('call.incoming').length === 2)
    await bob.ask('call.accept', { call: 'c2', media: MEDIA })
    await soon(() => alice.view()?.participants.some((one) => one.onHold))
    expect([a.calls(), b.calls()]).toEqual([1, 1])
  })

  test('a client that comes back to another node goes on there, and misses nothing', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const bob = a.connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    await soon(async () => (await b.sees('bob')) === 'in-call')
    const welcome = await bob.moveTo(b)
    expect(welcome).toMatchObject({ resumed: 'replayed' })
    await alice.ask('call.sending', {
      call: 'c1',
      sending: { microphone: false, camera: false, screen: false },
    })
    await soon(() => bob.view()?.participants.some((one) => !one.sending.microphone))
    await soon(() => alice.view()?.participants.every((one) => one.connected))
    const seqs = bob.socket.frames.map(({ seq }) => seq).filter((seq) => seq > 0)
    expect(seqs).toEqual(seqs.map((_, i) => i + 1))
    // And back, to the node that has the call.
    expect(await bob.moveTo(a)).toMatchObject({ resumed: 'replayed' })
    expect(await bob.ask('call.hangup', { call: 'c1' })).toMatchObject({ ok: true })
    await soon(() => alice.ends().length === 1)
  })

  test('a device that connects on another node anew loses its session on the first', async () => {
    const [a, b] = await cluster.two()
    const first = a.connect('alice')
    await soon(async () => (await b.sees('alice')) === 'online')
    b.connect('alice')
    await soon(() => first.socket.closed)
    expect(first.socket.heard('session.closed')).toEqual([{ code: 'session-replaced' }])
    expect(await a.sees('alice')).toBe('online')
  })

  test('when a node is killed its people are seen to be away, and the others go on', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    b.kill()
    await soon(() => alice.view()?.participants.some((one) => !one.connected))
    expect(alice.ends()).toEqual([])
    await soon(async () => (await a.sees('bob')) === undefined)
  })

  test('when the owner of a call is killed its devices elsewhere are made to come for their seats', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    a.kill()
    await soon(() => bob.socket.closed)
    expect(bob.ends()).toEqual([])
    expect(await bob.moveTo(b)).toMatchObject({ resumed: 'snapshot', calls: [] })
    const back = await soon(async () => {
      const resumed = await bob.ask('call.resume', { ticket: bob.ticket() })
      return resumed.ok ? resumed.data : undefined
    })
    expect(back).toMatchObject({ call: { id: 'c1', participants: [{}, {}] } })
    // The other one comes with his ticket, from the dead node.
    await alice.comeTo(b)
    expect(await alice.ask('call.resume', { ticket: alice.ticket() })).toMatchObject({
      ok: true,
      data: { call: { id: 'c1' } },
    })
    await soon(() => bob.view()?.participants.every((one) => one.connected))
    await alice.ask('call.hangup', { call: 'c1' })
    await soon(() => bob.ends().length === 1)
    expect(bob.ends()).toEqual(['hangup'])
  })
})

describe('while Redis is away', { timeout: 60_000 }, () => {
  test('people of one node go on in every way, others fail fast, and all heals', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const adam = a.connect('adam')
    const anna = a.connect('anna')
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    await alice.ask('call.start', { call: 'far', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'far', media: MEDIA })
    await adam.ask('call.start', { call: 'near', users: ['anna'], media: MEDIA })
    await anna.ask('call.accept', { call: 'near', media: MEDIA })

    await cluster.redis.kill()
    await soon(() => !a.isUp() && !b.isUp())
    // Running calls stay, and what is said on one node is heard there.
    expect(await adam.ask('call.hold', { call: 'near', on: true })).toMatchObject({ ok: true })
    expect(anna.view()?.participants.some((one) => one.onHold)).toBe(true)
    expect(await alice.ask('call.hold', { call: 'far', on: true })).toMatchObject({ ok: true })
    // New rings to people of this node go on.
    const amy = a.connect('amy')
    const amir = a.connect('amir')
    expect(
      await amy.ask('call.start', { call: 'new', users: ['amir'], media: MEDIA }),
    ).toMatchObject({ ok: true })
    expect(await amir.ask('call.accept', { call: 'new', media: MEDIA })).toMatchObject({ ok: true })
    // What needs the others fails at once, and says that it may work later.
    const away = { ok: false, error: { code: 'store-unavailable', retryable: true } }
    expect(await anna.ask('call.start', { call: 'x', users: ['bob'], media: MEDIA })).toMatchObject(
      away,
    )
    expect(
      await anna.ask('room.join', { room: 'elsewhere', media: MEDIA, topology: 'auto' }),
    ).toMatchObject(away)
    expect(await bob.ask('call.ready', { call: 'far', epoch: 1 })).toMatchObject(away)
    expect([a.calls(), b.calls()]).toEqual([3, 0])

    await cluster.redis.start()
    await soon(() => a.isUp() && b.isUp())
    await soon(() => bob.view()?.participants.some((one) => one.onHold))
    await soon(async () => (await b.sees('amy')) === 'in-call')
    expect([alice, adam, anna, bob, amy, amir].flatMap((one) => one.ends())).toEqual([])
    expect(await bob.ask('call.ready', { call: 'far', epoch: 1 })).toMatchObject({ ok: true })
    const late = b.connect('late')
    await soon(async () => (await a.sees('late')) === 'online')
    expect(await late.ask('call.hangup', { call: 'new' })).toMatchObject({
      error: { code: 'not-in-call' },
    })
  })

  test('who leaves meanwhile is found to have left', async () => {
    const [a, b] = await cluster.two()
    const alice = a.connect('alice')
    const bob = b.connect('bob')
    await soon(async () => (await a.sees('bob')) === 'online')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    await cluster.redis.kill()
    await soon(() => !a.isUp() && !b.isUp())
    expect(await bob.ask('call.hangup', { call: 'c1' })).toMatchObject({ ok: true })
    await cluster.redis.start()
    await soon(() => alice.ends().length === 1)
    expect(alice.ends()).toEqual(['hangup'])
  })
})

describe('a process that Redis cannot be reached from', { timeout: 60_000 }, () => {
  test('is taken over, goes on with its own people meanwhile, and gives way afterwards', async () => {
    const line = await TestLine.to(cluster.redis)
    try {
      const a = await cluster.node(line.url)
      const b = await cluster.node()
      await soon(() => a.peers() === 1 && b.peers() === 1)
      const alice = a.connect('alice')
      const adam = a.connect('adam')
      const bob = b.connect('bob')
      await soon(async () => (await a.sees('bob')) === 'online')
      await alice.ask('call.start', { call: 'c1', users: ['bob', 'adam'], media: MEDIA })
      await adam.ask('call.accept', { call: 'c1', media: MEDIA })
      await bob.ask('call.accept', { call: 'c1', media: MEDIA })

      line.cut()
      await soon(() => !a.isUp())
      // The heir holds the call for the one who can reach it.
      await soon(() => bob.socket.closed)
      await bob.moveTo(b)
      await soon(async () => (await bob.ask('call.resume', { ticket: bob.ticket() })).ok)
      expect([a.calls(), b.calls()]).toEqual([1, 1])
      // Those of the old owner still hear each other.
      await alice.ask('call.hold', { call: 'c1', on: true })
      expect(adam.view()?.participants.some((one) => one.onHold)).toBe(true)
      expect(bob.view()?.participants.some((one) => one.onHold)).toBe(false)

      line.mend()
      await soon(() => a.isUp() && a.calls() === 0)
      for (const one of [alice, adam]) {
        await soon(() => one.socket.closed)
        expect(await one.moveTo(a)).toMatchObject({ resumed: 'snapshot' })
        await soon(async () => (await one.ask('call.resume', { ticket: one.ticket() })).ok)
      }
      await soon(() => {
        const people = bob.view()?.participants ?? []
        return people.length === 3 && people.every((one) => one.connected)
      })
      expect([alice, adam, bob].flatMap((one) => one.ends())).toEqual([])
      expect([a.calls(), b.calls()]).toEqual([0, 1])
    } finally {
      line.close()
    }
  })
})

interface Joined {
  readonly call: { readonly id: string }
}
