import type { Millis, ParticipantId } from '@parley/protocol'
import type { CallData } from '../call-talk.ts'
import type { Clock } from '../ports.ts'
import { GroupError } from './group-key-agreement.ts'
import { packed, readUint64, sameBytes, uint64, unpacked, utf8 } from './octets.ts'
import type { Octets } from './octets.ts'

/** What is said in a call besides media. */
export type Saying =
  | { readonly kind: 'message'; readonly data: CallData }
  | { readonly kind: 'reaction'; readonly data: string }

/** What somebody has said. */
export interface Said {
  readonly saying: Saying
  readonly from: ParticipantId
  /** To this device alone. */
  readonly direct: boolean
}

/** What talk is sealed and read with. */
export interface SealedTalkPorts {
  readonly self: ParticipantId
  readonly clock: Pick<Clock, 'now'>
  /** Whether somebody is taken for who he says that he is. */
  readonly isTrusted: (participant: ParticipantId) => boolean
  readonly tell: (said: Said) => void
  readonly alarm: (participant: ParticipantId, detail: string) => void
}

const LABEL = utf8('parley-talk-1')
const TEXT = 1
const BYTES = 2
const REACTION = 3

/** What was sealed with keys that are no longer in use may be on its way for so long, as frames may. */
const OLD_EPOCH_MS: Millis = 10_000
/** Epochs whose end is remembered. */
const MOST_ENDED = 64
/** Senders whose place is remembered; more people do not fit into a call by far. */
const MOST_SENDERS = 1_000
/** Sayings of people who are looked at first. */
const MOST_HELD = 64

/**
 * What the members of a call say to each other besides frames. The group's messages bind the call and
 * the sender; this binds whom it is for, the epoch and the order: each message of a sender counts on.
 */
export class SealedTalk {
  readonly #ports: SealedTalkPorts
  #sent = 0
  readonly #lastOf = new Map<ParticipantId, number>()
  #epoch: number | undefined
  #ended: ReadonlyMap<number, Millis> = new Map()
  #held: readonly Said[] = []

  constructor(ports: SealedTalkPorts) {
    this.#ports = ports
  }

  /** The group is at this epoch, or there is none. */
  moved(epoch: number | undefined): void {
    if (epoch === this.#epoch) return
    if (this.#epoch !== undefined) {
      const ended = [...this.#ended, [this.#epoch, this.#ports.clock.now()] as const]
      this.#ended = new Map(ended.slice(-MOST_ENDED))
    }
    this.#epoch = epoch
  }

  /** What is to be sealed, at the epoch at which it will be. */
  write({ kind, data }: Saying, to: ParticipantId | undefined, epoch: number): Octets {
    const text = kind === 'reaction' ? REACTION : TEXT
    const [code, body] = typeof data === 'string' ? [text, utf8(data)] : [BYTES, data]
    const order = uint64(++this.#sent)
    return packed(LABEL, uint64(epoch), order, utf8(to ?? ''), Uint8Array.of(code), body)
  }

  /** Takes in what a member has sealed; false where it is something else. */
  take(message: Uint8Array, from: ParticipantId): boolean {
    const [label, ...fields] = unpacked(message, 6) ?? []
    if (!label || !sameBytes(label, LABEL)) return false
    try {
      this.#held = [...this.#held, this.#read(fields, from)].slice(-MOST_HELD)
      this.review()
    } catch (error) {
      const isLate = error instanceof GroupError && error.kind === 'past'
      if (!isLate) this.#ports.alarm(from, error instanceof Error ? error.message : '')
    }
    return true
  }

  /** Somebody may be trusted by now: tells what he has said. */
  review(): void {
    const { isTrusted, tell } = this.#ports
    const held = this.#held
    this.#held = held.filter(({ from }) => !isTrusted(from))
    for (const said of held) if (isTrusted(said.from)) tell(said)
  }

  #read(fields: readonly Octets[], from: ParticipantId): Said {
    const [epoch, order, to, kind, body] = fields
    const epochNumber = epoch && readUint64(epoch)
    const count = order && readUint64(order)
    const saying = body && sayingOf(kind?.[0], body)
    if (epochNumber === undefined || count === undefined || !to || !saying) {
      throw new GroupError('a message that no SDK writes')
    }
    if (!this.#isFresh(epochNumber)) {
      throw new GroupError('a message of an epoch that is over', 'past')
    }
    if (count <= (this.#lastOf.get(from) ?? 0)) throw new GroupError('a message that came before')
    const addressee = new TextDecoder().decode(to)
    const direct = addressee !== ''
    if (direct && addressee !== this.#ports.self) {
      throw new GroupError('a message for somebody else')
    }
    this.#keepPlace(from, count)
    return { saying, from, direct }
  }

  #keepPlace(from: ParticipantId, count: number): void {
    this.#lastOf.delete(from)
    this.#lastOf.set(from, count)
    const [oldest] = this.#lastOf.keys()
    if (this.#lastOf.size > MOST_SENDERS && oldest !== undefined) this.#lastOf.delete(oldest)
  }

  #isFresh(epoch: number): boolean {
    if (epoch === this.#epoch) return true
    const endedAt = this.#ended.get(epoch)
    return endedAt !== undefined && this.#ports.clock.now() - endedAt <= OLD_EPOCH_MS
  }
}

function sayingOf(code: number | undefined, body: Octets): Saying | undefined {
  const text = new TextDecoder().decode(body)
  if (code === REACTION) return { kind: 'reaction', data: text }
  if (code === TEXT) return { kind: 'message', data: text }
  return code === BYTES ? { kind: 'message', data: body } : undefined
}
