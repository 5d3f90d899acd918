import type {
  CallId,
  DeviceAddress,
  DeviceId,
  Grants,
  Millis,
  SessionId,
  UserId,
} from '@parley/protocol'
import { defaultGrants } from './grants.ts'
import type { NodeId } from './lease-book.ts'

/** What a device tells of its person. */
export type DeviceMood = 'online' | 'away' | 'invisible'

/** What a node tells the others of a device that has its session there. */
export interface DeviceState {
  /** Its socket is there, too. */
  readonly connected: boolean
  /** Its page goes away, perhaps to be loaded again. */
  readonly leaving?: boolean | undefined
  /** The session, whose end in favour of another one is not seen otherwise. */
  readonly session: SessionId
  readonly callWaiting: 'ring' | 'busy'
  readonly mood: DeviceMood
  /** The calls that it is in, wherever they are held. */
  readonly calls: readonly CallId[]
  /** When the session came to the node: of two nodes that claim a device the later one has it. */
  readonly since: Millis
  /** What its token lets it do; those of a token that says nothing where absent. */
  readonly grants?: Grants | undefined
}

/** A device that is somewhere else, and where. */
export interface Neighbour extends DeviceState {
  readonly node: NodeId
}

/**
 * What an announcement came to. `renewed`: the device is there, but remembers nothing. `altered`: what
 * it does there is different. `leaving`: its page goes away; `hungUp`: and has not come back.
 */
export type Change = 'renewed' | 'same' | Exclude<DeviceChange, 'unclaimed'>

/** What became of a device of another node. `unclaimed`: it has not come for its seats. */
export type DeviceChange =
  'connected' | 'altered' | 'away' | 'leaving' | 'gone' | 'hungUp' | 'unclaimed'

/** Told when what a known device may do has changed. */
export type RegrantListener = (at: DeviceAddress, grants: Grants) => void

/** The devices of the other nodes, as these have told. */
export class Neighbours {
  readonly #regranted: RegrantListener
  readonly #byUser = new Map<UserId, Map<DeviceId, Neighbour>>()

  constructor(regranted: RegrantListener = () => undefined) {
    this.#regranted = regranted
  }

  find({ user, device }: DeviceAddress): Neighbour | undefined {
    return this.#byUser.get(user)?.get(device)
  }

  /** Devices of a user with a socket. */
  connectedDevices(user: UserId): readonly DeviceId[] {
    const devices = [...(this.#byUser.get(user) ?? [])]
    return devices.filter(([, { connected }]) => connected).map(([device]) => device)
  }

  /** Devices of a user, those included that have no socket now. */
  devicesOf(user: UserId): readonly DeviceId[] {
    return [...(this.#byUser.get(user)?.keys() ?? [])]
  }

  /** What a user's devices tell of him. */
  moodsOf(user: UserId): readonly (readonly [DeviceId, DeviceMood])[] {
    return [...(this.#byUser.get(user) ?? [])].map(([device, { mood }]) => [device, mood])
  }

  users(): readonly UserId[] {
    return [...this.#byUser.keys()]
  }

  /** Takes in what a node tells of a device; `undefined`: its session there is over. */
  note(node: NodeId, at: DeviceAddress, state: DeviceState | undefined): Change {
    const known = this.find(at)
    if (!state) {
      // It has moved on, and the news of its end at the old node comes late.
      if (known?.node !== node) return 'same'
      this.#remove(at)
      return known.leaving ? 'hungUp' : 'gone'
    }
    if (known && known.node !== node && known.since > state.since) return 'same'
    const devices = this.#byUser.get(at.user) ?? new Map<DeviceId, Neighbour>()
    this.#byUser.set(at.user, devices.set(at.device, { ...state, node }))
    if (known && JSON.stringify(known.grants) !== JSON.stringify(state.grants)) {
      this.#regranted(at, state.grants ?? defaultGrants)
    }
    if (known && known.session !== state.session) return 'renewed'
    if (state.leaving && !known?.leaving) return 'leaving'
    if (known?.connected === state.connected) return isAlike(known, state) ? 'same' : 'altered'
    return state.connected ? 'connected' : 'away'
  }

  /** The device has its session here now. */
  forget(at: DeviceAddress): void {
    this.#remove(at)
  }

  /** All devices of a node. */
  ofNode(node: NodeId): readonly DeviceAddress[] {
    return [...this.#byUser].flatMap(([user, devices]) =>
      [...devices].filter(([, one]) => one.node === node).map(([device]) => ({ user, device })),
    )
  }

  #remove({ user, device }: DeviceAddress): void {
    const devices = this.#byUser.get(user)
    devices?.delete(device)
    if (devices?.size === 0) this.#byUser.delete(user)
  }
}

function isAlike(one: DeviceState, other: DeviceState): boolean {
  return one.mood === other.mood && one.calls.join() === other.calls.join()
}

/** A device of which nothing is known but that it is there. */
export function freshDevice(session: SessionId, since: Millis): DeviceState {
  return { connected: true, session, callWaiting: 'ring', mood: 'online', calls: [], since }
}
