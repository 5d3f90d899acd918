import type { CallId, Millis, UserId } from '@parley/protocol'
import type { Log } from '@parley/service'
import { noteFact } from './call-record.ts'
import type { CallRecord } from './call-record.ts'
import type { CallFact } from './core/call-facts.ts'
import type { CallRecords } from './store/call-records.ts'
import type { NewMissedCall } from './store/mailbox.ts'
import type { WebhookEvent } from './outbound/webhooks.ts'

/** Where reports go. */
export interface CallReporterPorts {
  readonly log: Log
  readonly records: CallRecords
  readonly tellApp: (event: WebhookEvent) => void
}

/** Keeps the record of each running call, files it when the call is over, and tells the app. */
export class CallReporter {
  readonly #ports: CallReporterPorts
  readonly #running = new Map<CallId, CallRecord>()

  constructor(ports: CallReporterPorts) {
    this.#ports = ports
  }

  running(): readonly CallRecord[] {
    return [...this.#running.values()]
  }

  find(call: CallId): CallRecord | undefined {
    return this.#running.get(call)
  }

  note(fact: CallFact): void {
    const { id } = fact.call
    const record = noteFact(this.#running.get(id), fact)
    this.#running.set(id, record)
    const told = wordsFor(fact, record)
    if (told) this.#ports.tellApp({ ...told, call: id, at: fact.at })
    if (fact.type !== 'ended') return
    this.#running.delete(id)
    void this.#file(record, fact.at)
  }

  /** Somebody has missed a call, which need not have come about. */
  missed(user: UserId, { call, from, media, reason, at }: NewMissedCall): void {
    const data = { call, user, from, media, reason, at }
    this.#ports.tellApp({ type: 'call.missed', call, at, data })
  }

  async #file(record: CallRecord, endedAt: Millis): Promise<void> {
    const filed = await this.#ports.records.put(record, endedAt)
    if (!filed.ok) this.#ports.log.warn({ call: record.call }, 'the record of a call is lost')
  }
}

function wordsFor(fact: CallFact, record: CallRecord): { type: string; data: unknown } | undefined {
  const { call, room, startedBy, startedAt, answeredAt, endedAt, reason } = record
  const base = { call, ...(room !== undefined && { room }) }
  switch (fact.type) {
    case 'started':
      return { type: 'call.started', data: { ...base, startedBy, startedAt } }
    case 'answered':
      return {
        type: 'call.answered',
        data: { ...base, answeredAt, rangForMs: span(startedAt, answeredAt) },
      }
    case 'joined':
    case 'left': {
      const { id: participant, user, device } = fact.participant
      const seat = { ...base, participant, user, device, at: fact.at }
      return fact.type === 'joined'
        ? { type: 'participant.joined', data: seat }
        : { type: 'participant.left', data: { ...seat, reason: fact.reason } }
    }
    case 'ended':
      return {
        type: 'call.ended',
        data: {
          ...base,
          ...{ startedBy, startedAt, answeredAt, endedAt, reason },
          durationMs: span(startedAt, endedAt),
          talkMs: span(answeredAt, endedAt),
          users: [...new Set(record.participants.map(({ user }) => user))],
        },
      }
    default:
      return undefined
  }
}

function span(from: Millis | undefined, to: Millis | undefined): Millis {
  return from === undefined || to === undefined ? 0 : to - from
}
