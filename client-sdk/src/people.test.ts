import { limits, wireError } from '@parley/protocol'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Call } from './call.ts'
import { CallClient } from './client.ts'
import { CallError } from './errors.ts'
import type { PageMemory, Push } from './ports.ts'
import { bareEnvironment, settle, welcomeData } from './testing.ts'

const SUBSCRIPTION = { endpoint: 'https://push.example.org/1', keys: { p256dh: 'p', auth: 'a' } }

let environment: ReturnType<typeof bareEnvironment>
let client: CallClient
let seq = 0

beforeEach(() => {
  environment = { ...bareEnvironment(), memory: memoryOfTab(new Map()) }
  client = newClient()
})

describe('missed calls', () => {
  it('[MISSED-1] are told to the app first, then acknowledged', async () => {
    const told: unknown[] = []
    client.on('missed', ({ call }) => told.push([call, sent('mailbox.ack').length]))
    await connect()
    missed(5, 6)
    await settle()
    expect(told).toEqual([
      ['c5', 0],
      ['c6', 0],
    ])
    expect(sent('mailbox.ack')).toEqual([{ seq: 6 }])
    expect(client.missedCalls().map(({ call }) => call)).toEqual(['c5', 'c6'])
  })

  it('[MISSED-1] that are said again are told once, and acknowledged again', async () => {
    const told = vi.fn()
    client.on('missed', told)
    await connect()
    missed(5)
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ session: 's2' })
    missed(5)
    missed(5, 6)
    expect(told).toHaveBeenCalledTimes(2)
    expect(sent('mailbox.ack')).toEqual([{ seq: 5 }, { seq: 6 }])
  })

  it('are acknowledged again once the server can note it', async () => {
    client.on('missed', () => undefined)
    await connect()
    missed(5)
    const [first] = requests('mailbox.ack')
    first?.answer({ ok: false, error: wireError('store-unavailable') })
    await environment.clock.advance(5_000)
    expect(sent('mailbox.ack')).toEqual([{ seq: 5 }, { seq: 5 }])
    answer('mailbox.ack', {})
    await environment.clock.advance(60_000)
    expect(sent('mailbox.ack')).toHaveLength(2)
  })

  it('wait for somebody to listen, unacknowledged', async () => {
    await connect()
    missed(5)
    missed(6)
    await environment.clock.advance(1)
    expect(sent('mailbox.ack')).toEqual([])
    expect(client.missedCalls()).toHaveLength(2)
    const told = vi.fn()
    client.on('missed', told)
    await environment.clock.advance(1)
    expect(told).toHaveBeenCalledTimes(2)
    expect(sent('mailbox.ack')).toEqual([{ seq: 6 }])
  })

  it('are not told again by the page after a reload, and are by the page of somebody else', async () => {
    const storage = new Map<string, string>()
    environment = { ...environment, memory: memoryOfTab(storage) }
    client = newClient()
    client.on('missed', () => undefined)
    await connect()
    missed(5)
    for (const [user, expected] of [
      ['alice', []],
      ['bob', ['c5']],
    ] as const) {
      environment = { ...bareEnvironment(), memory: memoryOfTab(new Map(storage)) }
      client = newClient()
      const told: string[] = []
      client.on('missed', ({ call }) => told.push(call))
      await connect({ user })
      missed(5)
      expect(told).toEqual(expected)
      expect(sent('mailbox.ack')).toEqual([{ seq: 5 }])
    }
  })
})

