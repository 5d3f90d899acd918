import type { ParticipantId } from '@parley/protocol'
import { sameDevice } from '../core/group-needs.ts'
import type { DeviceName, Seat, Waiting } from '../core/group-needs.ts'
import { GroupError } from './group-key-agreement.ts'
import type { GroupKeyAgreement } from './group-key-agreement.ts'
import type { GroupAlarm } from './group-alarms.ts'
import { fromText } from './octets.ts'

/** An offer as the server passes it on: its participant is only the server's word. */
interface SentOffer {
  readonly participant: ParticipantId
  readonly keyPackage: string
}

/** What offers are looked at with. */
export interface MemberOffersPorts {
  readonly agreement: Promise<GroupKeyAgreement>
  readonly seatOf: (participant: ParticipantId) => Seat | undefined
  readonly found: (participant: ParticipantId, offer: Waiting) => void
  readonly alarm: (kind: GroupAlarm['kind'], detail: string) => void
}

/** Looks at the offers of those who want into the group. */
export class MemberOffers {
  readonly #ports: MemberOffersPorts

  constructor(ports: MemberOffersPorts) {
    this.#ports = ports
  }

  take(offers: readonly SentOffer[]): void {
    for (const offer of offers) void this.#inspect(offer)
  }

  /** Whether an offer is of the device that has the seat, as far as the seat is known. */
  check(participant: ParticipantId, { user, device }: DeviceName): boolean {
    const { seatOf, alarm } = this.#ports
    const seat = seatOf(participant)
    if (!seat || sameDevice(seat, { user, device })) return true
    alarm('bad-offer', `a key package of ${user} (${device}) for the seat of ${seat.user}`)
    return false
  }

  async #inspect({ participant, keyPackage }: SentOffer): Promise<void> {
    const { agreement, found, alarm } = this.#ports
    try {
      const bytes = fromText(keyPackage)
      const identity = bytes && (await (await agreement).inspect(bytes))
      if (!identity) throw new GroupError('a key package that no device has signed')
      const { user, device } = identity
      if (this.check(participant, identity)) found(participant, { user, device, keyPackage })
    } catch (error) {
      alarm('bad-offer', error instanceof Error ? error.message : '')
    }
  }
}
