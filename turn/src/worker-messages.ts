import type { Drain } from './core/server-state.ts'
import type { SessionSelector } from './core/sessions.ts'
import type { EngineKeys, EngineOptions } from './engine.ts'
import type { StrayDatagram } from './ports.ts'
import type { ListenerAddress } from './setting-values.ts'

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly options: EngineOptions
  readonly logLevel: string
}

/** What the main thread asks of a worker. */
export type WorkerOrder =
  | { readonly type: 'sessions' }
  | { readonly type: 'endSessions'; readonly selector: SessionSelector }
  | { readonly type: 'drain'; readonly drain: Drain | undefined }
  | { readonly type: 'useKeys'; readonly keys: EngineKeys }
  | { readonly type: 'takeStray'; readonly datagram: StrayDatagram }
  | { readonly type: 'close' }

/** An order with the number that its answer carries; 0 for one that needs none. */
export interface NumberedOrder {
  readonly number: number
  readonly order: WorkerOrder
}

/** What a worker tells the main thread. */
export type WorkerReport =
  | { readonly type: 'listening'; readonly listeners: readonly ListenerAddress[] }
  /** It could not start; `message` is meant for the operator. */
  | { readonly type: 'notStarted'; readonly message: string }
  /** A datagram for the worker `owner`, which has its client. */
  | { readonly type: 'stray'; readonly owner: number; readonly datagram: StrayDatagram }
  | { readonly type: 'answer'; readonly number: number; readonly value: unknown }