describe('presence', () => {
  it('is told by each connection while it is not the usual one', async () => {
    await connect()
    expect(sent('presence.set')).toEqual([])
    const setting = client.setPresence('invisible')
    answer('presence.set', {})
    await setting
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'replayed' })
    expect(sent('presence.set')).toEqual([{ status: 'invisible' }])
    expect(client.ownPresence).toBe('invisible')
  })

  it('is heard of those who are watched, by each session', async () => {
    await connect()
    const heard: unknown[] = []
    client.on('presence', (users) => heard.push(users.map(({ user, status }) => [user, status])))
    const watching = client.watchPresence(['bob', 'mallory'])
    const users = [{ user: 'bob', status: 'away' }]
    answer('presence.subscribe', { users, refused: ['mallory'] })
    expect(await watching).toMatchObject({ refused: ['mallory'] })
    event('presence', { users: [{ user: 'bob', status: 'offline', lastSeen: 7 }] })
    expect(heard).toEqual([[['bob', 'away']], [['bob', 'offline']]])
    expect(client.presence()).toEqual([{ user: 'bob', status: 'offline', lastSeen: 7 }])
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ session: 's2' })
    expect(sent('presence.subscribe').at(-1)).toEqual({ users: ['bob', 'mallory'] })
  })

  it('of a list that is not the newest any more is dropped', async () => {
    await connect()
    void client.watchPresence(['bob'])
    const [first] = requests('presence.subscribe').slice(-1)
    void client.watchPresence(['carol'])
    answer('presence.subscribe', { users: [{ user: 'carol', status: 'online' }], refused: [] })
    first?.answer({ ok: true, data: { users: [{ user: 'bob', status: 'online' }], refused: [] } })
    await settle()
    expect(client.presence().map(({ user }) => user)).toEqual(['carol'])
  })

  it('is of nobody once it is watched no more', async () => {
    await connect()
    answer('presence.subscribe', { users: [{ user: 'bob', status: 'online' }], refused: [] })
    await settle()
    const unwatching = client.unwatchPresence()
    answer('presence.unsubscribe', {})
    await unwatching
    expect(client.presence()).toEqual([])
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ session: 's2' })
    expect(sent('presence.subscribe')).toEqual([])
  })
})

describe('waking this browser', () => {
  it('subscribes with the key of the server, and ends it there first', async () => {
    const done: string[] = []
    await connectWith({
      subscribe: (worker, key) => {
        done.push(`subscribe ${typeof worker === 'string' ? worker : 'another'} ${key}`)
        return Promise.resolve(SUBSCRIPTION)
      },
      unsubscribe: (key) => {
        done.push(`unsubscribe ${key} ${requests('push.unsubscribe').length}`)
        return Promise.resolve()
      },
    })
    const enabling = client.enablePush({ serviceWorker: '/sw.js' })
    answer('push.key', { key: 'VAPID' })
    await settle()
    answer('push.subscribe', {})
    await enabling
    expect(sent('push.subscribe')).toEqual([SUBSCRIPTION])
    const disabling = client.disablePush()
    answer('push.key', { key: 'VAPID' })
    await settle()
    answer('push.unsubscribe', {})
    await disabling
    expect(done).toEqual(['subscribe /sw.js VAPID', 'unsubscribe VAPID 1'])
  })

  it('rejects where the server or the person does not want it', async () => {
    const push: Push = {
      subscribe: () => Promise.reject(new CallError('push-denied')),
      unsubscribe: () => Promise.resolve(),
    }
    await connectWith(push)
    const off = client.enablePush({ serviceWorker: '/sw.js' })
    answer('push.key', { key: null })
    await expect(off).rejects.toMatchObject({ code: 'push-off' })
    const denied = client.enablePush({ serviceWorker: '/sw.js' })
    answer('push.key', { key: 'VAPID' })
    await expect(denied).rejects.toMatchObject({ code: 'push-denied' })
    expect(sent('push.subscribe')).toEqual([])
  })
})

