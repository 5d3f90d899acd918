import type { CallId, CallMessage, ParticipantId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import type { OperationOptions } from './call.ts'
import type { CallEncryption } from './e2ee/call-encryption.ts'
import { fromText, toText } from './e2ee/octets.ts'
import type { Saying } from './e2ee/sealed-talk.ts'
import { abortable, CallError } from './errors.ts'
import type { Request } from './signaling.ts'

/** What devices send each other in a call. */
export type CallData = string | Uint8Array

/** Whom it is for: one participant, or all others where left out. */
export interface SendOptions extends OperationOptions {
  readonly to?: ParticipantId
}

interface Sealing {
  readonly saying: Saying
  readonly to: ParticipantId | undefined
  readonly signal: AbortSignal | undefined
}

/** What people tell each other in a call besides their media: sealed, where the call has keys. */
export class CallTalk {
  readonly #request: Request
  readonly #call: () => CallId
  readonly #keys: () => CallEncryption | undefined
  /** What was said before is on its way before. */
  #line: Promise<unknown> = Promise.resolve()

  /** `call`: the call's id, which changes when it is merged into another one; `keys`: its keys. */
  constructor(request: Request, call: () => CallId, keys: () => CallEncryption | undefined) {
    this.#request = request
    this.#call = call
    this.#keys = keys
  }

  async send(data: CallData, { to, signal }: SendOptions): Promise<void> {
    const plain = writeMessage(data)
    const keys = this.#keys()
    const saying = { kind: 'message', data } as const
    const message = keys ? await this.#seal(keys, { saying, to, signal }) : plain
    const about = { call: this.#call(), message, ...(to !== undefined && { to }) }
    await this.#request('call.send', about, { signal })
  }

  async react(reaction: string, { signal }: OperationOptions): Promise<void> {
    if (reaction.length === 0 || reaction.length > limits.reactionLength) {
      const message = `A reaction has 1 to ${limits.reactionLength} characters.`
      throw new CallError('bad-request', { message })
    }
    const keys = this.#keys()
    if (keys) {
      const saying = { kind: 'reaction', data: reaction } as const
      const message = await this.#seal(keys, { saying, to: undefined, signal })
      await this.#request('call.send', { call: this.#call(), message }, { signal })
    } else await this.#request('call.react', { call: this.#call(), reaction }, { signal })
  }

  async hand(raised: boolean, { signal }: OperationOptions): Promise<void> {
    await this.#request('call.hand', { call: this.#call(), raised }, { signal })
  }

  /** Seals after what was said before. */
  #seal(keys: CallEncryption, { saying, to, signal }: Sealing): Promise<CallMessage> {
    const sealed = this.#line.then(() => keys.seal(saying, to))
    this.#line = sealed.catch(() => undefined)
    return abortable(sealed, signal)
  }
}

/** Throws `too-large`. */
function writeMessage(data: CallData): CallMessage {
  const message = typeof data === 'string' ? { text: data } : { bytes: toText(data) }
  const { length } = message.text ?? message.bytes
  if (length > limits.messageLength) {
    const most = `${limits.messageLength} characters, or ${(limits.messageLength * 3) / 4} bytes`
    throw new CallError('too-large', { message: `A message has at most ${most}.` })
  }
  return message
}

/** What somebody has sent in the clear; undefined for what no SDK sends, and for what is sealed. */
export function readMessage(message: CallMessage): CallData | undefined {
  if ('text' in message) return message.text
  return 'bytes' in message ? fromText(message.bytes) : undefined
}
