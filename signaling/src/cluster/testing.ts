/**
 * Signaling nodes of a test: real hubs that share a real Redis, at a faster pace.
 *
 * @module
 */
import type {
  AnswerFrame,
  CallView,
  DeviceAddress,
  Grants,
  Presence,
  PresenceStatus,
  SessionId,
  Welcome,
} from '@parley/protocol'
import { createLog, Secret } from '@parley/service'
import { mintDevToken, secretVerifier } from '../auth/tokens.ts'
import { defaultGrants } from '../core/grants.ts'
import { ticketSeal } from '../core/ticket.ts'
import { SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import type { ResumeRequest } from '../directory.ts'
import { Hub } from '../hub.ts'
import { Media } from '../media.ts'
import { plainPeople } from '../people.ts'
import { RedisConnection } from '../redis/connection.ts'
import { TestRedis } from '../redis/testing.ts'
import { redisDeviceLists } from '../store/redis-device-lists.ts'
import { redisMailbox } from '../store/redis-mailbox.ts'
import { redisRevocations } from '../store/revocation-feed.ts'
import { SystemEnvironment } from '../system-environment.ts'
import { FakeSfuNode, RecordingSocket } from '../testing.ts'
import { clusterByRedis } from './link.ts'

/** Faster than in earnest, but slow enough for a loaded machine. */
const PACE = { lifeMs: 3_000, beatMs: 100, settleMs: 1_500 }

/** How long missed calls are kept. */
const MISSED_MS = 3_600_000

const log = createLog('test', { level: process.argv.includes('--log') ? 'debug' : 'silent' })

const secret = new Secret('a secret that only these tests know')

/** A token of a minute ago. */
export function oldToken(user: string): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt(Math.floor(Date.now() / 1_000) - 60)
    .setExpirationTime('1 hour')
    .sign(new TextEncoder().encode(secret.reveal()))
}

let requestIds = 0
let watchers = 0

/** A client of a node, which keeps all that it hears. */
export class TestClient {
  readonly at: DeviceAddress
  socket = new RecordingSocket()
  #node: TestNode
  #session: SessionId

  /** `grants`: those of its token, where they are not what every token gives. */
  constructor(node: TestNode, at: DeviceAddress, grants: Partial<Grants> = {}) {
    this.at = at
    this.#node = node
    const given = { ...defaultGrants, ...grants }
    const pass = { grants: given, tokenId: undefined, issuedAt: undefined, expiresAt: Infinity }
    this.#session = node.hub.connect({ ...at, pass }, this.socket, undefined)
  }

  /** Goes on with a token that grants something else. */
  async refresh(grants: object): Promise<AnswerFrame> {
    return this.ask('session.refresh', {
      token: await mintDevToken(secret, { ...this.at, grants }),
    })
  }

  ask(type: string, data: unknown): Promise<AnswerFrame> {
    requestIds += 1
    return this.#node.hub.request(this.#session, { id: `r${requestIds}`, type, data }, 100)
  }

  /** The client comes to a node with nothing but what it knows itself. */
  async comeTo(node: TestNode): Promise<void> {
    const { frames } = this.socket
    this.socket = new RecordingSocket()
    this.socket.frames.push(...frames)
    this.#node = node
    await node.hub.expect(this.at, undefined)
    this.#session = node.hub.connect(this.at, this.socket, undefined)
  }

  /** The socket breaks, and the client comes to a node with its session. */
  async moveTo(node: TestNode): Promise<Welcome> {
    const { session, resumeKey } = this.#welcome()
    const resume: ResumeRequest = { session, key: resumeKey, lastSeq: this.#lastSeq() }
    const old = this.socket
    this.#node.hub.disconnected(this.#session, old, false)
    const frames = old.frames
    this.socket = new RecordingSocket()
    // Kept, so that what was heard is heard once over both.
    this.socket.frames.push(...frames)
    this.#node = node
    await node.hub.expect(this.at, resume)
    this.#session = node.hub.connect(this.at, this.socket, resume)
    return this.#welcome()
  }

  /** The call as the client saw it last. */
  view(): CallView | undefined {
    const views = this.socket.heard('call.updated') as { readonly call: CallView }[]
    return views.at(-1)?.call
  }

  /** The newest ticket for a seat. */
  ticket(): string | undefined {
    const tickets = this.socket.heard('call.ticket') as { readonly ticket: string }[]
    return tickets.at(-1)?.ticket
  }

  ends(): unknown[] {
    return (this.socket.heard('call.ended') as { readonly reason: unknown }[]).map((e) => e.reason)
  }

  #welcome(): Welcome {
    return this.socket.heard('welcome').at(-1) as Welcome
  }