describe('in a call', () => {
  it('[MSG-1] text, bytes and reactions of the others are heard, with who sent them', async () => {
    const { call, id } = await dial()
    const heard: unknown[] = []
    call.on('message', ({ data, from, direct }) => heard.push([data, from.user, direct]))
    call.on('reaction', (reaction, from) => heard.push([reaction, from.user]))
    event('call.updated', { call: view(id, ['alice', 'bob']) })
    const about = { call: id, from: 'p-bob' }
    event('call.message', { ...about, direct: false, message: { text: 'hello' } })
    event('call.message', { ...about, direct: true, message: { bytes: '_wA' } })
    event('call.message', { ...about, direct: true, message: { bytes: '%' } })
    event('call.reaction', { ...about, reaction: '👏' })
    event('call.message', { ...about, from: 'p-nobody', direct: true, message: { text: 'x' } })
    const bytes = Uint8Array.of(255, 0)
    expect(heard).toEqual([
      ['hello', 'bob', false],
      [bytes, 'bob', true],
      ['👏', 'bob'],
    ])
  })

  it('[MSG-1] one sends text or bytes to all or to one, within the limit', async () => {
    const { call, id } = await dial()
    event('call.updated', { call: view(id, ['alice', 'bob']) })
    const [bob] = call.participants.values()
    const all = call.send('hello')
    answer('call.send', {})
    const one = call.send(Uint8Array.of(255, 0), bob ? { to: bob.id } : {})
    answer('call.send', {})
    await Promise.all([all, one])
    expect(sent('call.send')).toEqual([
      { call: id, message: { text: 'hello' } },
      { call: id, message: { bytes: '_wA' }, to: 'p-bob' },
    ])
    const most = (limits.messageLength * 3) / 4
    void call.send(new Uint8Array(most))
    await expect(call.send(new Uint8Array(most + 1))).rejects.toMatchObject({ code: 'too-large' })
    expect(sent('call.send')).toHaveLength(3)
  })

  it('[HAND-1] hands are raised and lowered, and seen on who raised them', async () => {
    const { call, id } = await dial()
    const seen: unknown[] = []
    call.on('hand', (raised) => seen.push(raised))
    call.on('participant-updated', ({ user, handRaisedAt }) => seen.push([user, handRaisedAt]))
    event('call.updated', { call: view(id, ['alice', 'bob']) })
    const raising = call.raiseHand()
    answer('call.hand', {})
    await raising
    event('call.updated', { call: view(id, ['alice', 'bob'], { alice: 3 }) })
    expect(call.handRaisedAt).toBe(3)
    event('call.updated', { call: view(id, ['alice', 'bob'], { alice: 3, bob: 4 }) })
    const lowering = call.lowerHand()
    answer('call.hand', {})
    await lowering
    event('call.updated', { call: view(id, ['alice', 'bob'], { bob: 4 }) })
    expect(seen).toEqual([true, ['bob', 4], false])
    expect(sent('call.hand')).toEqual([
      { call: id, raised: true },
      { call: id, raised: false },
    ])
  })
})

function newClient(): CallClient {
  return new CallClient(
    { url: 'http://example.org', token: () => 't', encryption: 'off' },
    environment,
  )
}

async function connect(change: object = {}): Promise<void> {
  const connecting = client.connect()
  await settle()
  welcome(change)
  await connecting
}

async function connectWith(push: Push): Promise<void> {
  environment = { ...environment, push }
  client = newClient()
  await connect()
}

async function dial(): Promise<{ call: Call; id: string }> {
  await connect()
  const calling = client.call('bob')
  await settle()
  const [start] = requests('call.start')
  const { call: id } = start?.data as { call: string }
  answer('call.start', { call: view(id, ['alice']), participant: 'p-alice' })
  return { call: await calling, id }
}

/** What was asked over the newest connection. */
function requests(type: string) {
  return environment.link.last.requests.filter((each) => each.type === type)
}

function sent(type: string): unknown[] {
  return requests(type).map(({ data }) => data)
}

/** Answers the newest request of the type. */
function answer(type: string, data: unknown): void {
  const last = requests(type).at(-1)
  if (!last) throw new Error(`no ${type} was sent`)
  last.answer({ ok: true, data })
}

function welcome(change: object): void {
  seq = 0
  environment.link.last.listener.event({
    seq: 0,
    type: 'welcome',
    data: welcomeData(change),
  })
}

function event(type: string, data: unknown): void {
  environment.link.last.listener.event({ seq: ++seq, type, data })
}

function missed(...seqs: readonly number[]): void {
  const media = { audio: true, video: false }
  event('mailbox.missed', {
    missed: seqs.map((n) => ({
      ...{ seq: n, call: `c${n}`, from: 'bob', media, reason: 'unreachable', at: n },
    })),
  })
}

function memoryOfTab(storage: Map<string, string>): PageMemory {
  return {
    claim: (name) => Promise.resolve(storage.get(name)),
    keep: (name, text) => void storage.set(name, text),
  }
}

function view(id: string, people: readonly string[], hands: Record<string, number> = {}) {
  return {
    id,
    startedBy: people[0],
    answered: people.length > 1,
    participants: people.map((user) => ({
      id: `p-${user}`,
      user,
      device: 'd',
      connected: true,
      onHold: false,
      sending: { microphone: false, camera: false, screen: false },
      ...(hands[user] !== undefined && { handRaisedAt: hands[user] }),
      publications: [],
    })),
    invites: [],
    // This path begins with requests, which nobody answers: these tests have no media.
    topology: { path: 'sfu', epoch: 1 },
  }
}
