import type { ChainableCommander } from 'ioredis'

/** Runs the commands as one. Throws what any of them failed with, which `exec` alone would not. */
export async function commit(multi: ChainableCommander): Promise<void> {
  for (const [error] of (await multi.exec()) ?? []) if (error) throw error
}
