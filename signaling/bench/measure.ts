import { constants, setPriority } from 'node:os'
import type { EventFrame, Welcome } from '@parley/protocol'
import { inParallel, pause, percentile } from './figures.ts'
import { LightClient, Refused } from './light-client.ts'
import { BenchServer } from './server.ts'
import type { ServerKind } from './server.ts'
import { benchToken } from './tokens.ts'

/** How large a run is. */
export interface Plan {
  readonly clients: number
  readonly callSeconds: number
  /** Calls being set up at the same time while their number per second is measured. */
  readonly callsAtOnce: number
  readonly rings: number
  readonly ringsPerSecond: number
  /** The clients' process gives way to the server's in the storm, as clients elsewhere do. */
  readonly givesWay: boolean
}

/** What an idle client costs. */
export interface IdleFigures {
  readonly bytesPerClient: number
  readonly residentBytesPerClient: number
}

/** How fast calls are. */
export interface CallFigures {
  readonly calls: number
  readonly callsPerSecond: number
  readonly callsPerCpuSecond: number
  readonly rings: number
  readonly ringP50Ms: number
  readonly ringP99Ms: number
}

/** How long an event loop stood still. */
export interface StallFigures {
  readonly stallMs: number
  readonly stallP99Ms: number
  /** The most that the server computed in one go: what of the longest stall is its own doing. */
  readonly busiestMs: number
}

/** How a crowd is cut off, in the same moment, and comes back. */
export interface StormFigures {
  readonly clients: number
  readonly resumed: number
  readonly refusals: number
  readonly seconds: number
  readonly cut: StallFigures
  /** The same at a bare Socket.IO server. */
  readonly bareCut: StallFigures
  readonly back: StallFigures
  readonly cpuMs: number
}

/** Everything that is open at once comes from one address. */
const OPEN_DOOR = { PARLEY_SESSIONS_PER_ADDRESS: '1000000' }
/** Filling up is not what is measured. */
const WIDE_DOOR = { ...OPEN_DOOR, PARLEY_HANDSHAKES_PER_SECOND: '100000' }

const CONNECTING_AT_ONCE = 50
const SETTLE_MS = 1_500
const MEDIA = { audio: true, video: true }

interface Member {
  readonly user: string
  readonly client: LightClient
  readonly welcome: Welcome | undefined
}

/** Memory per idle client of a server, connected as fast as it lets them. */
export async function measureIdle(kind: ServerKind, clients: number): Promise<IdleFigures> {
  const server = await BenchServer.start(kind, kind === 'ours' ? WIDE_DOOR : {})
  // The first connections load code and fill caches that are nobody's.
  const first = await connectAll(server, kind, { from: 0, count: Math.min(100, clients) })
  await pause(SETTLE_MS)
  const before = await server.measure('collect')
  const members = await connectAll(server, kind, { from: 1_000_000, count: clients })
  await pause(SETTLE_MS)
  const after = await server.measure('collect')
  for (const { client } of [...first, ...members]) client.close()
  await server.stop()
  return {
    bytesPerClient: (after.bytes - before.bytes) / clients,
    residentBytesPerClient: (after.residentBytes - before.residentBytes) / clients,
  }
}

/** Calls and the storm, on one server with everybody connected. */
export async function measureCallsAndStorm(
  plan: Plan,
): Promise<{ readonly calls: CallFigures; readonly storm: StormFigures }> {
  const server = await BenchServer.start('ours', WIDE_DOOR)
  const members = await connectAll(server, 'ours', { from: 0, count: plan.clients })
  await pause(SETTLE_MS)
  const calls = await measureCalls(server, members, plan)
  for (const { client } of members) client.close()
  await server.stop()
  return { calls, storm: await measureStorm(plan) }
}

