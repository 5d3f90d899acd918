import type { CallId, DeviceId, UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deviceKeyOf, generateDeviceKeyPair } from './identity/device-key.ts'
import { memoryIdentityStore } from './identity/identity.ts'
import { SealingKeys } from './identity/sealing-key.ts'
import { toText } from './octets.ts'
import { MOST_PAYLOAD_BYTES, openPayload, sealPayload } from './sealed-payload.ts'

const RING = { call: 'c1' as CallId, from: 'alice' as UserId }
const WORDS = 'About the blue folder'

describe('a payload', () => {
  test('[PAYLOAD-1] is read by the devices that it was sealed for, with the sender’s key, and by no other', async () => {
    const [sender, phone, laptop, later] = await Promise.all([1, 2, 3, 4].map(() => newDevice()))
    if (!sender || !phone || !laptop || !later) throw new Error('four devices')
    const payload = await sealed(sender, [phone, laptop])
    expect(new TextDecoder('latin1').decode(payload)).not.toContain('folder')
    for (const one of [phone, laptop]) {
      const opened = await openPayload(payload, RING, one)
      expect(opened?.text).toBe(WORDS)
      expect(opened?.sender).toEqual({ user: 'alice', device: 'pc', deviceKey: sender.deviceKey })
    }
    expect(await openPayload(payload, RING, later)).toBeUndefined()
    expect(await openPayload(payload, RING, sender)).toBeUndefined()
  })

  test('[PAYLOAD-2] belongs to its ring', async () => {
    const [sender, phone] = [await newDevice(), await newDevice()]
    const payload = await sealed(sender, [phone])
    const others = [
      { ...RING, call: 'c2' as CallId },
      { ...RING, from: 'mallory' as UserId },
    ]
    for (const ring of others) expect(await openPayload(payload, ring, phone)).toBeUndefined()
  })

  test('[PAYLOAD-2] is refused with any byte of it changed', async () => {
    const [sender, phone, laptop] = [await newDevice(), await newDevice(), await newDevice()]
    const payload = await sealed(sender, [phone, laptop])
    for (let at = 0; at < payload.length; at++) {
      const changed = payload.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(await openPayload(changed, RING, phone)).toBeUndefined()
    }
  })

  test('[PAYLOAD-3] has its bounds, and the largest one fits into a message', async () => {
    const sender = await newDevice()
    const many = await Promise.all(Array.from({ length: 17 }, () => newDevice()))
    const device = 'd'.repeat(limits.idLength) as DeviceId
    const largest = 'x'.repeat(MOST_PAYLOAD_BYTES)
    const from = { user: RING.from, device, key: sender.key }
    const most = await sealPayload(largest, RING, { sender: from, recipients: many.slice(1) })
    expect(toText(most).length).toBeLessThanOrEqual(limits.payloadLength)
    expect((await openPayload(most, RING, many[16] ?? sender))?.text).toBe(largest)
    const tooLarge = { code: 'too-large' }
    const tooMany = sealPayload('x', RING, { sender: from, recipients: many })
    await expect(tooMany).rejects.toMatchObject(tooLarge)
    const tooLong = sealPayload(`${largest}x`, RING, { sender: from, recipients: [sender] })
    await expect(tooLong).rejects.toMatchObject(tooLarge)
  })

  test('of any bytes is read or refused, and never throws', async () => {
    const phone = await newDevice()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.nat(3), async (bytes, version) => {
        const payload = Uint8Array.of(version, ...bytes)
        expect(await openPayload(payload, RING, phone)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
    expect(await openPayload(new Uint8Array(), RING, phone)).toBeUndefined()
  })
})

type Device = Awaited<ReturnType<typeof newDevice>>

async function newDevice() {
  const key = await deviceKeyOf(await generateDeviceKeyPair())
  const sealing = new SealingKeys({ store: memoryIdentityStore(), user: 'bob', now: () => 0 })
  return { key, deviceKey: key.publicKey, sealing, sealingKey: await sealing.current() }
}

function sealed({ key }: Device, recipients: readonly Device[]) {
  const sender = { user: RING.from, device: 'pc' as DeviceId, key }
  return sealPayload(WORDS, RING, { sender, recipients })
}
