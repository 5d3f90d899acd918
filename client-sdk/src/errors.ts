import { errorCodes } from '@parley/protocol'
import type { ErrorCode, WireError } from '@parley/protocol'

/** Every error code that arises in the SDK itself, next to those of the server. */
export const sdkErrorCodes = {
  'media-denied': {
    retryable: false,
    meaning: 'The browser or the user refused the microphone or camera.',
  },
  'no-microphone': { retryable: false, meaning: 'No microphone is connected.' },
  'no-camera': { retryable: false, meaning: 'No camera is connected.' },
  'device-busy': {
    retryable: true,
    meaning: 'Another program uses the microphone or camera.',
  },
  'screen-denied': { retryable: false, meaning: 'No screen was chosen to share.' },
  'not-supported': {
    retryable: false,
    meaning: 'The browser cannot do this, or the page is not served over HTTPS.',
  },
  'not-connected': { retryable: true, meaning: 'There is no connection to the server.' },
  'token-failed': { retryable: true, meaning: 'The token provider of the app failed.' },
  'media-failed': { retryable: true, meaning: 'No media connection could be made.' },
  'push-denied': {
    retryable: false,
    meaning: 'The browser or the user does not allow notifications.',
  },
  'push-failed': { retryable: true, meaning: 'The push service of the browser is not there.' },
  'encryption-unsupported': {
    retryable: false,
    meaning: 'The browser, or the page, does not let media be encrypted end to end.',
  },
  'encryption-lost': {
    retryable: true,
    meaning: 'Media was about to pass end-to-end encryption by, and was stopped.',
  },
  'payload-unsealable': {
    retryable: false,
    meaning: 'No device of somebody who is rung is known that a payload could be sealed for.',
  },
  'encryption-pending': {
    retryable: true,
    meaning: 'Somebody is in the call who is not trusted, or the keys are still being agreed on.',
  },
  'device-not-approved': {
    retryable: false,
    meaning: 'None of the user’s devices has approved this one, so it cannot speak for them.',
  },
  'unknown-device': { retryable: false, meaning: 'The user has no such device.' },
  'last-device': {
    retryable: false,
    meaning: 'The last approved device stays: approve another one first.',
  },
  'call-ended': { retryable: false, meaning: 'The call is over.' },
  'bad-answer': { retryable: true, meaning: 'The server answered with something unreadable.' },
  timeout: { retryable: true, meaning: 'The server did not answer in time.' },
  aborted: { retryable: false, meaning: 'The app aborted the operation.' },
} as const satisfies Readonly<Record<string, { retryable: boolean; meaning: string }>>

export type SdkErrorCode = keyof typeof sdkErrorCodes

/** Every `code` that a {@link CallError} can have. */
export type CallErrorCode = ErrorCode | SdkErrorCode

/** The one error that the SDK throws. `retryable`: the same call can succeed later, unchanged. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: CallErrorCode
  readonly retryable: boolean

  constructor(code: CallErrorCode, details: { message?: string; cause?: unknown } = {}) {
    const { meaning, retryable } = codeTable[code]
    super(details.message ?? meaning, { cause: details.cause })
    this.code = code
    this.retryable = retryable
  }
}

const codeTable: Readonly<Record<CallErrorCode, { retryable: boolean; meaning: string }>> = {
  ...errorCodes,
  ...sdkErrorCodes,
}

/** Turns an error of the server into the one that apps see; an unknown code becomes `internal`. */
export function fromWire({ code, message }: WireError): CallError {
  return new CallError(Object.hasOwn(codeTable, code) ? code : 'internal', { message })
}

/** Throws `aborted` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CallError('aborted', { cause: signal.reason })
}

/** Waits for `work`, or rejects with `aborted` as soon as the signal fires. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  throwIfAborted(signal)
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new CallError('aborted', { cause: signal.reason }))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
