import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { setting } from './settings.ts'

/**
 * Structured log of one process. `error`: a person must act. `warn`: odd, still working. `info`: one
 * line per life-cycle step. `debug`: the rest. Addresses, tokens and SDP never above `debug`.
 */
export type Log = Logger

/** Levels in order of rising volume. */
export const logLevels = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** The row that every process's setting table holds for its log level. */
export const logLevelSetting = setting.choice('PARLEY_LOG_LEVEL', {
  about: 'How much is logged.',
  fallback: 'info',
  words: logLevels,
})

/** Opens the JSON-lines log of the process `name` on standard output, or on `destination`. */
export function createLog(
  name: string,
  { level = 'info', destination }: { level?: string; destination?: DestinationStream } = {},
): Log {
  const options = {
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return destination ? pino(options, destination) : pino(options)
}
