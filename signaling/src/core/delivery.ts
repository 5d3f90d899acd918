import type { OrderedCommit, ParticipantId, Result } from '@parley/protocol'
import { fail, limits, ok } from '@parley/protocol'

/** The group of a call as the server knows it: public bytes in an order, and no secret. */
export interface Group {
  readonly epoch: number
  readonly groupInfo: string
  /** The newest commits, oldest first, without a gap: the last one began `epoch`. */
  readonly commits: readonly OrderedCommit[]
}

/** What the delivery service keeps of one call. */
export interface Delivery {
  /** Counts the groups of the call; messages that name another one are void. */
  readonly generation: number
  readonly group: Group | undefined
  /** Key packages of devices that are in no group yet. */
  readonly waiting: ReadonlyMap<ParticipantId, string>
}

export const newDelivery: Delivery = { generation: 0, group: undefined, waiting: new Map() }

/** A commit as a device hands it in. */
export interface CommitProposal {
  readonly from: ParticipantId
  readonly generation: number
  readonly epoch: number
  readonly commit: string
  readonly groupInfo: string
  readonly added: readonly ParticipantId[]
}

/** A device offers itself; a newer offer replaces an older one. */
export function offer(state: Delivery, from: ParticipantId, keyPackage: string): Delivery {
  return { ...state, waiting: new Map(state.waiting).set(from, keyPackage) }
}

/**
 * Begins the group, unless another device was faster; or tells a server that lost its memory where
 * the group stands, when the member who is furthest ahead wins, until a commit has gone on from there.
 */
export function create(
  state: Delivery,
  by: {
    readonly from: ParticipantId
    readonly generation: number
    readonly epoch: number
    readonly groupInfo: string
  },
): Result<Delivery> {
  const { group } = state
  const { from, generation, epoch, groupInfo } = by
  const isAhead = group === undefined || (group.commits.length === 0 && epoch > group.epoch)
  const isNews = generation > state.generation || (generation === state.generation && isAhead)
  if (!isNews) return fail('mls-stale-epoch')
  const waiting = without(state.waiting, [from])
  return ok({ generation, group: { epoch, groupInfo, commits: [] }, waiting })
}

/** Compare-and-set: the first commit that names the present epoch ends it. */
export function commit(state: Delivery, proposal: CommitProposal): Result<Delivery> {
  const { group, generation } = state
  if (!group || proposal.generation !== generation) return fail('mls-no-group')
  if (proposal.epoch !== group.epoch) return fail('mls-stale-epoch')
  const { from, epoch, commit: bytes, groupInfo, added } = proposal
  const commits = bounded([...group.commits, { epoch, from, commit: bytes }])
  return ok({
    ...state,
    group: { epoch: epoch + 1, groupInfo, commits },
    // Who commits is in: by a welcome before, or by this very commit.
    waiting: without(state.waiting, [...added, from]),
  })
}

/** The commits that lead from `since` to the present epoch; none where some are gone. */
export function commitsSince({ commits, epoch }: Group, since: number): readonly OrderedCommit[] {
  const later = commits.filter((one) => one.epoch >= since)
  return later.length === epoch - since ? later : []
}

/** Ends the group: everybody offers himself anew. */
export function reset(state: Delivery, generation: number): Result<Delivery> {
  if (generation !== state.generation) return fail('mls-no-group')
  return ok({ generation: generation + 1, group: undefined, waiting: new Map() })
}

/** A participant is gone; taking him out of the group is the members' affair. */
export function left(state: Delivery, gone: ParticipantId): Delivery {
  return { ...state, waiting: without(state.waiting, [gone]) }
}

function bounded(commits: readonly OrderedCommit[]): readonly OrderedCommit[] {
  const newest = commits.slice(-limits.mlsCommits)
  let length = 0
  const from = newest.findLastIndex(({ commit: bytes }) => {
    length += bytes.length
    return length > limits.mlsCommitsLength
  })
  return newest.slice(from + 1)
}

function without(
  waiting: Delivery['waiting'],
  gone: readonly ParticipantId[],
): Delivery['waiting'] {
  return new Map([...waiting].filter(([id]) => !gone.includes(id)))
}
