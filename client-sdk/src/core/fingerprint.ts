const SHA_256_BYTES = 32

/**
 * The one certificate that a session description names (RFC 8122), as 64 lower-case hex digits. A
 * description with none, with two different ones or with a weaker hash is not to be applied:
 * undefined.
 */
export function soleFingerprint(sdp: string): string | undefined {
  const lines = sdp.split(/\r\n|\r|\n/)
  const named = lines.filter((line) => /^\s*a\s*=\s*fingerprint/i.test(line))
  const found = named.map(readFingerprint)
  const [first] = found
  return first !== undefined && found.every((one) => one === first) ? first : undefined
}

function readFingerprint(line: string): string | undefined {
  const [, hex] = /^a=fingerprint:sha-256 ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i.exec(line) ?? []
  return hex?.replaceAll(':', '').toLowerCase()
}

/** A hash as {@link soleFingerprint} writes it. */
export function fingerprintText(hash: Uint8Array): string | undefined {
  if (hash.length !== SHA_256_BYTES) return undefined
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
