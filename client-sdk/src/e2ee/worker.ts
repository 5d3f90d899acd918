// The entry of the worker: built into sdk.js, and beside it for pages that allow no inline workers.

import { FrameWorker } from './frame-worker.ts'
import type { Transformer } from './frame-worker.ts'
import type { FromWorker, StreamSpec, ToWorker } from './worker-messages.ts'

/** What of a worker's globals is used; the compiler knows those of pages only. */
interface WorkerScope {
  postMessage(message: FromWorker): void
  onmessage: ((event: { readonly data: ToWorker }) => void) | null
  onrtctransform:
    | ((event: { readonly transformer: Transformer & { readonly options: StreamSpec } }) => void)
    | null
}

const scope = globalThis as unknown as WorkerScope
const worker = new FrameWorker((message) => scope.postMessage(message))

scope.onmessage = ({ data }) => void worker.handle(data)
scope.onrtctransform = ({ transformer }) => worker.attach(transformer.options, transformer)
