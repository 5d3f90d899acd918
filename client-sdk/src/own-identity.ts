import type { DeviceId, Millis, ServerEvent, UserId } from '@parley/protocol'
import type { OperationOptions } from './call.ts'
import { deviceCode } from './e2ee/identity/codes.ts'
import { readCard, signCard } from './e2ee/identity/device-card.ts'
import type { DeviceCard } from './e2ee/identity/device-card.ts'
import { Identity } from './e2ee/identity/identity.ts'
import type { TrustPolicy } from './e2ee/identity/identity.ts'
import { SealingKeys } from './e2ee/identity/sealing-key.ts'
import { fromText, toText } from './e2ee/octets.ts'
import { Emitter } from './emitter.ts'
import { abortable, CallError } from './errors.ts'
import type { Environment } from './ports.ts'
import type { Request } from './signaling.ts'

/**
 * How a device of this user stands. `approved`: it is in his signed list. `waiting`: it says that it is
 * his, and another device has to approve it. `revoked`: it was taken out. `replaced`, of this device
 * alone: the server shows another list than the one that it knows.
 */
export type DeviceState = 'approved' | 'waiting' | 'revoked' | 'replaced'

/** A device of this user. */
export interface OwnDevice {
  /** Its public key: an uncompressed P-256 point in base64url. */
  readonly key: string
  /** 30 digits of the key, which the device shows of itself: to be compared before it is approved. */
  readonly code: string
  readonly state: DeviceState
  /** It is the one that this page runs on. */
  readonly self: boolean
  /** Its id, where it has told that. */
  readonly device?: DeviceId
  /** When it was approved or revoked, by the clock of the device that did it. */
  readonly since?: Millis
}

interface OwnIdentityEvents {
  /** A device came, or another state of one. */
  changed: [devices: readonly OwnDevice[]]
}

/** What the identity of a device is made with. */
export interface OwnIdentityPorts {
  readonly environment: Pick<Environment, 'clock' | 'identities'>
  readonly request: Request
  readonly trust: TrustPolicy
}

/** How long a server that cannot keep or show lists is left alone. */
const RETRY_MS = 5_000

const order: Readonly<Record<DeviceState, number>> = {
  replaced: 0,
  approved: 1,
  waiting: 2,
  revoked: 3,
}

/** The keys of this device. */
export interface DeviceKeys {
  readonly device: DeviceId
  readonly identity: Identity
  readonly sealing: SealingKeys
}

interface Opened {
  readonly device: DeviceId
  readonly identity: Promise<Identity>
  readonly sealing: SealingKeys
}

/**
 * Who this device is to others, and the other devices of its user. The first device of a user stands
 * for him; each later one does once one that does has approved it. Until then people who know him are
 * warned of it.
 */
export class OwnIdentity extends Emitter<OwnIdentityEvents> {
  readonly #ports: OwnIdentityPorts
  #opened: Opened | undefined
  #devices: readonly OwnDevice[] = []
  #work: Promise<unknown> = Promise.resolve()
  #cancelRetry: () => void = () => undefined

  constructor(ports: OwnIdentityPorts) {
    super()
    this.#ports = ports
  }

  /** The devices of this user, this one first; none before they are known, or without encryption. */
  get devices(): readonly OwnDevice[] {
    return this.#devices
  }

  /** This device. */
  get self(): OwnDevice | undefined {
    return this.#devices.find(({ self }) => self)
  }

