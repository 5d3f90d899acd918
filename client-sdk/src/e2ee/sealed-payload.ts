import type { CallId, DeviceId, UserId } from '@parley/protocol'
import { CallError } from '../errors.ts'
import type { LeafIdentity } from './credential.ts'
import { PUBLIC_KEY_BYTES, verifies } from './identity/device-key.ts'
import type { DeviceKey } from './identity/device-key.ts'
import { ENCAPSULATED_BYTES, sealFor } from './identity/sealing-key.ts'
import type { SealingKeys } from './identity/sealing-key.ts'
import { packed, sameBytes, sha256, unpacked, utf8 } from './octets.ts'
import type { Octets } from './octets.ts'

/** The ring that a payload goes with: it opens with no other one. */
export interface RingName {
  readonly call: CallId
  readonly from: UserId
}

/** A device that a payload is sealed for. */
export interface PayloadRecipient {
  readonly deviceKey: Octets
  readonly sealingKey: Octets
}

/** The device that has sealed a payload, which only says that it is; whose it is, others judge. */
export interface PayloadSender {
  readonly user: UserId
  readonly device: DeviceId
  readonly key: DeviceKey
}

const LABEL = utf8('parley-payload-1')
const VERSION = 1
const KEY_BYTES = 16
const TAG_BYTES = 16
/** Of the hash of a device's key: by it a device finds its part. */
const HINT_BYTES = 4
const PART_BYTES = HINT_BYTES + ENCAPSULATED_BYTES + KEY_BYTES + TAG_BYTES
/** Devices at most: more would not leave room for anything to say. */
const MOST_RECIPIENTS = 16
/** The key is used once. */
const IV = new Uint8Array(12)

/** Bytes of text that go with a ring: what a push can hold, with a part for each device. */
export const MOST_PAYLOAD_BYTES = 400

/**
 * Seals what goes with a ring for each of these devices, and for none that comes later: a fresh key for
 * the text, and that key for each device by HPKE. The sender's device signs the whole.
 */
export async function sealPayload(
  text: string,
  ring: RingName,
  { sender, recipients }: { sender: PayloadSender; recipients: readonly PayloadRecipient[] },
): Promise<Octets> {
  const plain = utf8(text)
  if (plain.length > MOST_PAYLOAD_BYTES) {
    throw new CallError('too-large', {
      message: `A payload has at most ${MOST_PAYLOAD_BYTES} bytes.`,
    })
  }
  if (recipients.length > MOST_RECIPIENTS) {
    const message = `A payload is sealed for at most ${MOST_RECIPIENTS} devices.`
    throw new CallError('too-large', { message })
  }
  const secret = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  const parts = await Promise.all(
    recipients.map(async ({ deviceKey, sealingKey }) => [
      ...(await hintOf(deviceKey)),
      ...(await sealFor(sealingKey, secret, infoOf(ring, deviceKey))),
    ]),
  )
  const head = Uint8Array.of(VERSION, parts.length, ...parts.flat())
  const signature = await sender.key.sign(await signedPart(ring, head, plain))
  const body = packed(utf8(sender.device), sender.key.publicKey, signature, plain)
  const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt'])
  const additionalData = packed(LABEL, utf8(ring.call), utf8(ring.from))
  const algorithm = { name: 'AES-GCM', iv: IV, additionalData }
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, body))
  secret.fill(0)
  return Uint8Array.of(...head, ...sealed)
}

/**
 * Opens a payload with this device's key. Undefined where it is not for this device, not of this ring,
 * or was changed on its way.
 */
export async function openPayload(
  payload: Uint8Array,
  ring: RingName,
  { deviceKey, sealing }: { deviceKey: Octets; sealing: Pick<SealingKeys, 'open'> },
): Promise<{ readonly text: string; readonly sender: LeafIdentity } | undefined> {
  const [version, count] = payload
  if (version !== VERSION || count === undefined || count > MOST_RECIPIENTS) return undefined
  const head = payload.slice(0, 2 + count * PART_BYTES)
  const sealed = payload.slice(head.length)
  const hint = await hintOf(deviceKey)
  for (let index = 0; index < count; index++) {
    const part = head.slice(2 + index * PART_BYTES, 2 + (index + 1) * PART_BYTES)
    if (!sameBytes(part.slice(0, HINT_BYTES), hint)) continue
    try {
      const secret = await sealing.open(part.slice(HINT_BYTES), infoOf(ring, deviceKey))
      return await openBody(sealed, { secret, head, ring })
    } catch {
      // Not our part after all, or not what was sealed.
    }
  }
  return undefined
}

async function openBody(
  sealed: Octets,
  { secret, head, ring }: { secret: Uint8Array; head: Octets; ring: RingName },
): Promise<{ readonly text: string; readonly sender: LeafIdentity } | undefined> {
  const raw = Uint8Array.from(secret)
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt'])
  const additionalData = packed(LABEL, utf8(ring.call), utf8(ring.from))
  const algorithm = { name: 'AES-GCM', iv: IV, additionalData }
  const body = new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed))
  const [device, deviceKey, signature, plain] = unpacked(body, 4) ?? []
  if (!device || deviceKey?.length !== PUBLIC_KEY_BYTES || !signature || !plain) return undefined
  if (!(await verifies(deviceKey, await signedPart(ring, head, plain), signature))) return undefined
  const decoder = new TextDecoder()
  // Compared with the list of the user before anything is believed.
  const id = decoder.decode(device) as DeviceId
  return { text: decoder.decode(plain), sender: { user: ring.from, device: id, deviceKey } }
}

async function signedPart({ call, from }: RingName, head: Octets, plain: Octets): Promise<Octets> {
  return packed(LABEL, utf8(call), utf8(from), await sha256(head), plain)
}

function infoOf({ call, from }: RingName, deviceKey: Octets): Octets {
  return packed(LABEL, utf8(call), utf8(from), deviceKey)
}

async function hintOf(deviceKey: Octets): Promise<Octets> {
  return (await sha256(deviceKey)).slice(0, HINT_BYTES)
}
