import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LightClient } from '../bench/light-client.ts'
import { BenchServer } from '../bench/server.ts'
import { benchToken } from '../bench/tokens.ts'

const WIDE_DOOR = {
  PARLEY_SESSIONS_PER_ADDRESS: '1000000',
  PARLEY_HANDSHAKES_PER_SECOND: '100000',
}

/** What lives on from a flood, as answers kept for a minute and sessions that are waited for, at most. */
const MOST_GROWTH_BYTES = 24 * 1024 * 1024

/** How many messages lie between two looks at the memory. */
const MOST_CHUNKS = 10
const CHUNK_MESSAGES = 1_000

/** What came of a run. Latencies are of honest calls, from asking to ringing, in milliseconds. */
export interface FuzzRun {
  readonly sent: number
  readonly heapGrowthBytes: number
  readonly before: readonly number[]
  readonly during: readonly number[]
  readonly problem: string | undefined
}

/** Floods a server of its own from a process of its own, and looks after two honest people meanwhile. */
export async function runFuzz({
  messages,
  callsBefore,
  seed,
  say,
}: {
  readonly messages: number
  /** Calls before the flood, to compare with. */
  readonly callsBefore: number
  readonly seed: number
  readonly say: (line: string) => void
}): Promise<FuzzRun> {
  const server = await BenchServer.start('ours', WIDE_DOOR)
  const honest = await HonestPair.connect(server.url)
  const attacker = new Attacker(server.url)
  const chunks = Math.max(2, Math.min(MOST_CHUNKS, Math.ceil(messages / CHUNK_MESSAGES)))
  const before: number[] = []
  for (let i = 0; i < callsBefore; i++) before.push(await honest.call())
  const during: number[] = []
  const heaps: number[] = []
  let sent = 0
  let problem: string | undefined
  try {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const flood = attacker.attack({
        seed: seed + chunk * 100_000,
        messages: Math.ceil(messages / chunks),
      })
      const state = { over: false }
      void flood.finally(() => (state.over = true)).catch(() => undefined)
      while (!state.over) during.push(await honest.call())
      sent += await flood
      heaps.push((await server.measure('collect')).bytes)
      say(`${sent} sent, heap ${((heaps.at(-1) ?? 0) / 1_048_576).toFixed(1)} MiB`)
    }
  } catch (error) {
    problem = String(error)
  }
  // The first chunk loads what every later one needs, too.
  const heapGrowthBytes = (heaps.at(-1) ?? 0) - (heaps[0] ?? 0)
  if (!server.running) problem = 'the server ended'
  else if (heapGrowthBytes > MOST_GROWTH_BYTES)
    problem ??= `the heap grew by ${heapGrowthBytes} bytes`
  attacker.stop()
  await server.stop()
  return { sent, heapGrowthBytes, before, during, problem }
}

/** Two people who call each other as fast as one session may. */
class HonestPair {
  readonly #caller: LightClient
  readonly #callee: LightClient
  #calls = 0

  private constructor(caller: LightClient, callee: LightClient) {
    this.#caller = caller
    this.#callee = callee
  }

  static async connect(url: string): Promise<HonestPair> {
    const [caller, callee] = await Promise.all(
      ['honest-a', 'honest-b'].map(async (user) => {
        const auth = { protocol: 1, token: benchToken(user), device: 'good' } as never
        return (await LightClient.connect(url, auth)).client
      }),
    )
    if (!caller || !callee) throw new Error('not connected')
    return new HonestPair(caller, callee)
  }

  /** One call, rung, answered and ended; the milliseconds until it rang. */
  async call(): Promise<number> {
    const call = `honest-${this.#calls++}`
    const media = { audio: true, video: false }
    const ringing = new Promise<number>((resolve) => {
      this.#callee.onEvent = ({ type, data }) => {
        const id = (data as { call?: { id?: string } }).call?.id
        if (type === 'call.incoming' && id === call) resolve(performance.now())
        // Whoever else rings is not answered.
        else if (type === 'call.incoming') void this.#callee.request('call.decline', { call: id })
      }
    })
    const askedAt = performance.now()
    const asked = await this.#caller.request('call.start', { call, users: ['honest-b'], media })
    if (!asked.ok) throw new Error(`an honest call failed: ${asked.error.code}`)
    const rungAt = await ringing
    const accepted = await this.#callee.request('call.accept', { call, media })
    if (!accepted.ok) throw new Error(`an honest answer failed: ${accepted.error.code}`)
    await this.#caller.request('call.hangup', { call })
    // At the pace that one session may go on with for long.
    await new Promise((done) => {
      setTimeout(done, 60)
    })
    return rungAt - askedAt
  }
}

/** Attacks from a process of its own, so that the flood does not slow those who measure. */
class Attacker {
  readonly #child: ChildProcess

  constructor(url: string) {
    const file = fileURLToPath(new URL('attack-process.ts', import.meta.url))
    this.#child = fork(file, [url])
  }

  attack(order: { readonly seed: number; readonly messages: number }): Promise<number> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => {
        reject(new Error(`the attacker ended with ${String(code)}`))
      }
      child.once('exit', onExit)
      child.once('message', (sent) => {
        child.off('exit', onExit)
        resolve(Number(sent))
      })
      child.send(order)
    })
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}