  /**
   * Takes a device into the user's signed list, so that those who know him trust it. Have the person
   * compare its `code` on both screens first: a key that the server put there has other digits. For
   * this very device, where it is `replaced`: takes the list that the server shows for the user's own.
   */
  async approve(device: Pick<OwnDevice, 'key'>, { signal }: OperationOptions = {}): Promise<void> {
    const isSelf = this.self?.state === 'replaced' && device.key === this.self.key
    await this.#change(
      (identity) => (isSelf ? identity.adopt() : identity.approve(device.key)),
      signal,
    )
  }

  /** Takes a device out of the list, as one that was lost: nobody trusts it any more. */
  async revoke(device: Pick<OwnDevice, 'key'>, { signal }: OperationOptions = {}): Promise<void> {
    await this.#change((identity) => identity.revoke(device.key), signal)
  }

  /** Gets or makes the keys of this device. */
  open(user: UserId, device: DeviceId): Promise<Identity> {
    const { environment, request, trust } = this.#ports
    const { identities: store, clock } = environment
    const now = () => clock.now()
    this.#opened ??= {
      device,
      identity: Identity.open({
        ...{ store, request, trust, user, now },
        pause: (ms) => new Promise<void>((resolve) => void clock.after(ms, resolve)),
      }),
      sealing: new SealingKeys({ store, user, now }),
    }
    return this.#opened.identity
  }

  /** The keys of this device; undefined before it is connected, or without encryption. */
  async keys(): Promise<DeviceKeys | undefined> {
    const opened = this.#opened
    if (!opened) return undefined
    const { device, identity, sealing } = opened
    return { device, identity: await identity, sealing }
  }

  /** Sees to the user's list and to this device's card, and looks at the other devices. */
  publish(): void {
    this.#cancelRetry()
    this.#work = this.#work
      .then(() => this.#publish())
      .catch((error: unknown) => {
        // A new session does it anew; a store that is away comes back within one.
        if (!(error instanceof CallError) || error.code !== 'store-unavailable') return
        this.#cancelRetry = this.#ports.environment.clock.after(RETRY_MS, () => this.publish())
      })
  }

  handle({ type }: ServerEvent): void {
    if (type === 'devices.changed') this.publish()
  }

  close(): void {
    this.#cancelRetry()
  }

  async #change(
    run: (identity: Identity) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const identity = await this.#opened?.identity
    if (!identity) throw new CallError('not-connected')
    await abortable(run(identity), signal)
    await abortable(this.#look(identity), signal)
  }

  async #publish(): Promise<void> {
    if (!this.#opened) return
    const { device, identity: opening, sealing } = this.#opened
    const identity = await opening
    const sealingKey = await sealing.current()
    await identity.publish()
    const cards = await this.#look(identity)
    const shown = cards.some(
      (card) =>
        card.device === device &&
        toText(card.deviceKey) === toText(identity.key.publicKey) &&
        toText(card.sealingKey) === toText(sealingKey),
    )
    if (shown) return
    const card = await signCard(identity.key, { user: identity.user, device, sealingKey })
    await this.#ports.request('devices.show', { card: toText(card) })
    await this.#look(identity)
  }

  /** Reads what the server knows of this user's devices, and tells if that has changed. */
  async #look(identity: Identity): Promise<readonly DeviceCard[]> {
    const { user } = identity
    const { cards: texts } = await this.#ports.request('devices.get', { user })
    const read = texts.map(({ card }) => readCard(user, fromText(card) ?? new Uint8Array()))
    const cards = (await Promise.all(read)).filter((card) => card !== undefined)
    const devices = await devicesOf(identity, cards)
    if (JSON.stringify(devices) !== JSON.stringify(this.#devices)) {
      this.#devices = devices
      this.emit('changed', devices)
    }
    return cards
  }
}

/** What list and cards say together. */
async function devicesOf(
  identity: Identity,
  cards: readonly DeviceCard[],
): Promise<readonly OwnDevice[]> {
  const own = toText(identity.key.publicKey)
  const { ownList: list } = identity
  const ids = new Map(cards.map(({ deviceKey, device }) => [toText(deviceKey), device]))
  const stateOf = (key: string): DeviceState => {
    if (key === own && identity.isReplaced) return 'replaced'
    if (list?.keys.has(key)) return 'approved'
    return list?.removed.has(key) ? 'revoked' : 'waiting'
  }
  const keys = new Set([own, ...(list?.keys ?? []), ...ids.keys(), ...(list?.removed ?? [])])
  const devices = await Promise.all(
    [...keys].map(async (key): Promise<OwnDevice> => {
      const code = await deviceCode(identity.user, fromText(key) ?? new Uint8Array())
      const [device, since] = [ids.get(key), list?.since.get(key)]
      const about = {
        ...(device !== undefined && { device }),
        ...(since !== undefined && { since }),
      }
      return { key, code, state: stateOf(key), self: key === own, ...about }
    }),
  )
  return devices.toSorted(
    (a, b) => Number(b.self) - Number(a.self) || order[a.state] - order[b.state],
  )
}
