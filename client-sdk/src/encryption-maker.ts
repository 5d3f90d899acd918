import type { DeviceId, UserId } from '@parley/protocol'
import { CallEncryption } from './e2ee/call-encryption.ts'
import { Identity } from './e2ee/identity/identity.ts'
import type { TrustPolicy } from './e2ee/identity/identity.ts'
import { mlsAgreement } from './e2ee/mls/agreement.ts'
import type { Environment, Seat } from './ports.ts'
import type { Request } from './signaling.ts'

/** What the encryption of all calls of a client is made with. */
export interface EncryptionSupplies {
  readonly environment: Environment
  readonly request: Request
  readonly trust: TrustPolicy
}

/** Makes the encryption of calls, for one device of one user. */
export class EncryptionMaker {
  readonly #supplies: EncryptionSupplies
  readonly #device: DeviceId
  readonly #identity: Promise<Identity>

  constructor(supplies: EncryptionSupplies, { user, device }: { user: UserId; device: DeviceId }) {
    this.#supplies = supplies
    this.#device = device
    const { environment, request, trust } = supplies
    const { identities: store, clock } = environment
    this.#identity = Identity.open({ store, request, trust, user, now: () => clock.now() })
  }

  /** Sees to the user's device list; where that fails, the next connection tries again. */
  publish(): void {
    this.#identity.then((identity) => identity.publish()).catch(() => undefined)
  }

  encryptionOf({ call, self }: Pick<Seat, 'call' | 'self'>): CallEncryption {
    const { environment, request } = this.#supplies
    const { clock } = environment
    const device = this.#device
    const identity = this.#identity
    const agreement = identity.then(({ user, key }) =>
      mlsAgreement({ call, user, device, key, now: () => clock.now() }),
    )
    return new CallEncryption({ call, self, clock, request, identity, agreement })
  }
}
