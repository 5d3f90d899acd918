import { wireError } from '@parley/protocol'
import type { CallId } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { CallError } from './errors.ts'
import { Signaling } from './signaling.ts'
import { countingRandom, FakeLink, ManualClock, settle, welcomeData } from './testing.ts'

let clock: ManualClock
let link: FakeLink
let tokens: number
let signaling: Signaling

beforeEach(() => {
  clock = new ManualClock()
  link = new FakeLink()
  tokens = 0
  signaling = new Signaling({
    clock,
    link,
    random: countingRandom(),
    url: 'http://example.org',
    device: 'd1',
    recall: () => Promise.resolve(undefined),
    token: () => `token-${++tokens}`,
  })
})

describe('signaling', () => {
  it('introduces itself with version, token and device', async () => {
    await connect()
    expect(link.last.auth).toEqual({ protocol: 1, token: 'token-1', device: 'd1' })
    expect(signaling.state).toBe('connected')
  })

  it('answers a request with its data, or rejects with a typed error', async () => {
    await connect()
    const good = signaling.request('presence.subscribe', {})
    const bad = signaling.request('presence.subscribe', {})
    link.last.requests[0]?.answer({ ok: true, data: { users: [], refused: [] } })
    link.last.requests[1]?.answer({ ok: false, error: wireError('rate-limited') })
    await expect(good).resolves.toEqual({ users: [], refused: [] })
    await expect(bad).rejects.toMatchObject({ code: 'rate-limited', retryable: true })
  })

  it('refuses an answer that is malformed', async () => {
    await connect()
    const request = signaling.request('presence.subscribe', {})
    link.last.requests[0]?.answer({ ok: true, data: 'nonsense' })
    await expect(request).rejects.toMatchObject({ code: 'bad-answer' })
  })

  it('asks for its session with a fresh token after a loss, and repeats what was not answered', async () => {
    await connect()
    const request = signaling.request('presence.subscribe', {})
    event(1, 'sfu.speaker', { call: 'c', participant: null })
    link.last.listener.lost()
    expect(signaling.state).toBe('reconnecting')
    await clock.advance(1_000)
    expect(link.last.auth).toMatchObject({
      token: 'token-2',
      resume: { session: 's1', key: 'k', lastSeq: 1 },
    })
    welcome('replayed')
    const [first, second] = link.connections.map(({ requests }) => requests[0])
    expect(second).toMatchObject({ id: first?.id, type: 'presence.subscribe' })
    second?.answer({ ok: true, data: { users: [], refused: [] } })
    await expect(request).resolves.toEqual({ users: [], refused: [] })
  })

  it('hands each event on once, though a replay repeats it', async () => {
    await connect()
    const seen: string[] = []
    signaling.on('event', ({ type }) => seen.push(type))
    for (const seq of [1, 1, 2, 1, 2, 3])
      event(seq, 'sfu.speaker', { call: 'c', participant: null })
    expect(seen).toHaveLength(3)
  })

  it('fails requests of a session that is over, and sends those that begin one', async () => {
    await connect()
    const lost = signaling.request('call.hangup', { call: 'c' as CallId })
    const kept = signaling.request('presence.subscribe', {})
    link.last.listener.lost()
    const later = signaling.request('ice.get', {})
    const [first] = link.last.requests.filter(({ type }) => type === 'presence.subscribe')
    await clock.advance(1_000)
    welcome('new')
    await expect(lost).rejects.toMatchObject({ code: 'session-gone' })
    expect(link.last.requests.map(({ type }) => type)).toEqual(['presence.subscribe', 'ice.get'])
    expect(link.last.requests[0]?.id).toBe(first?.id)
    link.last.requests[0]?.answer({ ok: true, data: { users: [], refused: [] } })
    link.last.requests[1]?.answer({ ok: true, data: { iceServers: [], expiresAt: 1 } })
    await expect(kept).resolves.toMatchObject({ users: [], refused: [] })
    await expect(later).resolves.toMatchObject({ iceServers: [] })
  })

  it('gives up a request that nobody answers', async () => {
    await connect()
    const request = signaling.request('ice.get', {})
    const outcome = expect(request).rejects.toMatchObject({ code: 'timeout' })
    await clock.advance(20_000)
    await outcome
  })

  it('stops waiting when the app aborts', async () => {
    await connect()
    const abort = new AbortController()
    const request = signaling.request('ice.get', {}, { signal: abort.signal })
    const reason = new Error('changed my mind')
    abort.abort(reason)
    await expect(request).rejects.toMatchObject({ code: 'aborted', cause: reason })
  })

  it('stops for good where the token is refused, and says why', async () => {
    const errors: CallError[] = []
    signaling.on('failed', (error) => errors.push(error))
    signaling.connect()
    await settle()
    link.last.listener.refused(wireError('unauthorized'))
    expect(signaling.state).toBe('closed')
    expect(errors.map(({ code }) => code)).toEqual(['unauthorized'])
    await clock.advance(100_000)
    expect(link.connections).toHaveLength(1)
  })

  it('goes on with a fresh token before the present one ends', async () => {
    const heard: unknown[] = []
    await connect()
    signaling.on('grants', ({ publish }) => heard.push(publish))
    event(1, 'session.expiring', { expiresAt: 60_000 })
    await settle()
    const [refresh] = link.last.requests
    expect(refresh).toMatchObject({ type: 'session.refresh', data: { token: 'token-2' } })
    const grants = {
      ring: true,
      rooms: [],
      publish: [],
      moderate: [],
      host: false,
      presence: ['*'],
    }
    refresh?.answer({ ok: true, data: { grants, expiresAt: 9e5 } })
    await settle()
    expect(heard).toEqual([[]])
    expect(link.connections).toHaveLength(1)
  })

  it('stays away where the app has withdrawn its tokens', async () => {
    await connect()
    event(1, 'session.closed', { code: 'revoked' })
    expect(signaling.failure).toBe('revoked')
    await clock.advance(100_000)
    expect(link.connections).toHaveLength(1)
  })

  it('tries again when the token provider fails', async () => {
    let fails = true
    signaling = new Signaling({
      clock,
      link,
      random: countingRandom(),
      url: 'http://example.org',
      recall: () => Promise.resolve(undefined),
      device: undefined,
      token: () => (fails ? Promise.reject(new Error('offline')) : 'token'),
    })
    signaling.connect()
    await settle()
    expect(link.connections).toHaveLength(0)
    fails = false
    await clock.advance(1_000)
    expect(link.connections).toHaveLength(1)
  })

  it('takes no word of an earlier connection for one of the present', async () => {
    await connect()
    const { listener } = link.last
    listener.lost()
    await clock.advance(1_000)
    welcome('replayed')
    listener.lost()
    expect(signaling.state).toBe('connected')
  })

  it('hears nothing any more of a connection that it has closed', async () => {
    await connect()
    const { listener } = link.last
    signaling.close()
    expect(link.last.closed).toBe(true)
    listener.lost()
    listener.event({ seq: 1, type: 'presence', data: { users: [], refused: [] } })
    expect(signaling.state).toBe('closed')
    await expect(signaling.request('ice.get', {})).rejects.toBeInstanceOf(CallError)
  })
})

async function connect(): Promise<void> {
  signaling.connect()
  await settle()
  welcome('new')
}

function welcome(resumed: string): void {
  event(0, 'welcome', welcomeData({ resumed }))
}

function event(seq: number, type: string, data: unknown): void {
  link.last.listener.event({ seq, type, data })
}
