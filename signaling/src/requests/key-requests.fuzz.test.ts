import type { AnswerFrame, ClientRequestResult } from '@parley/protocol'
import { clientRequests, errorCodes, limits, serverEvents } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testHub, TestPerson } from '../testing-hub.ts'
import { ManualEnvironment } from '../testing.ts'

const MEDIA = { audio: true, video: true }
const TYPES = Object.keys(clientRequests).filter((type) => /^(mls|devices)\./.test(type))

/** Bytes as they should be, as they should not be, and one too many of them. */
function bytesOf(mostCharacters: number): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/) },
    { weight: 1, arbitrary: fc.constant('A'.repeat(mostCharacters)) },
    { weight: 1, arbitrary: fc.constant('A'.repeat(mostCharacters + 1)) },
    { weight: 2, arbitrary: fc.constantFrom('', '=', 'a b', 'ä', '\0', null, 7, [], {}) },
  )
}

const count = fc.oneof(
  { weight: 6, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 53, 2 ** 64, 1e300) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null),
  },
)
const sealed = bytesOf(limits.mlsMessageLength)
const listEntry = bytesOf(limits.deviceEntryLength)

/** What somebody sends who knows the protocol and keeps none of it. */
const data = fc.record(
  {
    call: fc.constantFrom('standup', 'standup', 'standup', 'nowhere', '', '__proto__', null),
    generation: count,
    epoch: count,
    since: count,
    keyPackage: sealed,
    groupInfo: sealed,
    commit: sealed,
    welcome: fc.option(sealed, { nil: undefined }),
    added: fc.array(fc.constantFrom('p', 'alice', '', null), { maxLength: 60 }),
    message: sealed,
    user: fc.constantFrom('alice', 'mallory', 'nobody', '', '__proto__', null),
    length: count,
    entries: fc.array(listEntry, { maxLength: 70 }),
    card: listEntry,
  },
  { requiredKeys: ['call'] },
)

const request = fc.record({
  /** With a seat in the call, or without. */
  inside: fc.boolean(),
  type: fc.constantFrom(...TYPES),
  data: fc.oneof({ weight: 9, arbitrary: data }, { weight: 1, arbitrary: fc.anything() }),
})

test('requests about keys of any shape, size and order get answers, and harm nobody else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
      const { env, connect, ask } = stage()
      const [alice, bob, mallory] = ['alice', 'bob', 'mallory'].map((name) => connect(name))
      const stranger = connect('stranger')
      if (!alice || !bob || !mallory) throw new Error('nobody came')
      for (const person of [alice, bob, mallory]) {
        await ask(person, 'room.join', { room: 'standup', media: MEDIA, topology: 'auto' })
      }
      const call = callOf(alice)
      await ask(alice, 'devices.append', { length: 0, entries: ['QWxpY2U'] })
      await ask(alice, 'mls.create', { call, generation: 0, epoch: 0, groupInfo: 'AAAA' })
      for (const one of requests) {
        env.advance(2_000)
        const aimed = aim(one.data, call)
        const answer = await ask(one.inside ? mallory : stranger, one.type, aimed)
        expect(isProper(one.type, answer)).toBe(true)
        if (!one.inside && one.type.startsWith('mls.')) expect(answer.ok).toBe(false)
      }
      env.advance(60_000)
      const fetched = await ask(alice, 'mls.fetch', { call, since: 0 })
      expectBounded(resultOf<'mls.fetch'>(fetched))
      const { generation } = resultOf<'mls.fetch'>(fetched)
      const sent = await ask(bob, 'mls.message', { call, generation, message: 'SGVsbG8' })
      expect(sent).toMatchObject({ ok: true })
      expect(alice.socket.heard('mls.message').at(-1)).toMatchObject({ message: 'SGVsbG8' })
      // What the others were told is what their SDK takes, and the list is as its owner made it.
      for (const { socket } of [alice, bob]) {
        for (const { type, data: told } of socket.frames) {
          expect(serverEvents[type as keyof typeof serverEvents].safeParse(told).success).toBe(true)
        }
      }
      const own = await ask(bob, 'devices.get', { user: 'alice' })
      expect(own).toMatchObject({ data: { entries: ['QWxpY2U'] } })
      const theirs = resultOf<'devices.get'>(await ask(bob, 'devices.get', { user: 'mallory' }))
      expect(theirs.entries.length).toBeLessThanOrEqual(limits.deviceEntries)
      expect(theirs.cards.length).toBeLessThanOrEqual(limits.deviceCards)
    }),
    { numRuns: 60 },
  )
})

