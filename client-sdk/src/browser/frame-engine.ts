import { takeIncarnation } from '../e2ee/incarnations.ts'
import type { StreamSpec, ToWorker } from '../e2ee/worker-messages.ts'
import type { FromWorker } from '../e2ee/worker-messages.ts'
import { CallError } from '../errors.ts'
import type { FrameEngine, FrameWorkerListener } from '../ports.ts'

/** The worker's code, put in by the build. */
declare const PARLEY_FRAME_WORKER: string | undefined

/** Chromium before script transforms; in no standard. */
interface WithEncodedStreams {
  createEncodedStreams(): { readonly readable: ReadableStream; readonly writable: WritableStream }
}

/** Frame encryption as this browser can do it; never two ways on one connection. */
export function browserFrameEngine(workerUrl: string | undefined): FrameEngine {
  const scripted = typeof RTCRtpScriptTransform === 'function'
  let checked: Promise<void> | undefined
  return {
    connectionSettings: scripted ? {} : { encodedInsertableStreams: true },
    check: () => (checked ??= checkBrowser(scripted)),
    takeIncarnation: (epoch) => takeIncarnation(storage(), epoch),
    startWorker(listener) {
      if (!scripted && !hasEncodedStreams()) throw unsupported('it has no encoded transforms')
      const worker = startWorker(workerUrl, listener)
      const post = (message: ToWorker, transfer: Transferable[] = []) =>
        worker.postMessage(message, transfer)
      return {
        post,
        attach(endpoint, spec) {
          if (scripted) endpoint.transform = new RTCRtpScriptTransform(worker, spec)
          else attachEncodedStreams(endpoint, spec, post)
        },
        close: () => worker.terminate(),
      }
    },
  }
}

/** What is missing, if anything is: newer browsers have all of it, on pages with HTTPS. */
async function checkBrowser(scripted: boolean): Promise<void> {
  if (!scripted && !hasEncodedStreams()) throw unsupported('it has no encoded transforms')
  const make = (name: string, usages: KeyUsage[]) => crypto.subtle.generateKey(name, false, usages)
  try {
    await Promise.all([make('Ed25519', ['sign', 'verify']), make('X25519', ['deriveBits'])])
  } catch (error) {
    throw unsupported('it has no Ed25519 and X25519, or the page has no HTTPS', error)
  }
}

function unsupported(why: string, cause?: unknown): CallError {
  const message = `This browser cannot encrypt end to end: ${why}. Update it, or set \`encryption\` to \`off\`.`
  return new CallError('encryption-unsupported', { message, cause })
}

function hasEncodedStreams(): boolean {
  return typeof RTCRtpSender === 'function' && 'createEncodedStreams' in RTCRtpSender.prototype
}

function attachEncodedStreams(
  endpoint: RTCRtpSender | RTCRtpReceiver,
  spec: StreamSpec,
  post: (message: ToWorker, transfer: Transferable[]) => void,
): void {
  // It is there, or the worker would not have been started.
  const { readable, writable } = (endpoint as unknown as WithEncodedStreams).createEncodedStreams()
  post({ type: 'attach', spec, readable, writable }, [readable, writable])
}

function startWorker(workerUrl: string | undefined, listener: FrameWorkerListener): Worker {
  const failed = (cause: unknown) =>
    new CallError('encryption-unsupported', {
      message: 'The encryption worker did not start; does the page allow it (see workerUrl)?',
      cause,
    })
  let worker: Worker
  try {
    worker = new Worker(workerUrl ?? inlineWorkerUrl(), { name: 'parley-frames' })
  } catch (error) {
    throw failed(error)
  }
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => listener.told(data)
  worker.onerror = (event) => listener.failed(failed(event.message))
  return worker
}

let inlineUrl: string | undefined

/** Made once per page, and never revoked: a worker may still be loading from it. */
function inlineWorkerUrl(): string {
  if (typeof PARLEY_FRAME_WORKER !== 'string') throw new Error('this build has no inline worker')
  inlineUrl ??= URL.createObjectURL(new Blob([PARLEY_FRAME_WORKER], { type: 'text/javascript' }))
  return inlineUrl
}

/** Undefined where the page may not store. */
function storage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}
