import type { CallId, ClientRequestData, ClientRequestResult, UserId } from '@parley/protocol'
import type { CallContext, CallOrigin } from './call-context.ts'
import { RING_AGAIN_ATTEMPTS, RING_AGAIN_RETRY_MS } from './defaults.ts'
import { CallError } from './errors.ts'
import type { Clock } from './ports.ts'
import type { Request } from './signaling.ts'

/** What rings these users for the call: what goes with it is sealed for the devices that they have now. */
export async function ringData(
  { encrypts: encrypted, payloads }: Pick<CallContext, 'encrypts' | 'payloads'>,
  { media, payload: text }: CallOrigin,
  { call, users }: { readonly call: CallId; readonly users: UserId[] },
): Promise<ClientRequestData<'call.start'>> {
  const ring = { call, users, media, encrypted }
  return text === undefined ? ring : { ...ring, payload: await payloads.write(text, call, users) }
}

/**
 * Rings anew, as the same call, after the server has lost it: nobody had answered, so there is no
 * ticket but the caller's. The others' devices may take a moment to be connected again.
 */
export async function ringAgain(
  { request, clock }: { readonly request: Request; readonly clock: Clock },
  call: ClientRequestData<'call.start'>,
): Promise<ClientRequestResult<'call.start'>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request('call.start', call)
    } catch (error) {
      const mayHelp = error instanceof CallError && error.retryable
      if (!mayHelp || attempt >= RING_AGAIN_ATTEMPTS) throw error
      await new Promise<void>((resolve) => void clock.after(RING_AGAIN_RETRY_MS, resolve))
    }
  }
}
