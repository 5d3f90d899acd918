import type { CallId, UserId } from '@parley/protocol'
import { fromText, toText, utf8 } from './e2ee/octets.ts'
import { MOST_PAYLOAD_BYTES, openPayload, sealPayload } from './e2ee/sealed-payload.ts'
import type { RingName } from './e2ee/sealed-payload.ts'
import { CallError } from './errors.ts'
import type { OwnIdentity } from './own-identity.ts'

/** Begins a payload that is not sealed; sealed ones begin with their version. */
const CLEAR = 0

/** What goes with a ring, and with the call that was missed: sealed, where this device encrypts. */
export class RingPayloads {
  readonly #identity: OwnIdentity
  readonly #encrypts: boolean

  constructor(identity: OwnIdentity, encrypts: boolean) {
    this.#identity = identity
    this.#encrypts = encrypts
  }

  /**
   * Writes what goes with a ring of these users, for the devices that they have now. Rejects with
   * `payload-unsealable` where somebody has none that is known and trusted.
   */
  async write(text: string, call: CallId, users: readonly UserId[]): Promise<string> {
    const bytes = utf8(text)
    if (bytes.length > MOST_PAYLOAD_BYTES) {
      const message = `A payload has at most ${MOST_PAYLOAD_BYTES} bytes.`
      throw new CallError('too-large', { message })
    }
    if (!this.#encrypts) return toText(Uint8Array.of(CLEAR, ...bytes))
    const keys = await this.#identity.keys()
    if (!keys) throw new CallError('not-connected')
    const { identity, device } = keys
    const devices = await Promise.all(users.map((user) => identity.sealableDevicesOf(user)))
    const unreached = users.find((_, index) => devices[index]?.length === 0)
    if (unreached !== undefined) {
      const message = `No device of ${unreached} is known that a payload could be sealed for.`
      throw new CallError('payload-unsealable', { message })
    }
    const sender = { user: identity.user, device, key: identity.key }
    const ring = { call, from: identity.user }
    return toText(await sealPayload(text, ring, { sender, recipients: devices.flat() }))
  }

  /**
   * Reads what came with a ring; undefined where this device has no key for it, where somebody else has
   * sealed it, and where it is not sealed though this device expects that.
   */
  async read(payload: string, ring: RingName): Promise<string | undefined> {
    const bytes = fromText(payload)
    if (!bytes) return undefined
    if (bytes[0] === CLEAR) {
      return this.#encrypts ? undefined : new TextDecoder().decode(bytes.slice(1))
    }
    const keys = await this.#identity.keys()
    if (!keys) return undefined
    const { identity, sealing } = keys
    const deviceKey = identity.key.publicKey
    const opened = await openPayload(bytes, ring, { deviceKey, sealing })
    if (!opened) return undefined
    const { decision } = await identity.assess(opened.sender)
    return decision === 'accept' ? opened.text : undefined
  }
}
