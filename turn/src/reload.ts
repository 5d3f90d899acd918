import { unwatchFile, watchFile } from 'node:fs'
import type { Log } from '@parley/service'
import type { TurnConfig } from './config.ts'
import type { TurnHandle } from './start.ts'

/**
 * How often files are looked at. Looking finds what notifications miss, such as links that container
 * platforms swap; longer leaves a stolen secret in use longer.
 */
const LOOK_EVERY_MS = 5_000

/** Watching that can be stopped. */
export interface ReloadWatch {
  /** Reads everything again now. */
  reload(): Promise<void>
  close(): void
}

/**
 * Reloads a running server when one of the files behind its configuration changes. A configuration
 * that cannot be read leaves the old one in place.
 */
export function watchConfig(
  turn: Pick<TurnHandle, 'reload'>,
  {
    files,
    read,
    log,
    lookEveryMs = LOOK_EVERY_MS,
  }: {
    readonly files: readonly string[]
    readonly read: () => TurnConfig
    readonly log: Log
    readonly lookEveryMs?: number
  },
): ReloadWatch {
  const reload = async () => {
    try {
      await turn.reload(read())
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.error({ reason }, 'the configuration could not be read again; the old one stays')
    }
  }
  const onChange = () => {
    void reload()
  }
  for (const file of files) {
    watchFile(file, { interval: lookEveryMs, persistent: false }, onChange)
  }
  return {
    reload,
    close: () => {
      for (const file of files) unwatchFile(file, onChange)
    },
  }
}
