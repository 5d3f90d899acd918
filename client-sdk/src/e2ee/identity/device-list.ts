import type { Millis } from '@parley/protocol'
import { packed, readUint64, sameBytes, sha256, toText, uint64, unpacked, utf8 } from '../octets.ts'
import type { Octets } from '../octets.ts'
import { PUBLIC_KEY_BYTES, verifies } from './device-key.ts'
import type { DeviceKey } from './device-key.ts'

const LABEL = utf8('parley-device-1')
const ADD = Uint8Array.of(1)
const REMOVE = Uint8Array.of(2)

/** What the signed entries of a user's device list say, once checked. */
export interface DeviceList {
  /** Key of the first device: what the user is known by to those who compare numbers. */
  readonly root: Octets
  /** Keys of the devices that are in the list and were not taken out, in base64url. */
  readonly keys: ReadonlySet<string>
  /** Keys of those that were taken out: stolen, or no longer used. */
  readonly removed: ReadonlySet<string>
  /** When each device came in or was taken out, by the clock of the one who signed that. */
  readonly since: ReadonlyMap<string, Millis>
  /** Hash after each entry: a list that does not begin with those that we saw is another one. */
  readonly heads: readonly string[]
}

/** Signs the entry that comes after `list`; a first one signs itself. */
export async function signEntry(
  signer: DeviceKey,
  change: 'add' | 'remove',
  deviceKey: Uint8Array,
  { list, user, nowMs }: { list: DeviceList | undefined; user: string; nowMs: number },
): Promise<Octets> {
  const previous = list?.heads.at(-1) ?? ''
  const action = change === 'add' ? ADD : REMOVE
  const signed = packed(LABEL, utf8(user), utf8(previous), action, deviceKey, uint64(nowMs))
  const signature = await signer.sign(signed)
  return packed(utf8(previous), action, deviceKey, uint64(nowMs), signer.publicKey, signature)
}

/**
 * Checks a list from its first entry on: each names the hash of the one before it and is signed by a
 * device that is in the list at that point. `empty` is no list; `forged` is one that nobody made.
 */
export async function readDeviceList(
  user: string,
  entries: readonly Uint8Array[],
): Promise<DeviceList | 'empty' | 'forged'> {
  let root: Octets | undefined
  let head = ''
  const keys = new Set<string>()
  const removed = new Set<string>()
  const since = new Map<string, Millis>()
  const heads: string[] = []
  for (const entry of entries) {
    const [previous, action, deviceKey, at, signer, signature] = unpacked(entry, 6) ?? []
    if (!previous || !action || !deviceKey || !at || !signer || !signature) return 'forged'
    const atMs = readUint64(at)
    if (deviceKey.length !== PUBLIC_KEY_BYTES || atMs === undefined) return 'forged'
    if (new TextDecoder().decode(previous) !== head) return 'forged'
    const maySign = root ? keys.has(toText(signer)) : sameBytes(signer, deviceKey)
    const signed = packed(LABEL, utf8(user), previous, action, deviceKey, at)
    if (!maySign || !(await verifies(signer, signed, signature))) return 'forged'
    const key = toText(deviceKey)
    const isAdded = sameBytes(action, ADD)
    if (!isAdded && !sameBytes(action, REMOVE)) return 'forged'
    const [into, outOf] = isAdded ? [keys, removed] : [removed, keys]
    into.add(key)
    outOf.delete(key)
    since.set(key, atMs)
    root ??= deviceKey
    head = toText(await sha256(packed(utf8(head), entry)))
    heads.push(head)
  }
  return root ? { root, keys, removed, since, heads } : 'empty'
}
