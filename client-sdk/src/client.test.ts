import { wireError } from '@parley/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Call } from './call.ts'
import { CallClient } from './client.ts'
import { bareEnvironment, settle, welcomeData } from './testing.ts'

let environment: ReturnType<typeof bareEnvironment>
let client: CallClient

beforeEach(() => {
  environment = bareEnvironment()
  client = new CallClient(
    { url: 'http://example.org', token: () => 't', encryption: 'off' },
    environment,
  )
})

describe('importing the SDK', () => {
  it('touches no browser: it works in Node, and so does making a client', async () => {
    const before = new Set(Object.getOwnPropertyNames(globalThis))
    const { CallClient: Imported } = await import('./index.ts')
    const made = new Imported({ url: 'http://example.org', token: () => 't' })
    expect(made.connection).toBe('idle')
    expect(Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name))).toEqual([])
  })
})

describe('a client', () => {
  it('knows who it is once connected, and who else is there', async () => {
    await connect()
    expect([client.user, client.device]).toEqual(['alice', 'd1'])
    answer('presence.subscribe', { users: [{ user: 'bob', status: 'online' }], refused: [] })
    await settle()
    event(1, 'presence', { users: [{ user: 'bob', status: 'in-call' }] })
    expect(client.presence()).toEqual([{ user: 'bob', status: 'in-call' }])
  })

  it('rejects with a typed error when it cannot connect', async () => {
    const connecting = client.connect()
    await settle()
    environment.link.last.listener.refused(wireError('unauthorized'))
    await expect(connecting).rejects.toMatchObject({ code: 'unauthorized', retryable: false })
  })

  it('calls nobody without a connection', async () => {
    await expect(client.call('bob')).rejects.toMatchObject({ code: 'not-connected' })
  })

  it('stops connecting when the app aborts', async () => {
    const abort = new AbortController()
    const connecting = client.connect({ signal: abort.signal })
    await settle()
    abort.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'aborted' })
    expect(client.connection).toBe('closed')
  })

  it('hangs up its calls and disconnects when it is disposed of', async () => {
    const { call } = await dial()
    await client[Symbol.asyncDispose]()
    expect([call.state, call.endReason]).toEqual(['ended', 'cancelled'])
    expect(client.connection).toBe('closed')
  })
})

describe('an outgoing call', () => {
  it('is dialing when it resolves, then rings, and ends as the server says', async () => {
    const { call, id } = await dial()
    expect(call.state).toBe('dialing')
    await environment.clock.advance(1)
    expect(call.state).toBe('ringing')
    event(1, 'call.ended', { call: id, reason: 'declined' })
    expect([call.state, call.endReason]).toEqual(['ended', 'declined'])
    expect(client.calls).toEqual([])
  })

  it('rejects with the code of the server', async () => {
    await connect()
    const calling = client.call('bob')
    await settle()
    request('call.start').answer({ ok: false, error: wireError('user-offline') })
    await expect(calling).rejects.toMatchObject({ code: 'user-offline', retryable: true })
    expect(client.calls).toEqual([])
  })

  it('gives the seat back that it no longer wants', async () => {
    await connect()
    const abort = new AbortController()
    const calling = client.call('bob', { signal: abort.signal })
    await settle()
    abort.abort()
    await expect(calling).rejects.toMatchObject({ code: 'aborted' })
    const start = request('call.start')
    const { call: id } = start.data as { call: string }
    start.answer({ ok: true, data: { call: view(id, ['alice']), participant: 'p-alice' } })
    await settle()
    expect(request('call.hangup').data).toEqual({ call: id })
  })

  it('ends at once on hang-up, twice is as good as once, and nothing works afterwards', async () => {
    const { call, id } = await dial()
    await call.hangup()
    await call.hangup()
    expect(call.endReason).toBe('cancelled')
    expect(request('call.hangup').data).toEqual({ call: id })
    await expect(call.setMicrophone(true)).rejects.toMatchObject({ code: 'call-ended' })
    await expect(call.accept()).rejects.toMatchObject({ code: 'call-ended' })
  })

  it('is not lost with a connection, nor with its session while the server knows it', async () => {
    const { call, id } = await dial()
    event(1, 'call.ticket', { call: id, ticket: 't1' })
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'snapshot', calls: [view(id, ['alice'])] })
    expect(call.state).toBe('ringing')
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'new', session: 's2' })
    expect(request('call.resume').data).toEqual({ ticket: 't1' })
    answer('call.resume', { call: view(id, ['alice']), participant: 'p-alice' })
    await settle()
    expect(call.state).toBe('ringing')
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'new', session: 's3' })
    request('call.resume').answer({ ok: false, error: wireError('ticket-expired') })
    await settle()
    expect(call.endReason).toBe('failed')
  })

  it('brings its ticket where events were missed, and follows no server that is behind it', async () => {
    const { call, id } = await dial()
    event(1, 'call.ticket', { call: id, ticket: 't1' })
    const behind = view(id, ['alice'])
    event(2, 'call.updated', { call: { ...behind, topology: { path: 'p2p', epoch: 3 } } })
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'snapshot', calls: [behind] })
    expect(request('call.resume').data).toEqual({ ticket: 't1' })
    event(3, 'call.updated', { call: { ...behind, invites: [] } })
    expect(call.state).toBe('ringing')
    answer('call.resume', { call: behind, participant: 'p-alice' })
    await settle()
    event(4, 'call.updated', { call: { ...behind, topology: { path: 'p2p', epoch: 2 } } })
    expect(environment.link.last.requests.filter((r) => r.type === 'call.resume')).toHaveLength(1)
  })

  it('rings anew where the server has lost it before anybody answered', async () => {
    const { call, id } = await dial()
    event(1, 'call.ticket', { call: id, ticket: 't1' })
    await environment.clock.advance(1)
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'new', session: 's2' })
    request('call.resume').answer({ ok: false, error: wireError('call-not-found') })
    await settle()
    expect(request('call.start').data).toMatchObject({ call: id, users: ['bob'] })
    request('call.start').answer({ ok: false, error: wireError('user-offline') })
    await environment.clock.advance(1_000)
    answer('call.start', { call: view(id, ['alice']), participant: 'p-alice' })
    await settle()
    expect([call.state, call.endReason]).toEqual(['ringing', undefined])
  })

  it('is hung up in the next session where that was under way when the last one was lost', async () => {
    const { call, id } = await dial()
    event(1, 'call.ticket', { call: id, ticket: 't1' })
    await call.hangup()
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'new', session: 's2' })
    await settle()
    answer('call.resume', { call: view(id, ['alice']), participant: 'p-alice' })
    await settle()
    expect(request('call.hangup').data).toEqual({ call: id })
  })
})

