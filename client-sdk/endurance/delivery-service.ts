import type { CallId, ParticipantId, ServerEvent } from '@parley/protocol'
import { commit, commitsSince, create, newDelivery, offer, reset } from '@parley/signaling/delivery'
import { CallError } from '../src/errors.ts'

/** Data of the requests about keys, as far as any of them has it. */
export interface KeyRequest {
  readonly generation: number
  readonly epoch: number
  readonly since: number | null
  readonly keyPackage: string
  readonly groupInfo: string
  readonly commit: string
  readonly welcome?: string
  readonly message: string
  readonly added: readonly ParticipantId[]
}

/** What a call's keys need of the server, around the real delivery core. */
export class DeliveryService {
  readonly #call: CallId
  readonly #seats: () => Iterable<ParticipantId>
  readonly #tell: (to: ParticipantId, event: ServerEvent) => void
  #state = newDelivery

  constructor(
    call: CallId,
    seats: () => Iterable<ParticipantId>,
    tell: (to: ParticipantId, event: ServerEvent) => void,
  ) {
    this.#call = call
    this.#seats = seats
    this.#tell = tell
  }

  /** Loses what it knew of the group, as after a crash. */
  forget(): void {
    this.#state = newDelivery
  }

  /** Answers a request; throws what the client would be refused with. */
  answer(from: ParticipantId, type: string, data: KeyRequest): object {
    const call = this.#call
    switch (type) {
      case 'mls.offer': {
        const { keyPackage } = data
        this.#state = offer(this.#state, from, keyPackage)
        this.#tellOthers(from, {
          type: 'mls.waiting',
          data: { call, participant: from, keyPackage },
        })
        return this.#status(from)
      }
      case 'mls.create': {
        this.#settle(create(this.#state, { ...data, from }))
        const { generation, epoch } = data
        this.#tellOthers(from, { type: 'mls.created', data: { call, generation, epoch, from } })
        return {}
      }
      case 'mls.commit':
        this.#settle(commit(this.#state, { ...data, from }))
        this.#tellCommit(from, data)
        return {}
      case 'mls.fetch': {
        const { group } = this.#state
        const commits = group && data.since !== null ? commitsSince(group, data.since) : []
        return { ...this.#status(from), commits, groupInfo: group?.groupInfo ?? null }
      }
      case 'mls.message': {
        const { generation, message } = data
        this.#tellOthers(from, { type: 'mls.message', data: { call, generation, from, message } })
        return {}
      }
      case 'mls.reset': {
        this.#settle(reset(this.#state, data.generation))
        const { generation } = this.#state
        for (const to of this.#seats()) {
          this.#tell(to, { type: 'mls.reset', data: { call, generation } })
        }
        return {}
      }
      default:
        throw new CallError('unknown-request')
    }
  }

  #tellCommit(from: ParticipantId, data: KeyRequest): void {
    const call = this.#call
    const { generation, epoch, commit: bytes, added, welcome, groupInfo } = data
    for (const to of this.#seats()) {
      const winner = { call, generation, epoch, from, commit: bytes }
      this.#tell(to, { type: 'mls.commit', data: winner })
      if (welcome === undefined || !added.includes(to)) continue
      const entry = { call, generation, epoch: epoch + 1, welcome, groupInfo }
      this.#tell(to, { type: 'mls.welcome', data: entry })
    }
  }

  #settle(result: ReturnType<typeof commit>): void {
    if (!result.ok) throw new CallError(result.error.code)
    this.#state = result.data
  }

  #status(asker: ParticipantId) {
    const { generation, group, waiting } = this.#state
    const others = [...waiting].filter(([id]) => id !== asker)
    return {
      generation,
      epoch: group?.epoch ?? null,
      waiting: others.map(([participant, keyPackage]) => ({ participant, keyPackage })),
    }
  }

  #tellOthers(from: ParticipantId, event: ServerEvent): void {
    for (const to of this.#seats()) if (to !== from) this.#tell(to, event)
  }
}
