/** Why bytes from outside are not what they should be; counted or reported, never thrown. */
export interface DecodeError {
  readonly reason: 'truncated' | 'bad-version' | 'bad-value'
  /** Byte at which reading stopped. */
  readonly offset: number
}

/** A value out of bytes, or the reason why there is none. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: DecodeError }

export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value }
}

export function undecodable(reason: DecodeError['reason'], offset: number): Decoded<never> {
  return { ok: false, error: { reason, offset } }
}