describe('[RELOAD-4] a page that is loaded again and joins its room at once', () => {
  const seat = (participant: string) => {
    const call = view('c1', ['alice'])
    const participants = call.participants.map((one) => ({ ...one, id: participant }))
    return { call: { ...call, participants, room: 'r', answered: true }, participant }
  }

  beforeEach(() => {
    const kept = { id: 'c1', ticket: 't1', direction: 'room', audio: false, video: false }
    const page = { user: 'alice', device: 'd1', session: 's1', key: 'k', missedSeq: 0 }
    const record = JSON.stringify({ ...page, calls: [kept] })
    environment.memory.claim = () => Promise.resolve(record)
  })

  it('first takes its seat again, and has one call then', async () => {
    const resumed: Call[] = []
    client.on('resumed', (call) => resumed.push(call))
    await connect()
    const joining = client.join('r')
    await settle()
    expect(sent()).not.toContain('room.join')
    answer('call.resume', seat('fresh'))
    await settle()
    answer('room.join', seat('fresh'))
    const joined = await joining
    expect(joined.self).toBe('fresh')
    expect(resumed).toEqual([joined])
    expect(client.calls).toEqual([joined])
  })

  it('joins where its call is over', async () => {
    await connect()
    const joining = client.join('r')
    await settle()
    request('call.resume').answer({ ok: false, error: wireError('call-not-found') })
    await settle()
    request('call.resume').answer({ ok: false, error: wireError('call-not-found') })
    await settle()
    answer('room.join', seat('new'))
    expect((await joining).self).toBe('new')
  })

  it('waits no longer than the app does', async () => {
    await connect()
    const abort = new AbortController()
    const joining = client.join('r', { signal: abort.signal })
    await settle()
    abort.abort()
    await expect(joining).rejects.toMatchObject({ code: 'aborted' })
    expect(sent()).not.toContain('room.join')
  })
})

