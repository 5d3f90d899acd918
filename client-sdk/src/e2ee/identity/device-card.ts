import type { DeviceId, UserId } from '@parley/protocol'
import { packed, unpacked, utf8 } from '../octets.ts'
import type { Octets } from '../octets.ts'
import { PUBLIC_KEY_BYTES, verifies } from './device-key.ts'
import type { DeviceKey } from './device-key.ts'

/**
 * How a device introduces itself: the key that it is known by, and the key that things are sealed for it
 * with. A card proves that who holds the one has made the other, and nothing about whose device it is:
 * that, the user's list says.
 */
export interface DeviceCard {
  readonly user: UserId
  readonly device: DeviceId
  readonly deviceKey: Octets
  /** Uncompressed point on P-256, for HPKE. */
  readonly sealingKey: Octets
}

const LABEL = utf8('parley-card-1')

export async function signCard(
  key: DeviceKey,
  { user, device, sealingKey }: Omit<DeviceCard, 'deviceKey'>,
): Promise<Octets> {
  const signature = await key.sign(packed(LABEL, utf8(user), utf8(device), sealingKey))
  return packed(utf8(device), key.publicKey, sealingKey, signature)
}

/** Checks a card that is said to be of this user; undefined if it is none. */
export async function readCard(user: UserId, card: Uint8Array): Promise<DeviceCard | undefined> {
  const [device, deviceKey, sealingKey, signature] = unpacked(card, 4) ?? []
  if (!device || !deviceKey || !sealingKey || !signature) return undefined
  const lengths = [deviceKey.length, sealingKey.length]
  if (lengths.some((length) => length !== PUBLIC_KEY_BYTES)) return undefined
  const signed = packed(LABEL, utf8(user), device, sealingKey)
  if (!(await verifies(deviceKey, signed, signature))) return undefined
  // Only shown to people, and compared with ids of the roster.
  return { user, device: new TextDecoder().decode(device) as DeviceId, deviceKey, sealingKey }
}
