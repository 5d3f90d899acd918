import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { DatagramEnd } from '../conformance/carrier.ts'
import { attr, build, codeOf, method, parse, text } from '../conformance/stun-bytes.ts'
import { udp } from '../conformance/trial.ts'
import { datagramPathsHere } from '../scenarios/turn-client.ts'
import type { Memory } from './memory.ts'
import type { Resources } from './resources.ts'

type Holding = Memory & Resources & { readonly allocations: number }

const WATCHED_SERVER = fileURLToPath(new URL('watched-server.ts', import.meta.url))
/** Compiled code and pools grow at first, and would look like memory of strangers. */
const FIRST_STRANGERS = 3_000
const STRANGERS = 10_000
const AT_ONCE = 100
/** Each address has few of them, so that the limit of replies to strangers leaves none unanswered. */
const ADDRESSES = 1_000
const MOST_GROWTH = 5 * 1024 * 1024

let server: ChildProcess | undefined

afterEach(() => server?.kill())

test.each(datagramPathsHere)(
  '[S6] ten thousand strangers leave nothing behind in a live server, datagrams %s',
  async (path) => {
    server = fork(WATCHED_SERVER, [path], { execArgv: ['--expose-gc'] })
    const [port] = (await once(server, 'message')) as [number]
    await visit(port, 0, FIRST_STRANGERS)
    const before = await holdingOf(server)
    await visit(port, FIRST_STRANGERS, STRANGERS)
    const after = await holdingOf(server)
    expect(after).toMatchObject({ allocations: 0, sockets: before.sockets, timers: before.timers })
    const held = ({ heap, native }: Holding) => heap + native
    expect(held(after) - held(before)).toBeLessThan(MOST_GROWTH)
  },
  240_000,
)

async function holdingOf(process: ChildProcess): Promise<Holding> {
  const answered = once(process, 'message') as Promise<[Holding]>
  process.send('what do you hold?')
  return (await answered)[0]
}

async function visit(port: number, first: number, count: number): Promise<void> {
  for (let at = first; at < first + count; at += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => at + index)
    await Promise.all(numbers.map((number) => visitOnce(port, number % ADDRESSES)))
  }
}

/** One source that asks for a Binding, for an allocation, and for one with all of it made up. */
async function visitOnce(port: number, address: number): Promise<void> {
  const end = await DatagramEnd.open(`127.1.${Math.floor(address / 250)}.${(address % 250) + 1}`)
  const ask = async (bytes: Buffer) => {
    end.send(bytes, port)
    return codeOf(parse((await end.next()).bytes))
  }
  const madeUp = [text(attr.username, '1999999999:x'), text(attr.realm, 'parley')]
  const forged = [udp, ...madeUp, text(attr.nonce, 'obMatJos2AAAB0123456789012345')]
  const codes = [
    await ask(build({ type: method.binding })),
    await ask(build({ type: method.allocate, attrs: [udp] })),
    await ask(build({ type: method.allocate, attrs: forged, key: Buffer.alloc(16) })),
  ]
  end.close()
  expect(codes).toEqual([0, 401, 438])
}
