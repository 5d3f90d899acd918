import type { Millis } from '@parley/protocol'
import { memoryIdentityStore } from './e2ee/identity/identity.ts'
import type {
  Clock,
  Environment,
  Link,
  LinkAuth,
  LinkConnection,
  LinkListener,
  Randomness,
} from './ports.ts'

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: Millis = 0
  #timers: readonly { readonly at: Millis; readonly run: () => void }[] = []

  now(): Millis {
    return this.#now
  }

  after(delayMs: Millis, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), run }
    this.#timers = [...this.#timers, timer]
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves on, running what falls due in order, with a pause for promises after each. */
  async advance(byMs: Millis): Promise<void> {
    const until = this.#now + byMs
    for (;;) {
      await settle()
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = until
    await settle()
  }

  /** Time passes as for a page that is frozen: all that fell due runs when it is over. */
  async freeze(forMs: Millis): Promise<void> {
    this.#now += forMs
    await this.advance(0)
  }
}

/** Lets promises that are ready run on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve()
}

/** Randomness that counts. */
export function countingRandom(): Randomness {
  let next = 0
  return { fraction: () => 0.5, id: () => `id-${++next}` }
}

/** One connection that a {@link FakeLink} has opened. */
export interface FakeConnection {
  readonly auth: LinkAuth
  readonly listener: LinkListener
  readonly requests: {
    id: string
    type: string
    data: unknown
    answer: (answer: unknown) => void
  }[]
  closed: boolean
}

/** A link whose other end is the test. */
export class FakeLink implements Link {
  readonly connections: FakeConnection[] = []

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1)
    if (!last) throw new Error('no connection was opened')
    return last
  }

  open(_url: string, auth: LinkAuth, listener: LinkListener): LinkConnection {
    const connection: FakeConnection = { auth, listener, requests: [], closed: false }
    this.connections.push(connection)
    return {
      send: ({ id, type, data }, answer) => connection.requests.push({ id, type, data, answer }),
      close: () => (connection.closed = true),
      abandon: () => (connection.closed = true),
    }
  }
}

/** Surroundings without devices or media, for what needs neither. */
export function bareEnvironment(): Environment & { clock: ManualClock; link: FakeLink } {
  const missing = (): never => {
    throw new Error('this environment has no media')
  }
  return {
    clock: new ManualClock(),
    link: new FakeLink(),
    random: countingRandom(),
    devices: { open: missing, openScreen: missing },
    memory: { claim: () => Promise.resolve(undefined), keep: () => undefined },
    push: { subscribe: missing, unsubscribe: missing },
    tiles: { watch: () => () => undefined },
    frames: {
      connectionSettings: {},
      check: missing,
      startWorker: missing,
      takeIncarnation: missing,
    },
    frameKeys: undefined,
    identities: memoryIdentityStore(),
    createPeerConnection: missing,
    createStream: missing,
    onNetworkChange: () => () => undefined,
    onVisible: () => () => undefined,
    onPageHide: () => () => undefined,
  }
}

/** What a server says first, with what a test changes of it. */
export function welcomeData(change: object): object {
  return {
    grants: {
      ring: true,
      rooms: ['*'],
      publish: ['audio'],
      moderate: [],
      host: false,
      presence: ['*'],
    },
    session: 's1',
    resumeKey: 'k',
    user: 'alice',
    device: 'd1',
    resumed: 'new',
    calls: [],
    ice: { iceServers: [], expiresAt: 1e12 },
    ...change,
  }
}
