/// <reference types="node" />
import type { CallId, DeviceId, UserId } from '@parley/protocol'
import type {
  Group,
  GroupChange,
  GroupKeyAgreement,
  PreparedCommit,
} from '../src/e2ee/group-key-agreement.ts'
import { deviceKeyOf, generateDeviceKeyPair } from '../src/e2ee/identity/device-key.ts'
import { mlsAgreement } from '../src/e2ee/mls/agreement.ts'
import { toText } from '../src/e2ee/octets.ts'
import { tableLines } from './table.ts'

/** Of how many members, and how often each is measured; the median counts. */
export interface GroupRun {
  readonly sizes: readonly number[]
  readonly rounds: number
}

export const fullGroupRun: GroupRun = { sizes: [2, 10, 50, 100], rounds: 9 }
export const quickGroupRun: GroupRun = { sizes: [2, 10], rounds: 2 }

/** What one change of a group costs those who take part in it. */
export interface GroupCost {
  /** Members after a join, before a leave. */
  readonly members: number
  readonly change: (typeof CHANGES)[number]
  /** Who makes the commit; where somebody enters uninvited, the joiner does. */
  readonly committerMs: number | undefined
  readonly joinerMs: number | undefined
  /** Each of the others, where there are any. */
  readonly otherMs: number | undefined
  /** Of all requests, to the server. */
  readonly upBytes: number
  /** Of all events, from the server to everybody together. */
  readonly downBytes: number
  /** To one of the others. */
  readonly eachBytes: number
}

type Sample = Omit<GroupCost, 'members'>

const CHANGES = ['join', 'join uninvited', 'leave', 'renew'] as const

/** As many as the SDK takes in by one commit. */
const MOST_ADDED = 16
const CALL = 'bench' as CallId

/** Measures joins, leaves and renewals in groups of these sizes. */
export async function measureGroupCosts(
  { sizes, rounds }: GroupRun,
  say: (line: string) => void,
): Promise<readonly GroupCost[]> {
  const costs: GroupCost[] = []
  for (const size of sizes) {
    say(`measuring a group of ${size}`)
    const life = await GroupLife.begin(size - 1)
    const samples: Sample[] = []
    for (let round = 0; round < rounds; round++) {
      samples.push(await life.join(), await life.renew(), await life.leave())
      if (size > 2) {
        samples.push(await life.joinUninvited())
        await life.leave()
      }
    }
    costs.push(...CHANGES.flatMap((change) => summed(samples, change, size)))
  }
  return costs
}

/** The figures as a table. */
export function formatGroupCosts(costs: readonly GroupCost[]): string {
  const header = [
    'change',
    'members',
    'committer ms',
    'joiner ms',
    'others ms',
    'up',
    'to each',
    'fanned out',
  ]
  const rows = costs.map((cost) => [
    cost.change,
    String(cost.members),
    ...[cost.committerMs, cost.joinerMs, cost.otherMs].map((ms) => ms?.toFixed(1) ?? '–'),
    ...[cost.upBytes, cost.eachBytes, cost.downBytes].map(
      (bytes) => `${(bytes / 1_000).toFixed(1)} kB`,
    ),
  ])
  return [
    'Groups, all of whose members one has taken in: the worst case for the size of commits. Times of one',
    'device, medians; bytes of the JSON messages, to the server and from it to everybody.',
    '',
    ...tableLines(header, rows),
    '',
  ].join('\n')
}

/** One who makes all commits, and one who follows them, in a group that has a past. */
class GroupLife {
  #committer: Group
  #other: Group | undefined
  /** Who came last, and goes first. */
  #newest: Group | undefined

  private constructor(committer: Group, other: Group | undefined) {
    this.#committer = committer
    this.#other = other
  }

  /** The first member has taken in all others, of whom only the last has come in. */
  static async begin(size: number): Promise<GroupLife> {
    let group = await (await agreementOf('founder')).create()
    let other: Group | undefined
    for (let count = 1; count < size;) {
      const comers = await Promise.all(
        Array.from({ length: Math.min(MOST_ADDED, size - count) }, (_, i) =>
          agreementOf(`member-${count + i}`),
        ),
      )
      const offers = await Promise.all(comers.map((agreement) => agreement.offer()))
      const { next, welcome, groupInfo } = await group.prepare({ add: offers, remove: [] })
      group = next
      count += comers.length
      if (count === size && welcome) other = await comers.at(-1)?.enter(welcome, groupInfo)
    }
    return new GroupLife(group, other)
  }

