import type { CallId, DeviceId, ParticipantId, UserId } from '@parley/protocol'
import { soleFingerprint } from '../core/fingerprint.ts'
import type { LeafIdentity } from './credential.ts'
import { verifies } from './identity/device-key.ts'
import type { DeviceKey } from './identity/device-key.ts'
import { fromText, packed, sha256, toText, uint64, unpacked, utf8 } from './octets.ts'
import type { Octets } from './octets.ts'

/** One end of a direct path. */
export interface Endpoint {
  readonly participant: ParticipantId
  readonly user: UserId
  readonly device: DeviceId
}

/** What a binding is made with. */
export interface PeerBindingPorts {
  readonly call: CallId
  readonly self: Endpoint
  readonly key: () => Promise<DeviceKey>
  /** The other end, once it is a member of the call's group and trusted. */
  readonly peer: () => Promise<Endpoint & Pick<LeafIdentity, 'deviceKey'>>
  readonly nonce: () => Octets
}

/** A session description as far as it is signed. */
export interface BoundDescription {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
  readonly round: number
}

/** Own offers whose answers may still come. */
const MOST_ROUNDS = 16

/**
 * Binds a direct path to the two devices that have it. DTLS-SRTP is end to end only if nobody has
 * swapped the certificates' fingerprints, which the server carries: so each description is signed by
 * its device over both devices, the call and the fingerprint; an answer covers the offer that it
 * answers, and a confirmation covers the answer. Rules: `docs/protocol/keys.md`.
 */
export class PeerBinding {
  readonly #ports: PeerBindingPorts
  /** Hash of each own offer, by its round. */
  readonly #offers = new Map<number, Octets>()
  #theirOffer: { readonly round: number; readonly hash: Octets } | undefined
  /** What a confirmation has to cover: our newest answer. */
  #answer: Octets | undefined
  #fingerprint: string | undefined
  #sealed: (Pick<BoundDescription, 'type' | 'round'> & { readonly proof: string }) | undefined
  #confirmed = false

  constructor(ports: PeerBindingPorts) {
    this.#ports = ports
  }

  /** Whether both have proven themselves to each other. */
  get confirmed(): boolean {
    return this.#confirmed
  }

  /** The fingerprint that the other device has signed; its certificate must have it. */
  get fingerprint(): string | undefined {
    return this.#fingerprint
  }

  /** Signs an own description; undefined if it has no sole fingerprint, or is an answer to nothing. */
  async seal(description: BoundDescription): Promise<string | undefined> {
    const { key, peer, self, nonce } = this.#ports
    const { type, round } = description
    // One that is sent again is the same one: its answer must fit.
    if (this.#sealed?.type === type && this.#sealed.round === round) return this.#sealed.proof
    const salt = nonce()
    const before = type === 'answer' ? this.#theirOffer : undefined
    if (type === 'answer' && before?.round !== round) return undefined
    const ends = [self, await peer()] as const
    const signed = this.#content(description, ends, salt, before?.hash)
    if (!signed) return undefined
    const signature = await (await key()).sign(signed)
    const hash = await sha256(packed(signed, signature))
    if (type === 'answer') this.#answer = hash
    else this.#remember(round, hash)
    const proof = toText(packed(salt, signature))
    this.#sealed = { type, round, proof }
    return proof
  }

  /** Checks a description of the other device; the answer to a sound answer is a confirmation. */
  async check(
    description: BoundDescription,
    proof: string | undefined,
  ): Promise<{ readonly confirmation: string | undefined } | undefined> {
    const { peer, self } = this.#ports
    const { type, round, sdp } = description
    const [salt, signature] = unpacked(fromText(proof ?? '') ?? new Uint8Array(), 2) ?? []
    const own = type === 'answer' ? this.#offers.get(round) : undefined
    if (!salt || !signature || (type === 'answer' && !own)) return undefined
    const from = await peer()
    const signed = this.#content(description, [from, self], salt, own)
    if (!signed || !(await verifies(from.deviceKey, signed, signature))) return undefined
    const fingerprint = soleFingerprint(sdp)
    // A certificate lasts as long as its connection: another one is somebody else's.
    if (this.#fingerprint !== undefined && this.#fingerprint !== fingerprint) return undefined
    this.#fingerprint = fingerprint
    const hash = await sha256(packed(signed, signature))
    if (type === 'offer') {
      this.#theirOffer = { round, hash }
      return { confirmation: undefined }
    }
    this.#confirmed = true
    const key = await this.#ports.key()
    return { confirmation: toText(await key.sign(this.#confirmation(hash))) }
  }

  /** Checks what the other device says to our answer. */
  async confirm(confirmation: string): Promise<boolean> {
    const signature = fromText(confirmation)
    if (!signature || !this.#answer) return false
    const { deviceKey } = await this.#ports.peer()
    const sound = await verifies(deviceKey, this.#confirmation(this.#answer), signature)
    this.#confirmed ||= sound
    return sound
  }

  #content(
    { type, sdp, round }: BoundDescription,
    fromTo: readonly [Endpoint, Endpoint],
    salt: Uint8Array,
    offer: Octets | undefined,
  ): Octets | undefined {
    const fingerprint = soleFingerprint(sdp)
    if (fingerprint === undefined) return undefined
    const ends = fromTo.flatMap(({ participant, user, device }) => [
      utf8(participant),
      utf8(user),
      utf8(device),
    ])
    return packed(
      utf8(`parley-sdp-${type}-1`),
      utf8(this.#ports.call),
      ...ends,
      utf8(fingerprint),
      salt,
      uint64(round),
      offer ?? new Uint8Array(),
    )
  }

  #confirmation(answer: Octets): Octets {
    return packed(utf8('parley-sdp-confirm-1'), utf8(this.#ports.call), answer)
  }

  #remember(round: number, hash: Octets): void {
    this.#offers.set(round, hash)
    const [oldest] = this.#offers.keys()
    if (this.#offers.size > MOST_ROUNDS && oldest !== undefined) this.#offers.delete(oldest)
  }
}
