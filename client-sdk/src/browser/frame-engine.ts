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
  return {
    connectionSettings: scripted ? {} : { encodedInsertableStreams: true },
    takeIncarnation: (epoch) => takeIncarnation(storage(), epoch),
    startWorker(listener) {
      if (!scripted && !hasEncodedStreams()) throw new CallError('encryption-unsupported')
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
