import type { ParticipantId } from '@parley/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { HostileServer } from '../../endurance/hostile-server.ts'
import type { Person } from '../../endurance/hostile-server.ts'
import { until } from '../../endurance/patience.ts'
import { ManualClock } from '../testing.ts'
import type { SealedMessage } from './group-session.ts'
import { memoryIdentityStore } from './identity/identity.ts'
import { fromText } from './octets.ts'
import { SealedTalk } from './sealed-talk.ts'
import type { Said, Saying } from './sealed-talk.ts'

const servers: HostileServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

describe('what is said in a call', () => {
  test('[TALK-1] is read by its members, in order, and by nobody between them', async () => {
    const [alice, bob] = await pair()
    const heard = hears(bob)
    const secret = 'meet me at nine, and bring the blue folder'
    const sent = [
      await alice.encryption.seal(text(secret), undefined),
      await alice.encryption.seal({ kind: 'message', data: Uint8Array.of(0, 255, 1) }, undefined),
      await alice.encryption.seal({ kind: 'reaction', data: '👏' }, undefined),
    ]
    for (const one of sent) {
      bob.encryption.take(alice.id, one)
      const bytes = new TextDecoder('latin1').decode(fromText(one.sealed))
      for (const word of ['nine', 'folder', '👏']) expect(bytes).not.toContain(word)
    }
    await until(() => heard.length === 3)
    const from = alice.id
    expect(heard).toEqual([
      { saying: text(secret), from, direct: false },
      { saying: { kind: 'message', data: Uint8Array.of(0, 255, 1) }, from, direct: false },
      { saying: { kind: 'reaction', data: '👏' }, from, direct: false },
    ])
    expect([...alice.alarms, ...bob.alarms]).toEqual([])
  })

  test('[TALK-2] to one of them is told to nobody else, though the server gives it to all', async () => {
    const [alice, bob, server] = await pair()
    const carol = await server.seat('carol')
    await agreed(alice, bob, carol)
    const [bobs, carols] = [hears(bob), hears(carol)]
    const sealed = await alice.encryption.seal(text('for your eyes only'), bob.id)
    for (const one of [bob, carol]) one.encryption.take(alice.id, sealed)
    await until(() => bobs.length === 1 && carol.alarms.length === 1)
    expect(bobs).toMatchObject([{ direct: true }])
    expect(carols).toEqual([])
    expect(carol.alarms).toMatchObject([{ kind: 'bad-message', participant: alice.id }])
  })

  test('[TALK-3] is told once, as it was said, and by whom', async () => {
    const [alice, bob, server] = await pair()
    const carol = await server.seat('carol')
    await agreed(alice, bob, carol)
    const heard = hears(bob)
    const sealed = await alice.encryption.seal(text('once'), undefined)
    bob.encryption.take(alice.id, sealed)
    await until(() => heard.length === 1)
    bob.encryption.take(alice.id, sealed)
    await until(() => bob.alarms.length === 1)
    const other = await alice.encryption.seal(text('mine'), undefined)
    // In somebody else's name.
    bob.encryption.take(carol.id, other)
    await until(() => bob.alarms.length === 2)
    const third = await alice.encryption.seal(text('whole'), undefined)
    bob.encryption.take(alice.id, damaged(third))
    await until(() => bob.alarms.length === 3)
    expect(bob.alarms.map(({ kind }) => kind)).toEqual(Array(3).fill('bad-message'))
    expect(heard).toHaveLength(1)
  })

  test('[TALK-4] at the epoch before is still read; what was said before somebody came is not', async () => {
    const [alice, bob, server] = await pair()
    const early = await alice.encryption.seal(text('before carol'), undefined)
    const late = await alice.encryption.seal(text('on its way'), undefined)
    const carol = await server.seat('carol')
    await agreed(alice, bob, carol)
    const [bobs, carols] = [hears(bob), hears(carol)]
    const now = await alice.encryption.seal(text('now'), undefined)
    for (const one of [early, late, now]) {
      for (const person of [bob, carol]) person.encryption.take(alice.id, one)
    }
    await until(() => bobs.length === 3 && carols.length === 1)
    expect(bobs.map(({ saying }) => saying.data)).toEqual(['before carol', 'on its way', 'now'])
    expect(carols.map(({ saying }) => saying.data)).toEqual(['now'])
    expect(carol.alarms).toEqual([])
  })

  test('[TALK-5] waits until all who have the keys are trusted', async () => {
    const store = memoryIdentityStore()
    const before = serve()
    const met = [await before.seat('alice', { store }), await before.seat('bob')] as const
    await agreed(...met)
    const server = serve()
    for (const [user, entries] of before.lists) server.lists.set(user, entries)
    const alice = await server.seat('alice', { store })
    await until(() => alice.keys() !== undefined)
    const impostor = await server.seat('bob')
    await until(() => alice.alarms.length > 0 && (impostor.keys()?.epoch ?? 0) > 0)
    const heard = hears(impostor)
    const said: SealedMessage[] = []
    const saying = alice.encryption.seal(text('are you bob?'), undefined)
    void saying.then((sealed) => said.push(sealed))
    const fromHim = await impostor.encryption.seal(text('of course'), undefined)
    const alices = hears(alice)
    alice.encryption.take(impostor.id, fromHim)
    // Meanwhile another thing is sealed and opened: what is waited for is not only slow.
    await impostor.encryption.seal(text('well?'), undefined)
    expect([said, alices]).toEqual([[], []])
    await alice.encryption.accept(impostor.id)
    impostor.encryption.take(alice.id, await saying)
    await until(() => heard.length === 1 && alices.length === 1)
  })
})

