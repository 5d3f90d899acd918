/**
 * The address that a connection counts for. With `hops` proxies in front, the one that the outermost of
 * them saw: each appends whom it saw to `x-forwarded-for`, and what stands before is anybody's claim.
 */
export function clientAddress(
  remote: string | undefined,
  forwarded: string | undefined,
  hops: number,
): string {
  const seen = [...(forwarded ?? '').split(',').map((part) => part.trim()), remote ?? '']
  const known = seen.filter((address) => address !== '')
  return addressKey(known[Math.max(0, known.length - 1 - hops)] ?? '')
}

/** One key for all that one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 one. */
function addressKey(address: string): string {
  const plain = address.toLowerCase().replace(/^\[|\](:\d+)?$/g, '')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1]
  if (mapped !== undefined) return mapped
  if (!plain.includes(':')) return plain.slice(0, LONGEST_KEY)
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  const prefix = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${prefix.join(':')}::/64`.slice(0, LONGEST_KEY)
}

/** A header may hold anything; a key is no longer than an address. */
const LONGEST_KEY = 45
