import { readUint16, writeUint16 } from '../bytes.ts'
import type { Attribute } from './attribute.ts'

export const PASSWORD_ALGORITHM = 0x001d
export const PASSWORD_ALGORITHMS = 0x8002

/** Numbers of the algorithms that turn a password into a key. RFC 8489 §18.5. */
export const passwordAlgorithmNumbers = { md5: 1, sha256: 2 } as const

/** How a password becomes a key. */
export type PasswordAlgorithm = keyof typeof passwordAlgorithmNumbers

/** Encodes PASSWORD-ALGORITHM: the number, and the length 0 of its parameters. RFC 8489 §14.12. */
export function passwordAlgorithm(algorithm: PasswordAlgorithm): Attribute {
  return { type: PASSWORD_ALGORITHM, value: entries([algorithm]) }
}

/** Encodes PASSWORD-ALGORITHMS, the preferred one first. RFC 8489 §14.11. */
export function passwordAlgorithms(algorithms: readonly PasswordAlgorithm[]): Attribute {
  return { type: PASSWORD_ALGORITHMS, value: entries(algorithms) }
}

/** Decodes PASSWORD-ALGORITHM; `undefined` when it names none that has a meaning here. */
export function readPasswordAlgorithm(value: Uint8Array): PasswordAlgorithm | undefined {
  // Neither algorithm has parameters.
  if (value.length !== 4 || readUint16(value, 2) !== 0) return undefined
  const number = readUint16(value, 0)
  if (number === passwordAlgorithmNumbers.md5) return 'md5'
  return number === passwordAlgorithmNumbers.sha256 ? 'sha256' : undefined
}

function entries(algorithms: readonly PasswordAlgorithm[]): Uint8Array {
  const value = new Uint8Array(4 * algorithms.length)
  algorithms.forEach((name, index) => {
    writeUint16(value, 4 * index, passwordAlgorithmNumbers[name])
  })
  return value
}
