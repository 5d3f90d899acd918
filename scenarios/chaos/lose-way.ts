import { hears, watches } from '../lab/caller.ts'
import type { Caller } from '../lab/caller.ts'
import { areEncrypted, encryptedFromNow } from '../lab/encryption.ts'
import { freePort } from '../lab/service-process.ts'
import { makeWays } from '../lab/ways.ts'
import type { Ways } from '../lab/ways.ts'
import { disturb } from './report.ts'
import type { Outcome } from './report.ts'
import { openStage } from './stage.ts'
import type { Stage } from './stage.ts'

/**
 * What happens to two people who talk directly. `to-relay`, `to-node`: the direct way is gone for good,
 * and there is a relay, or none. `back-to-direct`: so is the relay, and the direct way is there again.
 * `rejoin`: the node is not reached either, until the call joins it anew.
 */
export type WayLoss = 'to-relay' | 'back-to-direct' | 'to-node' | 'rejoin'

/** What both saw of one loss. */
export interface WayOutcome {
  readonly loss: WayLoss
  readonly people: readonly Outcome[]
  /** What each was told is being done, in order, while media was away. */
  readonly rungs: readonly (readonly string[])[]
}

type Deed = (ways: Ways, people: readonly Caller[]) => Promise<void>

/** What is done for each loss; it is over as soon as those who talk know of it. */
const deeds: Readonly<Record<WayLoss, Deed>> = {
  async 'to-relay'(ways, people) {
    ways.lose('direct')
    for (const one of people) await one.sees('the relay', ({ path }) => path === 'relay')
  },
  async 'back-to-direct'(ways, people) {
    ways.find('direct')
    ways.lose('relay')
    for (const one of people) await one.sees('the direct way', ({ path }) => path === 'direct')
  },
  async 'to-node'(ways, people) {
    ways.lose('direct')
    for (const one of people) await one.sees('why it stops', reconnectingBy('ice-restart'))
    for (const one of people) await one.sees('the node', ({ path }) => path === 'sfu')
  },
  async rejoin(ways, people) {
    const seats = await Promise.all(people.map(seatOf))
    ways.lose('node')
    for (const one of people) await one.sees('why it stops', reconnectingBy('ice-restart'))
    for (const one of people) await one.sees('what is done', reconnectingBy('rejoin'))
    ways.find('node')
    for (const [at, one] of people.entries()) {
      await one.sees('his new seat', ({ self }) => self !== undefined && self !== seats[at])
    }
  },
}

/**
 * Takes one way after the other from two people who talk. Tells what both saw of each; rejects where
 * the call ended, was not encrypted, or came back otherwise than it should.
 */
export async function loseWays(
  losses: readonly WayLoss[],
  told: (outcome: WayOutcome) => void,
): Promise<void> {
  const ways = makeWays()
  try {
    const { signaling: address, node: nodeAddress, relay } = ways.addresses
    const withRelay = losses.includes('to-relay') && { host: relay, port: await freePort() }
    const stage = await openStage(address, { nodeAddress, ...(withRelay && { relay: withRelay }) })
    try {
      const people = await talkOn(stage, ways)
      for (const loss of losses) told(await lose(loss, ways, people))
      await endsWell(people)
    } finally {
      await stage.close()
    }
  } finally {
    ways.remove()
  }
}

async function talkOn(stage: Stage, { namespaces }: Ways): Promise<readonly Caller[]> {
  const alice = await stage.arrive('alice', {}, { namespace: namespaces[0] })
  const bob = await stage.arrive('bob', {}, { namespace: namespaces[1] })
  await alice.do('call', 'bob')
  await bob.isRung()
  await bob.do('accept')
  await areConnected([alice, bob])
  return [alice, bob]
}

/** It is still one call, that both can hang up. */
async function endsWell(people: readonly Caller[]): Promise<void> {
  const sights = await Promise.all(people.map((one) => one.look()))
  const calls = new Set(sights.map(({ openCalls }) => openCalls.join()))
  if (calls.size !== 1) throw new Error(`they are in other calls: ${[...calls].join(' and ')}`)
  if (sights.some(({ log }) => log.includes('state ended'))) throw new Error('it had ended')
  await people[0]?.do('hangup')
  await people[1]?.sees('the end', ({ endReason }) => endReason === 'hangup')
}

async function lose(loss: WayLoss, ways: Ways, people: readonly Caller[]): Promise<WayOutcome> {
  const before = await Promise.all(people.map(async (one) => (await one.look()).rungs.length))
  // A new seat has to prove itself anew; all else goes on as it was proven.
  const wereEncrypted =
    loss === 'rejoin' ? () => areEncrypted(people) : await encryptedFromNow(people)
  const outcomes = await disturb(people, () => deeds[loss](ways, people))
  await areConnected(people)
  await wereEncrypted()
  const rungs = await Promise.all(
    people.map(async (one, at) => (await one.look()).rungs.slice(before[at])),
  )
  return { loss, people: outcomes, rungs }
}

/** Each sees and hears the other. */
async function areConnected([alice, bob]: readonly Caller[]): Promise<void> {
  if (!alice || !bob) throw new Error('two people talk')
  await watches(alice, [bob])
  await watches(bob, [alice])
  await hears(alice, [bob])
  await hears(bob, [alice])
}

function reconnectingBy(rung: string) {
  return ({ state, reconnecting }: Awaited<ReturnType<Caller['look']>>) =>
    state === 'reconnecting' && reconnecting === rung
}

async function seatOf(one: Caller): Promise<string | undefined> {
  return (await one.look()).self
}
