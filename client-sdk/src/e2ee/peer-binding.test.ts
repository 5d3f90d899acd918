import type { CallId, DeviceId, ParticipantId, UserId } from '@parley/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { deviceKeyOf, generateDeviceKeyPair } from './identity/device-key.ts'
import type { DeviceKey } from './identity/device-key.ts'
import { PeerBinding } from './peer-binding.ts'
import type { BoundDescription } from './peer-binding.ts'

let keys: Readonly<Record<string, DeviceKey>>
beforeAll(async () => {
  const make = async () => deviceKeyOf(await generateDeviceKeyPair())
  keys = { alice: await make(), bob: await make(), carol: await make(), mallory: await make() }
})

describe('a direct path', () => {
  test('[BIND-1] is confirmed when offer, answer and confirmation are in place', async () => {
    const { alice, bob } = ends()
    const offer = described('offer', 'aa')
    const offered = await bob.check(offer, await alice.seal(offer))
    expect(offered).toEqual({ confirmation: undefined })
    const answer = described('answer', 'bb')
    const answered = await alice.check(answer, await bob.seal(answer))
    expect(alice.confirmed).toBe(true)
    expect(bob.confirmed).toBe(false)
    expect(await bob.confirm(answered?.confirmation ?? '')).toBe(true)
    expect(bob.confirmed).toBe(true)
    expect([alice.fingerprint, bob.fingerprint]).toEqual(['bb'.repeat(32), 'aa'.repeat(32)])
  })

  test('[BIND-1] is not confirmed by a confirmation of something else', async () => {
    const { alice, bob } = ends()
    await exchange(alice, bob)
    const other = ends()
    const { confirmation } = await exchange(other.alice, other.bob)
    expect(await bob.confirm(confirmation)).toBe(false)
    expect(bob.confirmed).toBe(false)
  })

  test('[BIND-2] is refused with a swapped, a second, a weak or a missing fingerprint', async () => {
    const { alice, bob } = ends()
    const offer = described('offer', 'aa')
    const proof = await alice.seal(offer)
    const withLine = (extra: string) => ({ ...offer, sdp: `${offer.sdp}${extra}\r\n` })
    const line = offer.sdp.split('\r\n')[1] ?? ''
    for (const forged of [
      described('offer', 'ee'),
      withLine(line.replaceAll('aa', 'ee')),
      withLine('a=fingerprint:sha-1 AA:AA'),
      { ...offer, sdp: 'v=0\r\n' },
    ]) {
      expect(await bob.check(forged, proof)).toBeUndefined()
    }
    expect(await bob.check(offer, undefined)).toBeUndefined()
    expect(await bob.check(offer, 'AAAA')).toBeUndefined()
    expect(await bob.check(offer, proof)).toBeDefined()
  })

  test('[BIND-3] is refused with the signature of another device, call or pair', async () => {
    const { bob } = ends()
    const offer = described('offer', 'aa')
    const mallory = bindingOf('alice', 'bob', { key: 'mallory' })
    const otherCall = bindingOf('alice', 'bob', { call: 'c2' })
    const toCarol = bindingOf('alice', 'carol')
    const fromCarol = bindingOf('carol', 'bob')
    for (const binding of [mallory, otherCall, toCarol, fromCarol]) {
      expect(await bob.check(offer, await binding.seal(offer))).toBeUndefined()
    }
  })

  test('[BIND-4] is refused with an old answer, or one to another offer', async () => {
    const { alice, bob } = ends()
    await exchange(alice, bob)
    const answer = described('answer', 'bb')
    const old = await bob.seal(answer)
    const next = described('offer', 'aa', 2)
    await alice.seal(next)
    expect(await alice.check({ ...answer, round: 2 }, old)).toBeUndefined()
  })

  test('[BIND-4] is refused when the certificate changes midway', async () => {
    const { alice, bob } = ends()
    await exchange(alice, bob)
    const next = described('offer', 'cc', 2)
    expect(await bob.check(next, await alice.seal(next))).toBeUndefined()
  })

  test('an offer that is sent again is the same one', async () => {
    const { alice } = ends()
    const offer = described('offer', 'aa')
    expect(await alice.seal(offer)).toBe(await alice.seal(offer))
  })
})

function ends() {
  return { alice: bindingOf('alice', 'bob'), bob: bindingOf('bob', 'alice') }
}

async function exchange(alice: PeerBinding, bob: PeerBinding) {
  const offer = described('offer', 'aa')
  await bob.check(offer, await alice.seal(offer))
  const answer = described('answer', 'bb')
  const checked = await alice.check(answer, await bob.seal(answer))
  return { confirmation: checked?.confirmation ?? '' }
}

function described(type: 'offer' | 'answer', byte: string, round = 1): BoundDescription {
  const hash = Array.from({ length: 32 }, () => byte).join(':')
  return { type, round, sdp: `v=0\r\na=fingerprint:sha-256 ${hash}\r\n` }
}

function bindingOf(
  own: string,
  other: string,
  { key = own, call = 'c1' }: { key?: string; call?: string } = {},
): PeerBinding {
  let nonce = 0
  return new PeerBinding({
    call: call as CallId,
    self: endpoint(own),
    key: () => Promise.resolve(keyOf(key)),
    peer: () => Promise.resolve({ ...endpoint(other), deviceKey: keyOf(other).publicKey }),
    nonce: () => new Uint8Array(32).fill(++nonce),
  })
}

function endpoint(name: string) {
  return {
    participant: `p-${name}` as ParticipantId,
    user: name as UserId,
    device: `d-${name}` as DeviceId,
  }
}

function keyOf(name: string): DeviceKey {
  const key = keys[name]
  if (!key) throw new Error(`no key for ${name}`)
  return key
}