  #lastSeq(): number {
    return Math.max(0, ...this.socket.frames.map(({ seq }) => seq))
  }
}

/** Waits for what follows by itself; far longer than it takes. */
export function soon<T>(
  check: () => T | Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  return vi.waitUntil(check, { timeout: 45_000, interval: 20 }) as Promise<
    Exclude<T, false | null | undefined>
  >
}

/** A hub among others. */
export interface TestNode {
  readonly hub: Hub
  connect(user: string, device?: string, grants?: Partial<Grants>): TestClient
  peers(): number
  /** What a client of this node sees of a user. */
  sees(user: string): Promise<PresenceStatus | undefined>
  calls(): number
  isUp(): boolean
  /** Ends it as `kill -9` does: nothing is said. */
  kill(): void
  stop(): Promise<void>
}

/** Nodes that share a real Redis. */
export interface TestCluster {
  readonly redis: TestRedis
  /** One more node, till the end of the test; `url`: its own way to Redis. */
  node(url?: string): Promise<TestNode>
  /** Two nodes that know each other. */
  two(): Promise<readonly [TestNode, TestNode]>
}

/** A cluster for the tests of a file: one Redis for all, fresh nodes for each. */
export function useCluster(): TestCluster {
  let server: TestRedis | undefined
  const nodes: TestNode[] = []
  beforeAll(async () => {
    server = await TestRedis.start()
  })
  afterEach(async () => {
    for (const one of nodes.splice(0)) await one.stop()
  })
  afterAll(() => server?.kill())
  const cluster: TestCluster = {
    get redis() {
      if (!server) throw new Error('Redis is there while tests run')
      return server
    },
    async node(url = cluster.redis.url) {
      const started = await startNode(url)
      nodes.push(started)
      return started
    },
    async two() {
      const pair = [await cluster.node(), await cluster.node()] as const
      await soon(() => pair.every((one) => one.peers() === 1))
      return pair
    },
  }
  return cluster
}

async function startNode(redisUrl: string): Promise<TestNode> {
  const redis = new RedisConnection({ url: new URL(redisUrl), log })
  const env = new SystemEnvironment(() => hub.tick())
  const hub = new Hub({
    env,
    log,
    media: new Media({ log, nodes: [new FakeSfuNode()] }),
    seal: ticketSeal('a secret that all nodes of a test know'),
    verifier: secretVerifier([secret]),
    revocations: redisRevocations(redis),
    ringTimeoutMs: 45_000,
    iceConfigFor: () => ({ iceServers: [], expiresAt: 0 }),
    onRequest: () => undefined,
    people: {
      ...plainPeople(),
      mailbox: redisMailbox(redis, MISSED_MS),
      deviceLists: redisDeviceLists(redis),
    },
    cluster: clusterByRedis(redis, { log, pace: PACE }),
  })
  await new Promise<void>((resolve) => redis.onState(() => resolve()))
  const close = () => {
    redis.close()
    env.wakeAt(undefined)
  }
  let watcher: TestClient | undefined
  const node: TestNode = {
    hub,
    connect: (user, device = `${user}-device`, grants = {}) =>
      new TestClient(node, { user, device } as unknown as DeviceAddress, grants),
    peers: () => hub.stats().peers,
    async sees(user) {
      watcher ??= node.connect(`watcher-${(watchers += 1)}`)
      const answer = await watcher.ask('presence.subscribe', {})
      const { users } = (answer.ok ? answer.data : { users: [] }) as { users: Presence[] }
      return users.find((one) => (one.user as string) === user)?.status
    },
    calls: () => hub.stats().calls,
    isUp: () => redis.isUp,
    kill: close,
    async stop() {
      await hub.stop()
      close()
    },
  }
  return node
}
