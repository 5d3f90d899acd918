import { readdirSync, readlinkSync } from 'node:fs'

/** What a process holds of the system. */
export interface Resources {
  readonly sockets: number
  readonly timers: number
}

/** Counts this process's sockets and timers. Linux. */
export function resourcesNow(): Resources {
  return {
    sockets: readdirSync('/proc/self/fd').filter(isSocket).length,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  }
}

function isSocket(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:')
  } catch {
    // The descriptor with which the folder itself was read.
    return false
  }
}