  async join(): Promise<Sample> {
    const agreement = await agreementOf('newest')
    const offer = await agreement.offer()
    const size = this.#committer.members.length + 1
    const sample = await this.#commit('join', { add: [offer], remove: [] }, size)
    const { prepared, welcome } = sample
    const [entered, joinerMs] = await timed(() => agreement.enter(welcome, prepared.groupInfo))
    this.#newest = entered
    const offered = messageBytes({ keyPackage: toText(offer) })
    const welcomed = messageBytes({
      welcome: toText(welcome),
      groupInfo: toText(prepared.groupInfo),
    })
    return {
      ...sample,
      joinerMs,
      upBytes: offered + sample.upBytes,
      // The offer goes to all who are in, and the welcome to one.
      downBytes: (size - 1) * offered + sample.downBytes + welcomed,
      eachBytes: offered + sample.eachBytes,
    }
  }

  async joinUninvited(): Promise<Sample> {
    const agreement = await agreementOf('newest')
    const publicState = await this.#committer.publicState()
    const [prepared, joinerMs] = await timed(() => agreement.enterUninvited(publicState))
    this.#newest = prepared.next
    const [committer] = await timed(() => followed(this.#committer, prepared))
    this.#committer = committer
    const otherMs = await this.#follow(prepared)
    const fetched = messageBytes({ groupInfo: toText(publicState) })
    const event = messageBytes({ commit: toText(prepared.commit) })
    return {
      change: 'join uninvited',
      committerMs: undefined,
      joinerMs,
      otherMs,
      upBytes: requestBytes(prepared),
      downBytes: fetched + prepared.next.members.length * event,
      eachBytes: event,
    }
  }

  async leave(): Promise<Sample> {
    const leaf = this.#newest?.ownLeaf
    this.#newest = undefined
    if (leaf === undefined) throw new Error('nobody has come')
    const staying = this.#committer.members.length - 1
    return this.#commit('leave', { add: [], remove: [leaf] }, staying)
  }

  renew(): Promise<Sample> {
    return this.#commit('renew', { add: [], remove: [] }, this.#committer.members.length)
  }

  /** Commits a change that so many are told of. */
  async #commit(change: GroupCost['change'], what: GroupChange, told: number) {
    const [prepared, committerMs] = await timed(() => this.#committer.prepare(what))
    this.#committer = prepared.next
    const otherMs = await this.#follow(prepared)
    const event = messageBytes({ commit: toText(prepared.commit) })
    return {
      ...{ change, committerMs, otherMs, prepared, joinerMs: undefined },
      welcome: prepared.welcome ?? new Uint8Array(),
      upBytes: requestBytes(prepared),
      downBytes: told * event,
      eachBytes: event,
    }
  }

  /** Has the others follow a commit, and tells how long one of them takes. */
  async #follow(prepared: PreparedCommit): Promise<number | undefined> {
    const { epoch } = prepared.next
    if (this.#newest && this.#newest.epoch < epoch) {
      this.#newest = await followed(this.#newest, prepared)
    }
    const other = this.#other
    if (!other) return undefined
    const [next, ms] = await timed(() => followed(other, prepared))
    this.#other = next
    return ms
  }
}

async function followed(group: Group, { commit }: PreparedCommit): Promise<Group> {
  const processed = await group.process(commit)
  if (processed === 'removed') throw new Error('somebody else was to go')
  return processed.group
}

/** The medians of what was measured of one change; nothing where it was not. */
function summed(
  samples: readonly Sample[],
  change: GroupCost['change'],
  members: number,
): readonly GroupCost[] {
  const own = samples.filter((sample) => sample.change === change)
  const [first] = own
  if (!first) return []
  const median = (of: 'committerMs' | 'joinerMs' | 'otherMs') =>
    first[of] === undefined ? undefined : middle(own.map((sample) => sample[of] ?? 0))
  const bytes = (of: 'upBytes' | 'downBytes' | 'eachBytes') =>
    Math.round(middle(own.map((sample) => sample[of])))
  return [
    {
      ...{ change, members },
      committerMs: median('committerMs'),
      joinerMs: median('joinerMs'),
      otherMs: median('otherMs'),
      upBytes: bytes('upBytes'),
      downBytes: bytes('downBytes'),
      eachBytes: bytes('eachBytes'),
    },
  ]
}

async function agreementOf(user: string): Promise<GroupKeyAgreement> {
  return mlsAgreement({
    call: CALL,
    user: user as UserId,
    device: 'only' as DeviceId,
    // One of its own for each, so that nothing is remembered that would not be.
    key: await deviceKeyOf(await generateDeviceKeyPair()),
    now: () => Date.now(),
  })
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const before = performance.now()
  const result = await work()
  return [result, performance.now() - before]
}

function requestBytes({ commit, welcome, groupInfo }: PreparedCommit): number {
  return messageBytes({
    commit: toText(commit),
    groupInfo: toText(groupInfo),
    ...(welcome && { welcome: toText(welcome) }),
  })
}

/** A message with its frame, as long as names and numbers are here. */
function messageBytes(data: object): number {
  const call = 'c'.repeat(22)
  return JSON.stringify({ type: 'mls.commit', seq: 100, data: { call, epoch: 10, ...data } }).length
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
