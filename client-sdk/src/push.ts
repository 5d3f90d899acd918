import { abortable, CallError, throwIfAborted } from './errors.ts'
import type { OperationOptions } from './call.ts'
import type { Push } from './ports.ts'
import type { Request } from './signaling.ts'

/** How this browser is to be woken. */
export interface PushOptions extends OperationOptions {
  /** The page's service worker, or its address: it is told of rings while no page is open. */
  readonly serviceWorker: string | ServiceWorkerRegistration
}

/** Has the server wake this browser. Rejects with `push-off`, `push-denied` or `push-failed`. */
export async function enablePush(
  { push, request }: { readonly push: Push; readonly request: Request },
  { serviceWorker, signal }: PushOptions,
): Promise<void> {
  throwIfAborted(signal)
  const { key } = await request('push.key', {}, { signal })
  if (key === null) throw new CallError('push-off')
  const subscription = await abortable(push.subscribe(serviceWorker, key), signal)
  await request('push.subscribe', subscription, { signal })
}

/** Undoes it, at the server first: the browser alone would leave it to find out. */
export async function disablePush(
  { push, request }: { readonly push: Push; readonly request: Request },
  { signal }: OperationOptions,
): Promise<void> {
  throwIfAborted(signal)
  const { key } = await request('push.key', {}, { signal })
  await request('push.unsubscribe', {}, { signal })
  if (key !== null) await abortable(push.unsubscribe(key), signal)
}
