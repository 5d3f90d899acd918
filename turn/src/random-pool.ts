import { randomBytes } from 'node:crypto'

/** Larger makes fewer calls into the generator; each view keeps its whole pool alive. */
const POOL_BYTES = 4_096

/** Cryptographic randomness in small pieces: views of pools that are never written again. */
export function randomPool(): (byteCount: number) => Uint8Array {
  let pool = randomBytes(POOL_BYTES)
  let used = 0
  return (byteCount) => {
    if (used + byteCount > pool.length) {
      pool = randomBytes(Math.max(POOL_BYTES, byteCount))
      used = 0
    }
    used += byteCount
    return pool.subarray(used - byteCount, used)
  }
}
