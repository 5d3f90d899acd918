import type { DeviceId } from '@parley/protocol'
import { CallEncryption } from './e2ee/call-encryption.ts'
import type { Identity } from './e2ee/identity/identity.ts'
import { mlsAgreement } from './e2ee/mls/agreement.ts'
import type { Environment, Seat } from './ports.ts'
import type { Signaling } from './signaling.ts'

/** What the encryption of all calls of a client is made with. */
export interface EncryptionSupplies {
  readonly environment: Environment
  readonly signaling: Pick<Signaling, 'request' | 'state'>
  readonly identity: Promise<Identity>
}

/** Makes the encryption of calls, for one device of one user. */
export class EncryptionMaker {
  readonly #supplies: EncryptionSupplies
  readonly #device: DeviceId

  constructor(supplies: EncryptionSupplies, device: DeviceId) {
    this.#supplies = supplies
    this.#device = device
  }

  encryptionOf({ call, self }: Pick<Seat, 'call' | 'self'>): CallEncryption {
    const { environment, signaling, identity } = this.#supplies
    const { request } = signaling
    const hears = () => signaling.state === 'connected'
    const { clock } = environment
    const device = this.#device
    const agreement = identity.then(({ user, key }) =>
      mlsAgreement({ call, user, device, key, now: () => clock.now() }),
    )
    return new CallEncryption({ call, self, clock, request, identity, agreement, hears })
  }
}
