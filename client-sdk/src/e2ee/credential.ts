import type { CallId, DeviceId, UserId } from '@parley/protocol'
import { PUBLIC_KEY_BYTES, verifies } from './identity/device-key.ts'
import type { DeviceKey } from './identity/device-key.ts'
import { packed, readUint64, sha256, uint64, unpacked, utf8 } from './octets.ts'
import type { Octets } from './octets.ts'

/** Who stands behind a leaf of the group. */
export interface LeafIdentity {
  readonly user: UserId
  readonly device: DeviceId
  readonly deviceKey: Octets
}

const LABEL = utf8('parley-leaf-1')

/** A certificate outlives any call by far, and clocks may be a day apart. */
const LIFETIME_MS = 48 * 60 * 60 * 1_000

/** What the device's key signs: this leaf key belongs to this device, in this call only. */
async function signedPart(
  leafKey: Uint8Array,
  { user, device }: Pick<LeafIdentity, 'user' | 'device'>,
  call: CallId,
  notAfter: number,
): Promise<Octets> {
  const fields = [utf8(user), utf8(device), utf8(call), uint64(notAfter)]
  return packed(LABEL, await sha256(leafKey), ...fields)
}

/**
 * Certifies an MLS leaf key, which lives as long as a stay in a call, by the device's long-term key,
 * which cannot be read. The answer is the leaf's credential.
 */
export async function certifyLeaf(
  key: DeviceKey,
  leafKey: Uint8Array,
  claim: Pick<LeafIdentity, 'user' | 'device'> & { readonly call: CallId; readonly nowMs: number },
): Promise<Octets> {
  const notAfter = claim.nowMs + LIFETIME_MS
  const signature = await key.sign(await signedPart(leafKey, claim, claim.call, notAfter))
  const { user, device } = claim
  return packed(LABEL, utf8(user), utf8(device), key.publicKey, uint64(notAfter), signature)
}

/** Reads a credential without checking its signature; undefined if it is none. */
export function readCredential(credential: Uint8Array): LeafIdentity | undefined {
  const fields = unpacked(credential, 6)
  const [, user, device, deviceKey] = fields ?? []
  if (!user || !device || deviceKey?.length !== PUBLIC_KEY_BYTES) return undefined
  const text = new TextDecoder()
  // Compared with ids of the roster before anything is done with them.
  return { user: text.decode(user) as UserId, device: text.decode(device) as DeviceId, deviceKey }
}

/** Checks that the device named in the credential has certified this leaf key for this call. */
export async function checkCredential(
  credential: Uint8Array,
  leafKey: Uint8Array,
  at: { readonly call: CallId; readonly nowMs: number },
): Promise<LeafIdentity | undefined> {
  const identity = readCredential(credential)
  const [label, , , , expiry, signature] = unpacked(credential, 6) ?? []
  const notAfter = expiry && readUint64(expiry)
  if (!identity || !label || !signature || notAfter === undefined) return undefined
  if (new TextDecoder().decode(label) !== new TextDecoder().decode(LABEL)) return undefined
  if (notAfter < at.nowMs) return undefined
  const signed = await signedPart(leafKey, identity, at.call, notAfter)
  return (await verifies(identity.deviceKey, signed, signature)) ? identity : undefined
}
