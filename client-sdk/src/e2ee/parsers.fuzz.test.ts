import type { CallId, DeviceId, ParticipantId, ServerEvent, UserId } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CALL, CallRoom } from '../../endurance/call-room.ts'
import { agreementOf, change, founder } from '../../endurance/group-walk.ts'
import { checkCredential, readCredential } from './credential.ts'
import { GroupError } from './group-key-agreement.ts'
import { deviceKeyOf, generateDeviceKeyPair } from './identity/device-key.ts'
import { readCard } from './identity/device-card.ts'
import { readDeviceList, signEntry } from './identity/device-list.ts'
import { toText } from './octets.ts'
import { PeerBinding } from './peer-binding.ts'

/** What becomes of sound bytes on their way through somebody's hands. */
type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'stretch'; readonly at: number; readonly by: Uint8Array }
  | { readonly kind: 'replace'; readonly by: Uint8Array }

const place = fc.noBias(fc.nat(100_000))
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('flip'), at: place, bit: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut'), at: place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stretch'),
      at: place,
      by: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace'), by: fc.uint8Array() }) },
)

test('whatever comes in place of a group’s messages is refused in so many words, and changes nothing', async () => {
  const alice = await founder('alice')
  const [, bob] = await change([alice], alice, { come: ['bob'] })
  const carol = await agreementOf('carol')
  const offer = await carol.offer()
  if (!bob) throw new Error('nobody came')
  const added = await alice.group.prepare({ add: [offer], remove: [] })
  const { sealed } = await alice.group.seal(new Uint8Array([1, 2, 3]))
  const before = toText(bob.group.authenticator)
  const { commit, welcome, groupInfo } = added
  if (!welcome) throw new Error('no welcome')
  const readers: readonly (readonly [Uint8Array, (bytes: Uint8Array) => Promise<unknown>])[] = [
    [commit, (bytes) => bob.group.process(bytes)],
    [sealed, (bytes) => bob.group.open(bytes)],
    [welcome, (bytes) => carol.enter(bytes, groupInfo)],
    [groupInfo, async (bytes) => (await agreementOf('dave')).enterUninvited(bytes)],
    [offer, (bytes) => bob.group.prepare({ add: [bytes], remove: [] })],
  ]
  await fc.assert(
    fc.asyncProperty(fc.nat(readers.length - 1), damage, async (reader, how) => {
      const [sound, read] = readers[reader] ?? []
      if (!sound || !read) throw new Error('no reader')
      const bytes = damaged(sound, how)
      if (toText(bytes) === toText(sound)) return
      await expect(read(bytes)).rejects.toThrow(GroupError)
      expect(toText(bob.group.authenticator)).toBe(before)
    }),
    { numRuns: 250 },
  )
  // All of them were sound before.
  await Promise.all(readers.map(([sound, read]) => read(sound)))
})

test('a group goes on after events of any content, out of any order', async () => {
  const room = new CallRoom()
  const alice = await room.enter('alice')
  await room.enter('bob')
  await room.settled()
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }).map(toText), fc.string({ maxLength: 20 }))
  const epoch = fc.oneof(fc.nat(4), fc.constant(Number.MAX_SAFE_INTEGER))
  const from = fc.constantFrom('p-1', 'p-2', 'p-9').map((id) => id as ParticipantId)
  const generation = fc.nat(0)
  const call = fc.constant(CALL)
  const event = fc.oneof(
    eventOf('mls.waiting', { call, participant: from, keyPackage: bytes }),
    eventOf('mls.created', { call, generation, epoch, from }),
    eventOf('mls.commit', { call, generation, epoch, from, commit: bytes }),
    eventOf('mls.welcome', { call, generation, epoch, welcome: bytes, groupInfo: bytes }),
    eventOf('mls.message', { call, generation, from, message: bytes }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
      for (const one of events) alice.session.handle(one)
      await room.settled()
    }),
    { numRuns: 12 },
  )
  const carol = await room.enter('carol')
  await room.settled()
  expect(alice.session.group?.members).toHaveLength(3)
  for (const { session } of [alice, carol, ...room.guests.values()]) session.close()
})

