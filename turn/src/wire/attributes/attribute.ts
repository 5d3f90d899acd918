/** One attribute of a STUN message: a 16-bit type and the value without padding. RFC 8489 §14. */
export interface Attribute {
  readonly type: number
  readonly value: Uint8Array
}
