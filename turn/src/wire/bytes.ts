/** Big-endian access to byte arrays. Reads past the end give zeros: callers check lengths first. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
}

/** Reads 4 bytes, big-endian, unsigned. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return readUint16(bytes, offset) * 0x1_0000 + readUint16(bytes, offset + 2)
}

/** Writes the low 16 bits of `value`, big-endian. */
export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value
}

/** Writes the low 32 bits of `value`, big-endian. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  writeUint16(bytes, offset, value >>> 16)
  writeUint16(bytes, offset + 2, value)
}

/** `length` rounded up to a multiple of four, as STUN attributes and stream ChannelData are. */
export function paddedLength(length: number): number {
  return (length + 3) & ~3
}
