import type { CallId, MissedCall as SentMissedCall, UserId } from '@parley/protocol'
import { describe, expect, test, vi } from 'vitest'
import { DeviceServer } from '../endurance/device-server.ts'
import { fromText } from './e2ee/octets.ts'
import { MissedCalls } from './missed-calls.ts'
import type { MissedCall } from './missed-calls.ts'
import type { OwnIdentity } from './own-identity.ts'
import { RingPayloads } from './ring-payloads.ts'
import type { Request } from './signaling.ts'
import { ManualClock } from './testing.ts'

const ALICE = 'alice' as UserId
const BOB = 'bob' as UserId
const CALL = 'c1' as CallId
const WORDS = 'About the blue folder'

describe('what goes with a ring', { timeout: 120_000 }, () => {
  test('[PAYLOAD-1] is for the devices that the other one has approved by now', async () => {
    const server = new DeviceServer()
    const alice = await arrived(server, ALICE, 'pc')
    const phone = await arrived(server, BOB, 'phone')
    const laptop = await arrived(server, BOB, 'laptop', 'waiting')
    const write = () => new RingPayloads(alice, true).write(WORDS, CALL, [BOB])
    const read = (own: OwnIdentity, payload: string) =>
      new RingPayloads(own, true).read(payload, { call: CALL, from: ALICE })
    const first = await write()
    expect(new TextDecoder('latin1').decode(fromText(first))).not.toContain('folder')
    expect([await read(phone, first), await read(laptop, first)]).toEqual([WORDS, undefined])
    await phone.approve({ key: laptop.self?.key ?? '' })
    const second = await write()
    expect([await read(phone, second), await read(laptop, second)]).toEqual([WORDS, WORDS])
    // What was sealed before stays closed to it.
    expect(await read(laptop, first)).toBeUndefined()
  })

  test('[PAYLOAD-4] is not sent where nobody could read it, nor believed from whom nobody knows', async () => {
    const server = new DeviceServer()
    const alice = await arrived(server, ALICE, 'pc')
    const payloads = new RingPayloads(alice, true)
    const unsealable = { code: 'payload-unsealable', retryable: false }
    await expect(payloads.write(WORDS, CALL, [BOB])).rejects.toMatchObject(unsealable)
    const phone = await arrived(server, BOB, 'phone')
    await expect(payloads.write(WORDS, CALL, [BOB, 'carol' as UserId])).rejects.toMatchObject(
      unsealable,
    )
    const reader = new RingPayloads(phone, true)
    const known = await payloads.write(WORDS, CALL, [BOB])
    expect(await reader.read(known, { call: CALL, from: ALICE })).toBe(WORDS)
    // Another device of hers, which her own has not approved.
    const stranger = await arrived(server, ALICE, 'stranger', 'waiting')
    const forged = await new RingPayloads(stranger, true).write('Pay me', CALL, [BOB])
    expect(await reader.read(forged, { call: CALL, from: ALICE })).toBeUndefined()
  })

  test('[PAYLOAD-4] is as it is where nobody encrypts, and is not taken so by who does', async () => {
    const server = new DeviceServer()
    const phone = await arrived(server, BOB, 'phone')
    const plain = new RingPayloads(phone, false)
    const clear = await plain.write(WORDS, CALL, [BOB])
    const ring = { call: CALL, from: ALICE }
    expect(await plain.read(clear, ring)).toBe(WORDS)
    expect(await new RingPayloads(phone, true).read(clear, ring)).toBeUndefined()
    expect(await plain.read('***', ring)).toBeUndefined()
    const long = plain.write('é'.repeat(201), CALL, [BOB])
    await expect(long).rejects.toMatchObject({ code: 'too-large' })
  })
})

describe('missed calls', { timeout: 120_000 }, () => {
  test('[PAYLOAD-1] are told in order, each with what this device can read of it', async () => {
    const told: MissedCall[] = []
    const acknowledged: unknown[] = []
    const request = ((_type: string, data: unknown) => {
      acknowledged.push(data)
      return Promise.resolve({})
    }) as unknown as Request
    const slow = Promise.withResolvers<undefined>()
    const missed = new MissedCalls({
      ...{ clock: new ManualClock(), request },
      isListening: () => true,
      tell: (one) => told.push(one),
      open: async (payload) => {
        if (payload === 'slow') await slow.promise
        if (payload === 'broken') throw new Error('no keys')
        return payload === 'foreign' ? undefined : `read ${payload}`
      },
      kept: () => undefined,
    })
    missed.take([sent(1)])
    expect(told).toMatchObject([{ seq: 1 }])
    missed.take([sent(2, 'slow'), sent(3, 'foreign')])
    missed.take([sent(4)])
    missed.take([sent(5, 'broken')])
    slow.resolve(undefined)
    await vi.waitFor(() => expect(told).toHaveLength(5), { timeout: 45_000 })
    expect(told.map(({ seq, payload, unreadable }) => [seq, payload, unreadable])).toEqual([
      [1, undefined, undefined],
      [2, 'read slow', undefined],
      [3, undefined, true],
      [4, undefined, undefined],
      [5, undefined, true],
    ])
    expect(missed.list).toEqual(told)
    expect(acknowledged.at(-1)).toEqual({ seq: 5 })
  })
})

/** A device that is connected, and stands so. */
async function arrived(server: DeviceServer, user: UserId, name: string, state = 'approved') {
  const own = server.device(user, name)
  own.publish()
  await vi.waitFor(() => expect(own.self).toMatchObject({ state, device: name }), {
    timeout: 45_000,
  })
  return own
}

function sent(seq: number, payload?: string): SentMissedCall {
  const media = { audio: true, video: false }
  const words = { seq, call: CALL, from: ALICE, media, reason: 'no-answer', at: seq } as const
  return payload === undefined ? words : { ...words, payload }
}
