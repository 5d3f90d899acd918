import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'

/** No card has this address. What is sent to it is sent, and lost; a route to nowhere would be an error. */
const NOBODY = '02:00:00:00:00:01'

/** A way that packets can take between two people. */
export type Way = 'direct' | 'node' | 'relay'

/** Two people, each in a namespace of his own, and the ways between them. Each can be lost. */
export interface Ways {
  readonly namespaces: readonly [string, string]
  /** Addresses of this machine, which both reach: of the pages and signaling, of a node, of a relay. */
  readonly addresses: Readonly<Record<'signaling' | 'node' | 'relay', string>>
  /** From now on nothing that is sent this way arrives, and nobody is told. */
  lose(way: Way): void
  find(way: Way): void
  remove(): void
}

/**
 * Makes two namespaces. Each has a link to this machine and one to the other namespace, which is the
 * direct way.
 */
export function makeWays(): Ways {
  const id = randomInt(1_000, 9_999)
  const net = `10.${randomInt(64, 127)}.${randomInt(0, 255)}`
  const addresses = { signaling: `${net}.1`, node: `${net}.2`, relay: `${net}.3` }
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  const sides = [0, 1].map((index) => ({
    namespace: `parley-${id}-${index}`,
    outer: `pw${id}o${index}`,
    uplink: `pw${id}u${index}`,
    direct: `pw${id}d${index}`,
    gateway: `${net}.${17 + index * 16}`,
    address: `${net}.${18 + index * 16}`,
    directAddress: `${net}.${49 + index}`,
    nobody: `${net}.${30 + index * 16}`,
  }))
  const [a, b] = sides
  if (!a || !b) throw new Error('two sides were made above')

  for (const address of Object.values(addresses)) ip('address', 'add', `${address}/32`, 'dev', 'lo')
  for (const { namespace } of sides) ip('netns', 'add', namespace)
  for (const { namespace, outer, uplink, gateway, address, nobody } of sides) {
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', uplink, 'netns', namespace)
    ip('address', 'add', `${gateway}/28`, 'dev', outer)
    ip('link', 'set', outer, 'up')
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    ip('-n', namespace, 'address', 'add', `${address}/28`, 'dev', uplink)
    ip('-n', namespace, 'link', 'set', uplink, 'up')
    ip('-n', namespace, 'route', 'add', 'default', 'via', gateway)
    ip('-n', namespace, ...['neighbour', 'add', nobody, 'lladdr', NOBODY, 'dev', uplink])
  }
  ip(...['-n', a.namespace, 'link', 'add', a.direct, 'type', 'veth'], ...peerOf(b))
  for (const { namespace, direct, directAddress } of sides) {
    ip('-n', namespace, 'address', 'add', `${directAddress}/28`, 'dev', direct)
    ip('-n', namespace, 'link', 'set', direct, 'up')
  }

  const change = (verb: 'add' | 'del', way: Way) => {
    for (const [own, other] of [
      [a, b],
      [b, a],
    ] as const) {
      // A machine that forwards would be another direct way.
      const ends = way === 'direct' ? [other.address, other.directAddress] : [addresses[way]]
      for (const end of ends) ip('-n', own.namespace, 'route', verb, `${end}/32`, 'via', own.nobody)
    }
  }
  return {
    namespaces: [a.namespace, b.namespace],
    addresses,
    lose: (way) => change('add', way),
    find: (way) => change('del', way),
    remove() {
      // The links go with the namespaces.
      for (const { namespace } of sides) ip('netns', 'del', namespace)
      for (const address of Object.values(addresses)) {
        ip('address', 'del', `${address}/32`, 'dev', 'lo')
      }
    },
  }
}

function peerOf({ direct, namespace }: { readonly direct: string; readonly namespace: string }) {
  return ['peer', 'name', direct, 'netns', namespace]
}
