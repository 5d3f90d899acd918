/**
 * An IP address as a plain value that compares with `===` and keys a map: IPv4 is its 32-bit number,
 * IPv6 a string of 16 characters, one for each byte (codes 0–255). It is the bytes, not a spelling.
 */
export type IpAddress = number | string

/** Address family, as people number it. */
export type Family = 4 | 6

/** A transport address. `host` is the text that sockets take. */
export interface Endpoint {
  readonly address: IpAddress
  readonly port: number
  readonly host: string
}

/** Address and port as one map key: a safe integer for IPv4, a string for IPv6. */
export type EndpointKey = number | string

const IPV6_BYTES = 16

/** The map key of a transport address. */
export function endpointKey(address: IpAddress, port: number): EndpointKey {
  return typeof address === 'number'
    ? address * 0x1_0000 + port
    : address + String.fromCharCode(port)
}

export function familyOf(address: IpAddress): Family {
  return typeof address === 'number' ? 4 : 6
}

/** Makes an endpoint from an address. */
export function endpointOf(address: IpAddress, port: number): Endpoint {
  return { address, port, host: formatAddress(address) }
}

/**
 * Parses what a socket reports as the other side. IPv4 in its IPv6-mapped spelling, which dual-stack
 * sockets report, becomes IPv4; a zone (`%eth0`) is left out.
 */
export function parseSocketAddress(host: string): IpAddress | undefined {
  const v4 = parseIpv4(host)
  if (v4 !== undefined) return v4
  const zone = host.indexOf('%')
  const address = parseAddress(zone < 0 ? host : host.slice(0, zone))
  return address === undefined ? undefined : unmapped(address)
}

/** Parses IPv4 or IPv6 text, without brackets or zone. */
export function parseAddress(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** The text of an address: dotted IPv4, or IPv6 in lower case with eight groups. */
export function formatAddress(address: IpAddress): string {
  if (typeof address === 'number') {
    return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
  }
  const groups: string[] = []
  for (let at = 0; at < IPV6_BYTES; at += 2) groups.push(groupAt(address, at).toString(16))
  return groups.join(':')
}

/** Reads the 32-bit word that starts at byte `at` of an IPv6 address. */
export function wordAt(address: string, at: number): number {
  return groupAt(address, at) * 0x1_0000 + groupAt(address, at + 2)
}

/** `::ffff:a.b.c.d` as IPv4; any other address as it is. */
export function unmapped(address: IpAddress): IpAddress {
  if (typeof address === 'number') return address
  const mapped =
    wordAt(address, 0) === 0 && wordAt(address, 4) === 0 && wordAt(address, 8) === 0xffff
  return mapped ? wordAt(address, 12) : address
}

// Runs once per packet on the pure path, hence the loop over characters instead of a split.
function parseIpv4(text: string): number | undefined {
  let value = 0
  let part = -1
  let dots = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      if (part < 0) return undefined
      value = value * 256 + part
      part = -1
      dots++
    } else {
      const digit = code - 48
      // A leading zero would be octal to other parsers, so it is not an address here.
      if (digit < 0 || digit > 9 || part === 0) return undefined
      part = part < 0 ? digit : part * 10 + digit
      if (part > 255) return undefined
    }
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined
}

function parseIpv6(text: string): string | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const isWhole = halves.length === 1
  const head = parseGroups(halves[0] ?? '', isWhole)
  const tail = isWhole ? '' : parseGroups(halves[1] ?? '', true)
  if (head === undefined || tail === undefined) return undefined
  const missing = IPV6_BYTES - head.length - tail.length
  if (isWhole ? missing !== 0 : missing < 2) return undefined
  return head + '\0'.repeat(missing) + tail
}

function parseGroups(text: string, isEnd: boolean): string | undefined {
  if (text === '') return ''
  const parts = text.split(':')
  let bytes = ''
  for (const [index, part] of parts.entries()) {
    if (isEnd && index === parts.length - 1 && part.includes('.')) {
      const v4 = parseIpv4(part)
      if (v4 === undefined) return undefined
      bytes += String.fromCharCode(v4 >>> 24, (v4 >>> 16) & 255, (v4 >>> 8) & 255, v4 & 255)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      const group = Number.parseInt(part, 16)
      bytes += String.fromCharCode(group >>> 8, group & 255)
    }
  }
  return bytes.length <= IPV6_BYTES ? bytes : undefined
}

function groupAt(address: string, at: number): number {
  return (address.charCodeAt(at) << 8) | address.charCodeAt(at + 1)
}
