import { fail, ok } from '@parley/protocol'
import type { Result } from '@parley/protocol'
import type { Log } from '@parley/service'
import type { NodeId } from '../core/lease-book.ts'
import { askings, parseNodeFrame, tellings } from './messages.ts'
import type { Asking, AskingType, NodeFrame, Telling, TellingType } from './messages.ts'

/** How long another node may take. Longer than its orders to SFU nodes, which it may have to wait for. */
const ANSWER_TIMEOUT_MS = 10_000

/** Questions under way at once; in normal work there is one for each request of a moment. */
const MOST_QUESTIONS = 10_000

/** Carries texts between nodes. */
export interface NodeWire {
  /** Whether anybody hears it; nobody does where the node is gone. */
  send(to: NodeId, text: string): Promise<Result<boolean>>
  listen(as: NodeId, listener: (text: string) => void): void
}

/** What a node does with what it hears. */
export interface NodeEar {
  told<T extends TellingType>(from: NodeId, type: T, data: Telling<T>): void
  asked<T extends AskingType>(from: NodeId, type: T, data: Asking<T>): Promise<unknown>
}

interface Question {
  readonly to: NodeId
  readonly settle: (answer: Result<unknown>) => void
}

/** Messages to and from the other nodes: telling, and asking with an answer or a deadline. */
export class NodeChannel {
  readonly #node: NodeId
  readonly #wire: NodeWire
  readonly #log: Log
  readonly #questions = new Map<number, Question>()
  #lastId = 0

  constructor({ node, wire, log }: { node: NodeId; wire: NodeWire; log: Log }) {
    this.#node = node
    this.#wire = wire
    this.#log = log
  }

  listen(ear: NodeEar): void {
    this.#wire.listen(this.#node, (text) => this.#onText(text, ear))
  }

  tell<T extends TellingType>(to: NodeId, type: T, data: Telling<T>): Promise<Result<boolean>> {
    return this.#send(to, { kind: 'tell', from: this.#node, type, data })
  }

  /** What the node answers; `store-unavailable` if it cannot be reached, or not in time. */
  async ask<T extends AskingType>(to: NodeId, type: T, data: Asking<T>): Promise<Result<unknown>> {
    if (this.#questions.size >= MOST_QUESTIONS) return fail('store-unavailable')
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve) => {
      const settle = (answer: Result<unknown>) => {
        clearTimeout(timer)
        this.#questions.delete(id)
        resolve(answer)
      }
      const timer = setTimeout(() => settle(fail('store-unavailable')), ANSWER_TIMEOUT_MS)
      this.#questions.set(id, { to, settle })
      void this.#send(to, { kind: 'ask', from: this.#node, id, type, data }).then((sent) => {
        if (!sent.ok) settle(sent)
        else if (!sent.data) settle(fail('store-unavailable'))
      })
    })
  }

  /** Nothing more will come from a node. */
  abandon(node: NodeId): void {
    for (const { to, settle } of [...this.#questions.values()]) {
      if (to === node) settle(fail('store-unavailable'))
    }
  }

  close(): void {
    for (const { settle } of [...this.#questions.values()]) settle(fail('shutting-down'))
  }

  #send(to: NodeId, frame: NodeFrame): Promise<Result<boolean>> {
    return this.#wire.send(to, JSON.stringify(frame))
  }

  #onText(text: string, ear: NodeEar): void {
    const frame = parseNodeFrame(text)
    if (!frame) {
      this.#log.warn('a node sent a message that is not known here')
      return
    }
    const { from } = frame
    if (frame.kind === 'answer') {
      this.#questions.get(frame.id)?.settle(ok(frame.data))
    } else if (frame.kind === 'tell') {
      const parsed = parseBy(tellings, frame)
      if (parsed) ear.told(from, parsed.type, parsed.data as never)
      else this.#log.warn({ type: frame.type.slice(0, 64) }, 'a node told what is not known here')
    } else {
      const parsed = parseBy(askings, frame)
      const answer = parsed
        ? ear.asked(from, parsed.type, parsed.data as never)
        : Promise.resolve(fail('unknown-request'))
      const { id } = frame
      void answer.then((data) => this.#send(from, { kind: 'answer', from: this.#node, id, data }))
    }
  }
}

/** Type and data, where the type is in the table and the data fits it. */
function parseBy<Table extends Readonly<Record<string, { safeParse(data: unknown): Parsed }>>>(
  table: Table,
  { type, data }: { readonly type: string; readonly data?: unknown },
): { readonly type: keyof Table & string; readonly data: unknown } | undefined {
  if (!Object.hasOwn(table, type)) return undefined
  const parsed = table[type]?.safeParse(data)
  return parsed?.success ? { type, data: parsed.data } : undefined
}

type Parsed = { readonly success: true; readonly data: unknown } | { readonly success: false }
