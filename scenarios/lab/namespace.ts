import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'

/** What a client behind links of its own is made of. Each can fail and come back. */
export interface Uplinks {
  /** Namespace to run the client in. */
  readonly namespace: string
  /** The address at which the client reaches this machine, on every uplink. */
  readonly address: string
  /** The links stay up, but nothing passes, and nobody is told. */
  block(): void
  unblock(): void
  /** Changes from the first uplink to the second, as when Wi-Fi is left for mobile. */
  changeUplink(): void
  remove(): void
}

/** Why namespaces cannot be made here; undefined where they can. */
export function namespacesRefused(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    execFileSync('ip', ['-V'], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'the command `ip` (iproute2) is missing'
  }
}

/**
 * A client namespace with two uplinks to this machine, of which the first is up. The machine has one
 * address for both, as a server has; the client has another address on each.
 */
export function makeUplinks(): Uplinks {
  const id = randomInt(1_000, 9_999)
  const namespace = `parley-${id}`
  const net = `10.${randomInt(64, 127)}.${randomInt(0, 255)}`
  const address = `${net}.1`
  const links = [0, 1].map((index) => ({
    outer: `pl${id}o${index}`,
    inner: `pl${id}i${index}`,
    gateway: `${net}.${17 + index * 16}`,
    client: `${net}.${18 + index * 16}`,
  }))
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  const inside = (...args: string[]) => ip('-n', namespace, ...args)

  ip('netns', 'add', namespace)
  inside('link', 'set', 'lo', 'up')
  ip('address', 'add', `${address}/32`, 'dev', 'lo')
  const raise = ({ inner, gateway }: (typeof links)[number]) => {
    inside('link', 'set', inner, 'up')
    inside('route', 'replace', 'default', 'via', gateway)
  }
  for (const { outer, inner, gateway, client } of links) {
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', namespace)
    ip('address', 'add', `${gateway}/28`, 'dev', outer)
    ip('link', 'set', outer, 'up')
    inside('address', 'add', `${client}/28`, 'dev', inner)
  }
  const [first, second] = links
  if (!first || !second) throw new Error('two links were made above')
  raise(first)
  const clients = links.map(({ client }) => client)

  return {
    namespace,
    address,
    block() {
      // Answers go nowhere, silently: the client's packets arrive, and the client hears nothing.
      for (const client of clients) ip('route', 'add', 'blackhole', `${client}/32`)
      inside('route', 'add', 'blackhole', `${address}/32`)
      for (const { gateway } of links) inside('route', 'add', 'blackhole', `${gateway}/32`)
    },
    unblock() {
      for (const client of clients) ip('route', 'del', 'blackhole', `${client}/32`)
      inside('route', 'del', 'blackhole', `${address}/32`)
      for (const { gateway } of links) inside('route', 'del', 'blackhole', `${gateway}/32`)
    },
    changeUplink() {
      inside('link', 'set', first.inner, 'down')
      raise(second)
    },
    remove() {
      // The links go with the namespace.
      ip('netns', 'del', namespace)
      ip('address', 'del', `${address}/32`, 'dev', 'lo')
    },
  }
}
