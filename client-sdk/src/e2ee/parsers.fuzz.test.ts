import type { CallId, DeviceId, ParticipantId, ServerEvent, UserId } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CALL, CallRoom } from '../../endurance/call-room.ts'
import { damage, damaged, readDamaged } from '../../endurance/damaged-messages.ts'
import { checkCredential, readCredential } from './credential.ts'
import { deviceKeyOf, generateDeviceKeyPair } from './identity/device-key.ts'
import { readCard } from './identity/device-card.ts'
import { readDeviceList, signEntry } from './identity/device-list.ts'
import { toText } from './octets.ts'
import { PeerBinding } from './peer-binding.ts'

test('whatever comes in place of a group’s messages is refused in so many words, and changes nothing', async () => {
  await readDamaged(250)
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
