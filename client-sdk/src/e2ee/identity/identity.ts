import type { DeviceId, Millis, UserId } from '@parley/protocol'
import type { LeafIdentity } from '../credential.ts'
import type { Request } from '../../signaling.ts'
import { CallError } from '../../errors.ts'
import { fromText, toText } from '../octets.ts'
import { safetyNumber } from './codes.ts'
import { deviceKeyOf, generateDeviceKeyPair, PUBLIC_KEY_BYTES } from './device-key.ts'
import type { DeviceKey } from './device-key.ts'
import { readCard } from './device-card.ts'
import type { DeviceCard } from './device-card.ts'
import { readDeviceList, signEntry } from './device-list.ts'
import type { DeviceList } from './device-list.ts'
import { judge } from './trust.ts'
import type { ChangeReason, Judgement, Pin, TrustState } from './trust.ts'

/** Keeps what must outlive a page: the device's key, which only the browser can hold, and pins. */
export interface IdentityStore {
  get(name: string): Promise<unknown>
  set(name: string, value: unknown): Promise<void>
  /** Stores `value` unless there is one; answers with what is there then, over all tabs. */
  add(name: string, value: unknown): Promise<unknown>
  delete(name: string): Promise<void>
}

/** What an app's own trust sees of a device that is in a call. */
export interface IdentityClaim {
  readonly user: UserId
  readonly device: DeviceId
  /** The device's public key: an uncompressed P-256 point in base64url. */
  readonly key: string
  /** The first key of the user's device list, where the device is in it; else the device's own. */
  readonly root: string
  readonly state: TrustState
  readonly reason: ChangeReason | undefined
}

/**
 * Decides on a device. `hold`: nothing is sent to it or played from it until the app calls
 * `call.acceptIdentity`. `refuse`: nothing ever.
 */
export type TrustPolicy = (
  claim: IdentityClaim,
) => 'accept' | 'hold' | 'refuse' | Promise<'accept' | 'hold' | 'refuse'>

/**
 * Trusts whom it meets first, holds back from whoever is not the same as before, and refuses what its
 * own user has revoked.
 */
export const trustOnFirstUse: TrustPolicy = ({ state, reason }) => {
  if (reason === 'revoked-device') return 'refuse'
  return state === 'changed' ? 'hold' : 'accept'
}

/** A device's identity as judged and decided on. */
export interface Assessment {
  readonly state: TrustState
  readonly reason: ChangeReason | undefined
  readonly decision: 'accept' | 'hold' | 'refuse'
}

/** What an identity is made with. */
export interface IdentityPorts {
  readonly store: IdentityStore
  readonly request: Request
  readonly now: () => Millis
  readonly trust: TrustPolicy
  readonly user: UserId
  /** Lets time pass; left out, a list that cannot be read now counts as one that the server has lost. */
  readonly pause?: (ms: Millis) => Promise<void>
}

/** What the server shows as somebody's list. */
type SeenList = DeviceList | 'empty' | 'forged'

/** How often, and how many times, a list is asked for that decides about somebody. */
const LOOK_AGAIN_MS = 2_000
const MOST_LOOKS = 300

/** Other devices may be at the same list; each attempt gives way to one of them. */
const MOST_ATTEMPTS = 5

/** This device's long-term identity, and what it knows of other people's. */
export class Identity {
  readonly user: UserId
  readonly key: DeviceKey
  readonly #ports: IdentityPorts
  /** The key behind the number that was last shown for each user. */
  readonly #shownRoots = new Map<UserId, string>()
  #ownList: DeviceList | undefined
  #replaced = false

  private constructor(ports: IdentityPorts, key: DeviceKey) {
    this.#ports = ports
    this.user = ports.user
    this.key = key
  }

  /** Gets or makes the device's key. */
  static async open(ports: IdentityPorts): Promise<Identity> {
    const name = `key/${ports.user}`
    const kept = await ports.store.get(name)
    const pair = kept ?? (await ports.store.add(name, await generateDeviceKeyPair()))
    // The store gives back what was put there under this name.
    return new Identity(ports, await deviceKeyOf(pair as CryptoKeyPair))
  }

  /** Whether the user's other devices have taken this one into his list. */
  get isListed(): boolean {
    return this.#ownList?.keys.has(toText(this.key.publicKey)) ?? false
  }

  /** The user's devices, as far as this one has seen and can prove. */
  get ownList(): DeviceList | undefined {
    return this.#ownList
  }

