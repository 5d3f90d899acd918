import type { AnswerFrame, UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import { Secret } from '@parley/service'
import { SignJWT } from 'jose'
import { beforeEach, describe, expect, test } from 'vitest'
import { secretVerifier } from './auth/tokens.ts'
import type { ResumeRequest } from './directory.ts'
import type { Hub } from './hub.ts'
import { testHub, TestPerson } from './testing-hub.ts'
import { FakeSfuNode, ManualEnvironment } from './testing.ts'

const SECRET = 'a secret that only these tests know'
const OLDER_SECRET = 'the secret that was used before it'
const MEDIA = { audio: true, video: true }
const MINUTE = 60_000

let env: ManualEnvironment
let node: FakeSfuNode
let hub: Hub

beforeEach(() => {
  env = new ManualEnvironment()
  // Tokens are verified against the real clock.
  env.advance(Math.floor(Date.now() / 1_000) * 1_000 - env.now())
  node = new FakeSfuNode()
  const verifier = secretVerifier([new Secret(SECRET), new Secret(OLDER_SECRET)])
  hub = testHub({ env, node, verifier })
})

describe('a token', () => {
  test('[AUTH-5] signed with an older secret of the list is good until that is taken away', async () => {
    const token = await mint('alice', { secret: OLDER_SECRET })
    expect(await hub.admit(token)).toMatchObject({ ok: true, data: { user: 'alice' } })
    const other = await mint('alice', { secret: 'a secret of somebody else entirely' })
    expect(await hub.admit(other)).toMatchObject({ error: { code: 'unauthorized' } })
  })

  test('[GRANT-1] says what its bearer may do', async () => {
    const alice = await connect('alice', { grants: { ring: false, rooms: ['team-*'] } })
    await connect('bob')
    expect(alice.welcome()).toMatchObject({ grants: { ring: false, presence: ['*'] } })
    const call = { call: 'c1', users: ['bob'], media: MEDIA }
    expect(await alice.ask('call.start', call)).toMatchObject({ error: { code: 'not-permitted' } })
    expect(await alice.join('lobby')).toMatchObject({ error: { code: 'not-permitted' } })
    expect(await alice.join('team-red')).toMatchObject({ ok: true })
  })

  test('[GRANT-4] that lets its bearer send only some media keeps him from the direct path', async () => {
    const alice = await connect('alice')
    const bob = await connect('bob', { grants: { publish: ['audio'] } })
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    const media = { audio: true, video: false }
    const answer = await bob.ask('call.accept', { call: 'c1', media })
    expect(answer).toMatchObject({ data: { call: { topology: { next: { path: 'sfu' } } } } })
  })
})

describe('expiry', () => {
  test('[AUTH-6] is told a minute before, and then closes the connection', async () => {
    const alice = await connect('alice', { expiresIn: '10 minutes' })
    env.advance(9 * MINUTE)
    expect(alice.socket.heard('session.expiring')).toEqual([])
    env.advance(10_000)
    expect(alice.socket.heard('session.expiring')).toHaveLength(1)
    expect(alice.socket.closed).toBe(false)
    env.advance(MINUTE)
    expect(alice.socket.heard('session.closed')).toEqual([{ code: 'token-expired' }])
    expect(alice.socket.closed).toBe(true)
  })

  test('[AUTH-6] leaves the session to who comes back with a fresh token in time', async () => {
    const alice = await connect('alice', { expiresIn: '10 minutes' })
    const bob = await connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    env.advance(11 * MINUTE)
    hub.disconnected(alice.session, alice.socket, false)
    const { session, resumeKey } = alice.welcome()
    const lastSeq = alice.socket.frames.at(-1)?.seq ?? 0
    const back = await connect('alice', {}, { session, key: resumeKey, lastSeq })
    expect(back.welcome()).toMatchObject({ resumed: 'replayed' })
    env.advance(limits.sessionGraceMs)
    expect(hub.stats().calls).toBe(1)
  })

  test('[AUTH-7] a refresh over the live connection moves it', async () => {
    const alice = await connect('alice', { expiresIn: '10 minutes' })
    env.advance(9 * MINUTE + 30_000)
    const token = await mint('alice', { expiresIn: '1 hour' })
    expect(await alice.ask('session.refresh', { token })).toMatchObject({
      ok: true,
      data: { grants: { ring: true } },
    })
    env.advance(10 * MINUTE)
    expect(alice.socket.closed).toBe(false)
    expect(alice.socket.heard('session.closed')).toEqual([])
  })
})

describe('a refresh', () => {
  test.each([
    ['another user', 'mallory', {}, 'unauthorized'],
    ['another device', 'alice', { device: 'phone' }, 'unauthorized'],
    ['another key', 'alice', { secret: 'a secret of somebody else entirely' }, 'unauthorized'],
    ['the past', 'alice', { expiresIn: '1 hour ago' }, 'token-expired'],
  ])('[AUTH-7] with a token of %s changes nothing', async (_, user, change, code) => {
    const alice = await connect('alice')
    const token = await mint(user, change)
    const answer = await alice.ask('session.refresh', { token })
    expect(answer).toMatchObject({ ok: false, error: { code } })
    expect(await alice.join('r')).toMatchObject({ ok: true })
  })

  test('[GRANT-5] that takes a right away stops at once what it allowed', async () => {
    const alice = await connect('alice')
    const bob = await connect('bob')
    await alice.join('r')
    await bob.join('r')
    node.takesProducers = true
    const { id, participant } = alice.seat()
    const produce = { call: id, transport: 't', rtpParameters: {}, paused: false }
    await alice.ask('call.escalate', { call: id })
    await alice.ask('sfu.produce', { ...produce, epoch: 1, source: 'camera' })
    await alice.ask('sfu.produce', { ...produce, epoch: 1, source: 'microphone' })
    const token = await mint('alice', { grants: { publish: ['audio'] } })
    await alice.ask('session.refresh', { token })
    expect(node.orders.filter(({ type }) => type === 'producer.close')).toMatchObject([
      { data: { peer: participant, producer: 'producer-1' } },
    ])
    expect(alice.socket.heard('call.muted')).toMatchObject([
      { sources: ['camera'], reason: 'grants' },
    ])
    expect(bob.seats()).toMatchObject([
      { publications: [{ source: 'microphone' }], sending: { microphone: true, camera: false } },
      {},
    ])
    const again = await alice.ask('sfu.produce', { ...produce, epoch: 1, source: 'camera' })
    expect(again).toMatchObject({ error: { code: 'not-permitted' } })
  })

  test('[PRESENCE-3] that names fewer people lets one hear of those alone', async () => {
    const alice = await connect('alice')
    const bob = await connect('bob', { grants: { presence: ['alice'] } })
    await alice.ask('presence.subscribe', {})
    await bob.ask('presence.subscribe', { users: ['alice'] })
    const [fewer, none] = [['car*'], []]
    const tokens = [
      await mint('alice', { grants: { presence: fewer } }),
      await mint('bob', { grants: { presence: none } }),
    ]
    await alice.ask('session.refresh', { token: tokens[0] })
    await bob.ask('session.refresh', { token: tokens[1] })
    await connect('carol')
    await connect('dave')
    await alice.ask('presence.set', { status: 'away' })
    env.advance(limits.presenceTickMs)
    expect(alice.socket.heard('presence')).toEqual([
      { users: [{ user: 'carol', status: 'online' }] },
    ])
    expect(bob.socket.heard('presence')).toEqual([])
    expect(await bob.ask('presence.subscribe', { users: ['alice'] })).toMatchObject({
      error: { code: 'not-permitted' },
    })
  })

  test('[GRANT-5] that takes the room away ends it there', async () => {
    const alice = await connect('alice')
    await alice.join('r')
    const token = await mint('alice', { grants: { rooms: ['other'] } })
    await alice.ask('session.refresh', { token })
    expect(alice.socket.heard('call.ended')).toMatchObject([{ reason: 'removed' }])
  })
})

describe('revocation', () => {
  test('[REVOKE-1] of a user ends all his sessions, and refuses the tokens that he had', async () => {
    const phone = await connect('alice', { device: 'phone' })
    const laptop = await connect('alice', { device: 'laptop' })
    const bob = await connect('bob')
    const old = await mint('alice', { issuedAt: -60 })
    expect(hub.revoke({ user: 'alice' as UserId })).toBe(2)
    for (const { socket } of [phone, laptop]) {
      expect(socket.heard('session.closed')).toEqual([{ code: 'revoked' }])
      expect(socket.closed).toBe(true)
    }
    expect(bob.socket.closed).toBe(false)
    expect(await hub.admit(old)).toMatchObject({ error: { code: 'revoked', retryable: false } })
    expect(await hub.admit(await mint('alice', { issuedAt: 60 }))).toMatchObject({ ok: true })
  })

  test('[REVOKE-2] of a token ends its session and its call as removed from there', async () => {
    const alice = await connect('alice', { tokenId: 'one' })
    const bob = await connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    expect(hub.revoke({ tokenId: 'one' })).toBe(1)
    expect(hub.stats().calls).toBe(0)
    const token = await mint('alice', { tokenId: 'one' })
    expect(await bob.ask('session.refresh', { token })).toMatchObject({
      error: { code: 'revoked' },
    })
  })
})

interface TokenOptions {
  readonly grants?: object
  readonly secret?: string
  readonly expiresIn?: string
  readonly device?: string
  readonly tokenId?: string
  /** Seconds from now. */
  readonly issuedAt?: number
}

function mint(user: string, options: TokenOptions = {}): Promise<string> {
  const { grants, secret = SECRET, expiresIn = '1 hour', device, tokenId, issuedAt = 0 } = options
  const jwt = new SignJWT({ ...(grants && { grants }), ...(device && { device }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt(Math.floor(Date.now() / 1_000) + issuedAt)
    .setExpirationTime(expiresIn)
  if (tokenId !== undefined) jwt.setJti(tokenId)
  return jwt.sign(new TextEncoder().encode(secret))
}

async function connect(
  user: string,
  options: TokenOptions = {},
  resume?: ResumeRequest,
): Promise<Person> {
  const claims = await hub.admit(await mint(user, options))
  if (!claims.ok) throw new Error(claims.error.message)
  const { pass } = claims.data
  return new Person(hub, { user, device: options.device ?? 'laptop', pass }, resume)
}

class Person extends TestPerson {
  join(room: string): Promise<AnswerFrame> {
    return this.ask('room.join', { room, media: MEDIA, topology: 'auto' })
  }

  seats() {
    return this.view()?.participants
  }

  seat() {
    return { id: this.view()?.id, participant: this.seats()?.[0]?.id ?? '' }
  }
}
