import { createRequire } from 'node:module'

/** What `native/addon.cpp` offers. Each thread that loads it has an engine of its own. */
export interface BatchedAddon {
  /** Starts the thread's engine, once. `onBatch` hears how many datagrams the table holds. */
  start(onBatch: (count: number) => void): ArrayBuffer
  /** Opens a socket and gives back its number; throws the error of the system. */
  open(host: string, port: number, reusePort: boolean): number
  close(socket: number): void
  /** Sends what the table holds, for when it is full; it is sent at the end of the turn anyway. */
  flush(): void
}

/** Where `native/build.mjs` puts the binary. */
const BINARY = '../../native/dist/batched-udp.node'

/** Loads the add-on; `undefined` where it was not built, or not for this machine. */
export function loadBatchedAddon(): BatchedAddon | undefined {
  try {
    // The binary is built from the source beside it, and the engine checks the layout it shares.
    return createRequire(import.meta.url)(BINARY) as BatchedAddon
  } catch {
    return undefined
  }
}