  /** The server shows another list for this user than the one that this device knows. */
  get isReplaced(): boolean {
    return this.#replaced
  }

  /**
   * Sees to the user's device list: begins it, or gives it back to a server that has lost it, at once
   * and whole, so that nobody sees it shorter than he knew it.
   */
  async publish(): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const { entries } = await this.#ports.request('devices.get', { user: this.user })
      const kept = await this.#keptEntries()
      const missing = beginsWith(kept, entries) ? kept.slice(entries.length) : []
      if (entries.length > 0 && missing.length === 0) {
        await this.#take(entries, kept)
        return
      }
      const first = async () => toText(await this.#sign('add', this.key.publicKey, undefined))
      await this.#append(entries.length, missing.length > 0 ? missing : [await first()])
    }
  }

  /** Takes the list that the server shows, though it is not the one that this device knew. */
  async adopt(): Promise<void> {
    const { entries } = await this.#ports.request('devices.get', { user: this.user })
    await this.#take(entries, [])
  }

  /** Takes another device of this user into his list. */
  approve(deviceKey: string): Promise<void> {
    return this.#change('add', deviceKey)
  }

  /** Takes a device out of the list: nobody is to trust it any more. */
  revoke(deviceKey: string): Promise<void> {
    return this.#change('remove', deviceKey)
  }

  /** What is thought of somebody's device now, without asking the app. */
  async stateOf(identity: LeafIdentity): Promise<TrustState> {
    return (await this.#judge(identity)).state
  }

  /** Judges somebody's device, and asks the app's trust about it. */
  async assess(identity: LeafIdentity): Promise<Assessment> {
    const { pause } = this.#ports
    for (let attempt = 1; ; attempt++) {
      const list = await this.#askForList(identity.user)
      if (list !== undefined || !pause || attempt >= MOST_LOOKS) {
        return this.#assess(identity, list ?? 'empty')
      }
      // A server whose store is away cannot vouch for a device that is new to us, nor against it.
      const { state } = await this.#judge(identity, 'empty')
      if (state !== 'changed') return this.#assess(identity, 'empty')
      await pause(LOOK_AGAIN_MS)
    }
  }

  /** Somebody's devices that are in his list and trusted, and have said how to seal for them. */
  async sealableDevicesOf(user: UserId): Promise<readonly DeviceCard[]> {
    const { entries, cards } = await this.#ports.request('devices.get', { user })
    const list = await this.#read(user, entries)
    if (typeof list === 'string') return []
    const read = cards.map(({ card }) => readCard(user, fromText(card) ?? new Uint8Array()))
    const found = new Map<string, DeviceCard>()
    for (const card of await Promise.all(read)) {
      const key = card && toText(card.deviceKey)
      if (!card || key === undefined || !list.keys.has(key)) continue
      const { decision } = await this.#assess(card, list)
      // A device that has had several ids has several cards; the newest comes last.
      if (decision === 'accept') found.set(key, card)
    }
    return [...found.values()]
  }

  async #assess(identity: LeafIdentity, list: SeenList): Promise<Assessment> {
    const { state, reason, root, pin } = await this.#judge(identity, list)
    const { user, device } = identity
    const claim = { user, device, key: toText(identity.deviceKey), root, state, reason }
    const decision = await this.#decisionOn(claim)
    // Who is held back is not known by that: he is new the next time, too.
    if (state !== 'changed' && decision === 'accept') await this.#pin(user, pin)
    return { state, reason, decision }
  }

  /** The person has looked at the device and takes it for his. */
  async accept(identity: LeafIdentity): Promise<void> {
    const { pin } = await this.#judge(identity)
    await this.#pin(identity.user, pin)
  }

  /** The safety numbers were compared, and are the same. False where another one would be shown now. */
  async markVerified(identity: LeafIdentity): Promise<boolean> {
    const { pin, root, state } = await this.#judge(identity)
    const compared = this.#shownRoots.get(identity.user) ?? root
    if (state === 'changed' || compared !== root) return false
    await this.#pin(identity.user, { ...pin, verified: root })
    return true
  }

  /** 45 digits that are the same at the other one's, unless somebody sits in between. */
  async safetyNumberWith(identity: LeafIdentity): Promise<string> {
    // Without one's own list the number would be another one than the other side's.
    if (!this.#ownList) await this.publish().catch(() => undefined)
    const own = this.isListed && this.#ownList ? this.#ownList.root : this.key.publicKey
    const { root } = await this.#judge(identity)
    this.#shownRoots.set(identity.user, root)
    const key = fromText(root) ?? identity.deviceKey
    return safetyNumber({ user: this.user, key: own }, { user: identity.user, key })
  }

  /** An app that cannot decide has not accepted. */
  async #decisionOn(claim: IdentityClaim): Promise<Assessment['decision']> {
    try {
      return await this.#ports.trust(claim)
    } catch {
      return 'hold'
    }
  }

  async #judge(identity: LeafIdentity, list?: SeenList): Promise<Judgement> {
    const pin = await this.#pinOf(identity.user)
    // As with a server that knows no list: what was seen before decides.
    const known = list ?? (await this.#askForList(identity.user)) ?? 'empty'
    return judge(pin, known, identity.deviceKey)
  }

  /** The list of a user; undefined where it could not be asked for. */
  async #askForList(user: UserId): Promise<SeenList | undefined> {
    try {
      const { entries } = await this.#ports.request('devices.get', { user })
      return await this.#read(user, entries)
    } catch (error) {
      // Nobody waits for the answer of a client that is closed.
      const isClosed = error instanceof CallError && error.code === 'not-connected'
      return isClosed ? 'empty' : undefined
    }
  }

  async #read(user: UserId, entries: readonly string[]): Promise<SeenList> {
    const bytes = entries.flatMap((entry) => fromText(entry) ?? [])
    return bytes.length === entries.length ? readDeviceList(user, bytes) : 'forged'
  }

  async #change(change: 'add' | 'remove', deviceKey: string): Promise<void> {
    const key = fromText(deviceKey)
    if (key?.length !== PUBLIC_KEY_BYTES) throw new CallError('unknown-device')
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      await this.publish()
      const list = this.#ownList
      if (!list || !this.isListed || this.#replaced) throw new CallError('device-not-approved')
      if (list.keys.has(deviceKey) === (change === 'add')) return
      if (change === 'remove' && !list.keys.has(deviceKey)) throw new CallError('unknown-device')
      if (change === 'remove' && list.keys.size === 1) throw new CallError('last-device')
      const entry = toText(await this.#sign(change, key, list))
      if (await this.#append(list.heads.length, [entry])) {
        await this.publish()
        return
      }
    }
    throw new CallError('device-list-conflict')
  }

  /** False where another device was faster. */
  async #append(length: number, entries: readonly string[]): Promise<boolean> {
    try {
      await this.#ports.request('devices.append', { length, entries: [...entries] })
      return true
    } catch (error) {
      if (error instanceof CallError && error.code === 'device-list-conflict') return false
      throw error
    }
  }

  /** Keeps what the server shows of the own list, if it begins with what this device knows of it. */
  async #take(entries: readonly string[], kept: readonly string[]): Promise<void> {
    const list = await this.#read(this.user, entries)
    this.#replaced = typeof list === 'string' || !beginsWith(entries, kept)
    if (typeof list === 'string' || this.#replaced) return
    this.#ownList = list
    await this.#ports.store.set(`list/${this.user}`, [...entries])
  }

  async #keptEntries(): Promise<readonly string[]> {
    const kept = await this.#ports.store.get(`list/${this.user}`)
    return Array.isArray(kept) ? (kept as readonly string[]) : []
  }

  #sign(change: 'add' | 'remove', deviceKey: Uint8Array, list: DeviceList | undefined) {
    const { user } = this
    return signEntry(this.key, change, deviceKey, { list, user, nowMs: this.#ports.now() })
  }

  async #pinOf(user: UserId): Promise<Pin | undefined> {
    // Only this class writes under these names.
    return (await this.#ports.store.get(this.#pinName(user))) as Pin | undefined
  }

  #pin(user: UserId, pin: Pin): Promise<void> {
    return this.#ports.store.set(this.#pinName(user), pin)
  }

  #pinName(user: UserId): string {
    return `pin/${this.user}/${user}`
  }
}

function beginsWith(whole: readonly string[], start: readonly string[]): boolean {
  return start.every((entry, index) => entry === whole[index])
}

/** An identity store that is gone with the page: for tests, and where there is no IndexedDB. */
export function memoryIdentityStore(): IdentityStore {
  const values = new Map<string, unknown>()
  return {
    get: (name) => Promise.resolve(values.get(name)),
    set(name, value) {
      values.set(name, value)
      return Promise.resolve()
    },
    add(name, value) {
      if (!values.has(name)) values.set(name, value)
      return Promise.resolve(values.get(name))
    },
    delete(name) {
      values.delete(name)
      return Promise.resolve()
    },
  }
}
