import type { CallId, CallMessage, ParticipantId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import type { OperationOptions } from './call.ts'
import { fromText, toText } from './e2ee/octets.ts'
import { CallError } from './errors.ts'
import type { Request } from './signaling.ts'

/** What devices send each other in a call. */
export type CallData = string | Uint8Array

/** Whom it is for: one participant, or all others where left out. */
export interface SendOptions extends OperationOptions {
  readonly to?: ParticipantId
}

/** What people tell each other in a call besides their media. */
export class CallTalk {
  readonly #request: Request
  readonly #call: () => CallId

  /** `call`: the call's id, which changes when it is merged into another one. */
  constructor(request: Request, call: () => CallId) {
    this.#request = request
    this.#call = call
  }

  async send(data: CallData, { to, signal }: SendOptions): Promise<void> {
    const message = writeMessage(data)
    const about = { call: this.#call(), message, ...(to !== undefined && { to }) }
    await this.#request('call.send', about, { signal })
  }

  async react(reaction: string, { signal }: OperationOptions): Promise<void> {
    await this.#request('call.react', { call: this.#call(), reaction }, { signal })
  }

  async hand(raised: boolean, { signal }: OperationOptions): Promise<void> {
    await this.#request('call.hand', { call: this.#call(), raised }, { signal })
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

/** What somebody has sent; undefined for what no SDK sends. */
export function readMessage(message: CallMessage): CallData | undefined {
  return 'text' in message ? message.text : fromText(message.bytes)
}