describe('an incoming call', () => {
  it('is told once, and is answered elsewhere without a word', async () => {
    await connect()
    const calls: Call[] = []
    client.on('incoming', (call) => calls.push(call))
    const incoming = { call: view('c1', ['bob']), from: 'bob', media: { audio: true, video: true } }
    event(1, 'call.incoming', incoming)
    event(2, 'call.incoming', incoming)
    expect(calls.map(({ from, state }) => [from, state])).toEqual([['bob', 'ringing']])
    event(3, 'call.ended', { call: 'c1', reason: 'answered-elsewhere' })
    expect(calls[0]?.endReason).toBe('answered-elsewhere')
  })

  it('rings on over a crash of the server, if the caller rings anew', async () => {
    await connect()
    const calls: Call[] = []
    client.on('incoming', (call) => calls.push(call))
    const incoming = { call: view('c1', ['bob']), from: 'bob', media: { audio: true, video: true } }
    event(1, 'call.incoming', incoming)
    event(2, 'call.incoming', { ...incoming, call: view('c2', ['bob']) })
    environment.link.last.listener.lost()
    await environment.clock.advance(1_000)
    welcome({ resumed: 'new', session: 's2' })
    event(1, 'call.incoming', incoming)
    await environment.clock.advance(12_000)
    expect(calls.map(({ state }) => state)).toEqual(['ringing', 'ended'])
    expect(calls[1]?.endReason).toBe('cancelled')
  })

  it('[PAYLOAD-3] shows what was said with the ring, as does one whom it is said to later', async () => {
    const { call } = await dial()
    const calls: Call[] = []
    client.on('incoming', (call) => calls.push(call))
    const incoming = { call: view('c1', ['bob']), from: 'bob', media: { audio: true, video: true } }
    // Not sealed, since this device does not encrypt: a byte 0 before it.
    event(1, 'call.incoming', { ...incoming, payload: 'AGhp' })
    event(2, 'call.incoming', { ...incoming, call: view('c2', ['bob']) })
    expect(await calls[0]?.payload()).toBe('hi')
    expect(await calls[1]?.payload()).toBeUndefined()
    void call.invite('carol', { payload: 'hi' })
    await settle()
    expect(request('call.invite').data).toMatchObject({ users: ['carol'], payload: 'AGhp' })
    void call.invite('dave')
    await settle()
    expect(request('call.invite').data).not.toHaveProperty('payload')
  })

  it('is declined by hanging up', async () => {
    await connect()
    client.on('incoming', (call) => void call.hangup())
    const media = { audio: true, video: true }
    event(1, 'call.incoming', { call: view('c1', ['bob']), from: 'bob', media })
    expect(request('call.decline').data).toEqual({ call: 'c1' })
  })
})

describe('a server that talks nonsense', () => {
  it('never makes the SDK throw', async () => {
    await connect()
    const names = [
      'presence',
      'call.updated',
      'call.incoming',
      'call.signal',
      'sfu.layer',
      'welcome',
    ]
    let seq = 0
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.anything(), (type, data) => {
        environment.link.last.listener.event({ seq: ++seq, type, data })
        environment.link.last.listener.event(data)
      }),
      { numRuns: 500 },
    )
    expect(client.connection).toBe('connected')
  })

  it('cannot disturb others by an app whose listener throws', async () => {
    await connect()
    const seen: number[] = []
    const thrown = captureUncaught()
    client.on('presence', () => {
      throw new Error('in the app')
    })
    client.on('presence', (users) => seen.push(users.length))
    event(1, 'presence', { users: [{ user: 'bob', status: 'online' }] })
    expect(seen).toEqual([1])
    expect((await thrown).message).toBe('in the app')
  })
})

async function connect(): Promise<void> {
  const connecting = client.connect()
  await settle()
  welcome({})
  await connecting
}

async function dial(): Promise<{ call: Call; id: string }> {
  await connect()
  const calling = client.call('bob')
  await settle()
  const start = request('call.start')
  const { call: id } = start.data as { call: string }
  start.answer({ ok: true, data: { call: view(id, ['alice']), participant: 'p-alice' } })
  return { call: await calling, id }
}

function request(type: string) {
  const found = environment.link.last.requests.findLast((each) => each.type === type)
  if (!found) throw new Error(`no ${type} was sent`)
  return found
}

function sent(): readonly string[] {
  return environment.link.last.requests.map(({ type }) => type)
}

function answer(type: string, data: unknown): void {
  request(type).answer({ ok: true, data })
}

function welcome(change: object): void {
  event(0, 'welcome', welcomeData(change))
}

function event(seq: number, type: string, data: unknown): void {
  environment.link.last.listener.event({ seq, type, data })
}

function view(id: string, people: readonly string[]) {
  return {
    id,
    startedBy: people[0],
    answered: false,
    participants: people.map((user) => ({
      id: `p-${user}`,
      user,
      device: 'd',
      connected: true,
      onHold: false,
      sending: { microphone: false, camera: false, screen: false },
      publications: [],
    })),
    invites: [{ user: 'bob', state: 'ringing' }],
    topology: { path: 'p2p', epoch: 0 },
  }
}

/** Takes the next uncaught error away from the test runner. */
function captureUncaught(): Promise<Error> {
  const original = globalThis.queueMicrotask
  return new Promise((resolve) => {
    globalThis.queueMicrotask = (run) => {
      globalThis.queueMicrotask = original
      try {
        run()
      } catch (error) {
        resolve(error as Error)
      }
    }
  })
}