async function measureCalls(
  server: BenchServer,
  members: readonly Member[],
  plan: Plan,
): Promise<CallFigures> {
  const pairs = pairsOf(members)
  const latencies: number[] = []
  const gapMs = 1_000 / plan.ringsPerSecond
  const rung: Promise<unknown>[] = []
  for (let i = 0; i < plan.rings; i++) {
    const pair = pairs[i % pairs.length]
    if (pair) rung.push(oneCall(pair, `ring-${i}`).then((ms) => latencies.push(ms)))
    await pause(gapMs)
  }
  await Promise.all(rung)
  await server.reset()
  const startedAt = performance.now()
  const endsAt = startedAt + plan.callSeconds * 1_000
  let calls = 0
  await Promise.all(
    pairs.slice(0, plan.callsAtOnce).map(async (_, lane) => {
      // Each lane walks through pairs of its own, so that no session meets its limit of requests.
      for (let i = lane; performance.now() < endsAt; i += plan.callsAtOnce) {
        const pair = pairs[i % pairs.length]
        if (pair) await oneCall(pair, `call-${i}`)
        calls++
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  const { cpuMs } = await server.measure()
  return {
    calls,
    callsPerSecond: calls / seconds,
    callsPerCpuSecond: calls / (cpuMs / 1_000),
    rings: latencies.length,
    ringP50Ms: percentile(latencies, 0.5),
    ringP99Ms: percentile(latencies, 0.99),
  }
}

/** Rings, answers and hangs up; the milliseconds from asking to the other's ringing. */
async function oneCall([caller, callee]: readonly [Member, Member], id: string): Promise<number> {
  const call = `${id}-${caller.user}`.replace(/[^\w-]/g, '')
  const heard = new Promise<number>((resolve) => {
    callee.client.onEvent = ({ type }: EventFrame) => {
      if (type === 'call.incoming') resolve(performance.now())
    }
  })
  const askedAt = performance.now()
  const started = await caller.client.request('call.start', {
    call,
    users: [callee.user],
    media: MEDIA,
  })
  if (!started.ok) throw new Error(`call.start: ${started.error.code}`)
  const rungAt = await heard
  const accepted = await callee.client.request('call.accept', { call, media: MEDIA })
  if (!accepted.ok) throw new Error(`call.accept: ${accepted.error.code}`)
  const ended = await caller.client.request('call.hangup', { call })
  if (!ended.ok) throw new Error(`call.hangup: ${ended.error.code}`)
  return rungAt - askedAt
}

/**
 * Everybody is cut off at once and comes back as the SDK does: a first try within a quarter of a second,
 * and when the door is full, at the time that it says.
 */
async function measureStorm({ clients, givesWay }: Plan): Promise<StormFigures> {
  const bare = await BenchServer.start('bare')
  const filling = await BenchServer.start('ours', OPEN_DOOR)
  if (givesWay) setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  const bareCut = await measureCut(
    bare,
    await connectAll(bare, 'bare', { from: 0, count: clients }),
  )
  await bare.stop()
  const members = await connectAll(filling, 'ours', { from: 0, count: clients })
  const cut = await measureCut(filling, members)
  await filling.reset()
  const startedAt = performance.now()
  let refusals = 0
  let resumed = 0
  await Promise.all(
    members.map(async ({ user, welcome, client }) => {
      const resume = welcome && {
        session: welcome.session,
        key: welcome.resumeKey,
        lastSeq: client.lastSeq,
      }
      await pause(125 + Math.random() * 125)
      for (;;) {
        try {
          const back = await LightClient.connect(filling.url, auth(user, resume))
          if (back.welcome?.resumed === 'replayed') resumed++
          return
        } catch (error) {
          refusals++
          const waitMs = error instanceof Refused ? error.data?.retryAfterMs : undefined
          await pause(waitMs ?? 500 + Math.random() * 500)
        }
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  const { cpuMs, ...back } = await filling.measure()
  await filling.stop()
  return { clients, resumed, refusals, seconds, cut, bareCut, back: stallsOf(back), cpuMs }
}

async function measureCut(server: BenchServer, members: readonly Member[]): Promise<StallFigures> {
  await pause(SETTLE_MS)
  await server.reset()
  await Promise.all(members.map(({ client }) => (client.close(), client.closed())))
  return stallsOf(await server.measure())
}

function stallsOf({ stallMs, stallP99Ms, busiestMs }: StallFigures): StallFigures {
  return { stallMs, stallP99Ms, busiestMs }
}

async function connectAll(
  server: BenchServer,
  kind: ServerKind,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<readonly Member[]> {
  const users = Array.from({ length: count }, (_, index) => `user-${from + index}`)
  return inParallel(users, CONNECTING_AT_ONCE, async (user) => {
    for (;;) {
      try {
        const { client, welcome } = await LightClient.connect(
          server.url,
          kind === 'ours' ? auth(user) : {},
        )
        return { user, client, welcome }
      } catch (error) {
        const waitMs = error instanceof Refused ? error.data?.retryAfterMs : undefined
        if (waitMs === undefined) throw error
        await pause(waitMs)
      }
    }
  })
}

function auth(user: string, resume?: { session: string; key: string; lastSeq: number }) {
  const token = benchToken(user)
  // Ids of the server's own making, or of ours: they have the shape that the brands stand for.
  return { protocol: 1, token, device: 'bench', ...(resume && { resume }) } as never
}

function pairsOf(members: readonly Member[]): readonly (readonly [Member, Member])[] {
  const pairs: (readonly [Member, Member])[] = []
  for (let i = 0; i + 1 < members.length; i += 2) {
    const [caller, callee] = members.slice(i, i + 2)
    if (caller && callee) pairs.push([caller, callee])
  }
  return pairs
}