test('a welcome goes once to each whom a commit adds, however often it names him', async () => {
  const { connect, ask } = stage()
  const [alice, bob] = ['alice', 'bob'].map((name) => connect(name))
  if (!alice || !bob) throw new Error('nobody came')
  for (const person of [alice, bob]) {
    await ask(person, 'room.join', { room: 'standup', media: MEDIA, topology: 'auto' })
  }
  const call = callOf(alice)
  await ask(alice, 'mls.create', { call, generation: 0, epoch: 0, groupInfo: 'AAAA' })
  const added = Array.from({ length: 50 }, () => seatOf(bob))
  const commit = { generation: 0, epoch: 0, commit: 'AAAA', groupInfo: 'AAAA', welcome: 'AAAA' }
  expect(await ask(alice, 'mls.commit', { call, ...commit, added })).toMatchObject({ ok: true })
  expect(bob.socket.heard('mls.welcome')).toHaveLength(1)
})

test('an epoch and a generation that nothing could follow on are refused', async () => {
  const { connect, ask } = stage()
  const alice = connect('alice')
  await ask(alice, 'room.join', { room: 'standup', media: MEDIA, topology: 'auto' })
  const [call, last] = [callOf(alice), Number.MAX_SAFE_INTEGER]
  const group = { call, generation: 0, epoch: 0, groupInfo: 'AAAA' }
  const refused = (field: string) => ({ ok: false, error: { code: 'bad-request', field } })
  expect(await ask(alice, 'mls.create', { ...group, epoch: last })).toMatchObject(
    refused('data.epoch'),
  )
  expect(await ask(alice, 'mls.create', { ...group, generation: last })).toMatchObject(
    refused('data.generation'),
  )
  expect(await ask(alice, 'mls.reset', { call, generation: last })).toMatchObject(
    refused('data.generation'),
  )
})

function stage() {
  const env = new ManualEnvironment()
  const hub = testHub({ env })
  const connect = (user: string) => new TestPerson(hub, { user, device: 'only' })
  const ask = (person: TestPerson, type: string, sent: unknown) => person.ask(type, sent)
  return { env, connect, ask }
}

function callOf(person: TestPerson): string {
  return person.view()?.id ?? ''
}

function seatOf(person: TestPerson): string {
  return person.view()?.participants.find(({ user }) => user === 'bob')?.id ?? ''
}

/** Puts the call's real name where the request means it. */
function aim(sent: unknown, call: string): unknown {
  const isAimed = typeof sent === 'object' && sent !== null && 'call' in sent
  return isAimed && sent.call === 'standup' ? { ...sent, call } : sent
}

/** Whether an answer is of its type, or an error that is documented. */
function isProper(type: string, answer: AnswerFrame): boolean {
  if (!answer.ok) return answer.error.code in errorCodes && answer.error.code !== 'internal'
  return clientRequests[type as keyof typeof clientRequests].result.safeParse(answer.data).success
}

function resultOf<T extends keyof typeof clientRequests>(answer: AnswerFrame) {
  if (!answer.ok) throw new Error(answer.error.code)
  return answer.data as ClientRequestResult<T>
}

function expectBounded({ commits, waiting }: ClientRequestResult<'mls.fetch'>): void {
  const characters = commits.reduce((sum, { commit }) => sum + commit.length, 0)
  expect(commits.length).toBeLessThanOrEqual(limits.mlsCommits)
  expect(characters).toBeLessThanOrEqual(limits.mlsCommitsLength)
  expect(waiting.length).toBeLessThanOrEqual(limits.participantsPerCall)
}