describe('talk', () => {
  test('[TALK-4] of an epoch that ended more than ten seconds ago is not told', async () => {
    const { clock, reader, write, told } = talk()
    const [first, second] = [write('one'), write('two')]
    reader.moved(2)
    await clock.advance(10_000)
    expect(reader.take(first, SENDER)).toBe(true)
    await clock.advance(1)
    expect(reader.take(second, SENDER)).toBe(true)
    expect(told.map(({ saying }) => saying.data)).toEqual(['one'])
  })

  test('[TALK-3] is told in the order in which it was said, and nothing twice', () => {
    const { reader, write, told, alarms } = talk()
    const [first, second, third] = [write('one'), write('two'), write('three')]
    for (const one of [first, third, second, first, third]) reader.take(one, SENDER)
    expect(told.map(({ saying }) => saying.data)).toEqual(['one', 'three'])
    expect(alarms).toHaveLength(3)
  })

  test('is not taken for what it is not', () => {
    const { reader, told, alarms } = talk()
    expect(reader.take(new TextEncoder().encode('ready 17'), SENDER)).toBe(false)
    expect(reader.take(new Uint8Array(), SENDER)).toBe(false)
    expect([told, alarms]).toEqual([[], []])
  })
})

const SENDER = 'p-sender' as ParticipantId
const READER = 'p-reader' as ParticipantId

/** One who writes at epoch 1, and one who reads. */
function talk() {
  const clock = new ManualClock()
  const told: Said[] = []
  const alarms: string[] = []
  const ports = {
    clock,
    isTrusted: () => true,
    tell: (said: Said) => told.push(said),
    alarm: (_who: ParticipantId, detail: string) => alarms.push(detail),
  }
  const writer = new SealedTalk({ ...ports, self: SENDER })
  const reader = new SealedTalk({ ...ports, self: READER })
  reader.moved(1)
  const write = (data: string) => writer.write(text(data), undefined, 1)
  return { clock, reader, write, told, alarms }
}

function text(data: string): Saying {
  return { kind: 'message', data }
}

function serve(): HostileServer {
  const server = new HostileServer()
  servers.push(server)
  return server
}

async function pair(): Promise<readonly [Person, Person, HostileServer]> {
  const server = serve()
  const people = [await server.seat('alice'), await server.seat('bob')] as const
  await agreed(...people)
  return [...people, server]
}

/** Waits until all use the same keys. */
function agreed(...people: readonly Person[]): Promise<void> {
  return until(() => {
    const all = people.map(({ keys }) => keys()?.base)
    return all[0] !== undefined && new Set(all).size === 1
  })
}

function hears({ encryption }: Person): readonly Said[] {
  const heard: Said[] = []
  encryption.on('said', (said) => heard.push(said))
  return heard
}

function damaged({ sealed, generation }: SealedMessage): SealedMessage {
  const at = sealed.length - 5
  const other = sealed[at] === 'A' ? 'B' : 'A'
  return { sealed: `${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`, generation }
}