test('a device list that was touched anywhere is forged, or is one that its owner made', async () => {
  const [first, second, third] = await Promise.all([newKey(), newKey(), newKey()])
  const entries: Uint8Array[] = []
  for (const [what, key] of [
    ['add', first],
    ['add', second],
    ['remove', second],
    ['add', third],
  ] as const) {
    const list = await readDeviceList('alice', entries)
    if (list === 'forged') throw new Error(list)
    const at = { list: list === 'empty' ? undefined : list, user: 'alice', nowMs: 1 }
    entries.push(await signEntry(first, what, key.publicKey, at))
  }
  const heads = await headsOf(entries)
  expect(heads).toHaveLength(entries.length)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(entries.length - 1), fc.option(damage)), { maxLength: 6 }),
      async (picks) => {
        const shown = picks.map(([index, how]) => {
          const entry = entries[index] ?? new Uint8Array()
          return how ? damaged(entry, how) : entry
        })
        const found = await headsOf(shown)
        // Only beginnings of the real one are taken for one.
        if (found !== 'forged') expect(heads.slice(0, found.length)).toEqual(found)
      },
    ),
    { numRuns: 300 },
  )
})

test('certificates, cards and signatures of any bytes are refused, and none throws', async () => {
  const key = await newKey()
  const peer = { participant: 'p-2', user: 'bob', device: 'd' } as const
  const binding = new PeerBinding({
    call: 'c' as CallId,
    self: endpoint('p-1', 'alice'),
    key: () => Promise.resolve(key),
    peer: () => Promise.resolve({ ...endpoint('p-2', peer.user), deviceKey: key.publicKey }),
    nonce: () => new Uint8Array(32),
  })
  const sdp = fc.oneof(
    fc.string(),
    fc.constant(`v=0\r\na=fingerprint:sha-256 ${Array(32).fill('AA').join(':')}\r\n`),
  )
  const text = fc.oneof(fc.uint8Array({ maxLength: 200 }).map(toText), fc.string())
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), text, sdp, async (bytes, proof, offer) => {
      expect(() => readCredential(bytes)).not.toThrow()
      const at = { call: 'c' as CallId, nowMs: 0 }
      expect(await checkCredential(bytes, bytes, at)).toBeUndefined()
      expect(await readCard('alice' as UserId, bytes)).toBeUndefined()
      const description = { type: 'offer', sdp: offer, round: 1 } as const
      expect(await binding.check(description, proof)).toBeUndefined()
      expect(await binding.confirm(proof)).toBe(false)
    }),
    { numRuns: 300 },
  )
})

function damaged(sound: Uint8Array, how: Damage): Uint8Array {
  switch (how.kind) {
    case 'flip': {
      const bytes = sound.slice()
      const at = how.at % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ (1 << how.bit)
      return bytes
    }
    case 'cut':
      return sound.slice(0, how.at % sound.length)
    case 'stretch': {
      const at = how.at % (sound.length + 1)
      return new Uint8Array([...sound.subarray(0, at), ...how.by, ...sound.subarray(at)])
    }
    case 'replace':
      return how.by
  }
}

/** An event with these fields, whatever they hold. */
function eventOf(type: ServerEvent['type'], fields: Record<string, fc.Arbitrary<unknown>>) {
  return fc.record(fields).map((data) => ({ type, data }) as ServerEvent)
}

async function headsOf(entries: readonly Uint8Array[]): Promise<readonly string[] | 'forged'> {
  const list = await readDeviceList('alice', entries)
  if (list === 'empty') return []
  return list === 'forged' ? 'forged' : list.heads
}

async function newKey() {
  return deviceKeyOf(await generateDeviceKeyPair())
}

function endpoint(participant: string, user: string) {
  const [id, name, device] = [participant as ParticipantId, user as UserId, 'd' as DeviceId]
  return { participant: id, user: name, device }
}
