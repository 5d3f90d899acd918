import { stay, unreachable } from '@parley/protocol'
import type { Millis, OrderedCommit, ParticipantId, Step } from '@parley/protocol'
import { needsOf, rankOf, sameDevice } from './group-needs.ts'
import type { GroupNeeds, Waiting } from './group-needs.ts'
import { afterReset } from './group-resets.ts'
import type { GroupEffect, GroupEvent, GroupState, GroupView, Welcome } from './group-state.ts'

/** Joins are gathered for so long, so that ten people who come at once are one commit. */
export const GATHER_MS = 150
/** What the next member waits longer than the one before him. */
export const RANK_MS = 400
/** One who waits enters by himself after this. Less than that is two commits for one join. */
export const ENTER_AFTER_MS = 2_000
/** Fresh keys, also while nobody comes or goes. */
export const REKEY_MS = 600_000
/** An own commit that nothing is heard of is looked after. */
export const SENT_PATIENCE_MS = 5_000
const RETRY_MS = 500
/** Attempts before the whole group is given up. */
const MOST_FAILURES = 4

export function newGroupState(self: ParticipantId): GroupState {
  return {
    self,
    roster: [],
    generation: 0,
    phase: 'outside',
    busy: undefined,
    groupExists: false,
    view: undefined,
    waiting: new Map(),
    sent: undefined,
    inbox: [],
    welcome: undefined,
    stale: false,
    returning: false,
    lost: false,
    overruled: false,
    enterAt: 0,
    notBefore: 0,
    pressingSince: undefined,
    rekeyAt: Number.POSITIVE_INFINITY,
    failures: 0,
    resets: { explained: 0, unexplained: 0 },
  }
}

/** When the machine wants a `tick`, if nothing else happens. */
export function groupDeadline(state: GroupState): Millis | undefined {
  if (state.busy !== undefined || !isSeated(state)) return undefined
  const next = nextDeadline(state)
  return Number.isFinite(next) ? Math.max(next, state.notBefore) : undefined
}

function nextDeadline(state: GroupState): Millis {
  const { phase, sent, enterAt, rekeyAt, notBefore, stale, lost } = state
  if (phase === 'outside' || stale || lost) return notBefore
  if (sent) return sentDeadline(state)
  return phase === 'waiting' ? enterAt : Math.min(commitAt(state), rekeyAt)
}

/** Takes in one event and says what to do next. */
export function group(
  before: GroupState,
  event: GroupEvent,
  now: Millis,
): Step<GroupState, GroupEffect> {
  return advance(pressing(take(before, event, now), now), now)
}

function take(state: GroupState, event: GroupEvent, now: Millis): GroupState {
  switch (event.type) {
    case 'roster': {
      const owns = ([id, offer]: readonly [ParticipantId, Waiting]) =>
        event.roster.some((seat) => seat.participant === id && sameDevice(seat, offer))
      const waiting = new Map([...state.waiting].filter(owns))
      return { ...state, roster: event.roster, waiting }
    }
    case 'waiting': {
      const { participant, offer } = event
      const isFull = state.waiting.size >= MOST_WAITING && !state.waiting.has(participant)
      return isFull ? state : { ...state, waiting: new Map(state.waiting).set(participant, offer) }
    }
    case 'created':
      return created(state, event.generation, now)
    case 'commit':
      return event.generation === state.generation ? queue(state, [event.commit]) : state
    case 'welcome':
      return event.generation === state.generation && state.phase !== 'member'
        ? { ...state, welcome: event.welcome }
        : state
    case 'reset':
      return event.generation > state.generation ? startOver(state, event.generation) : state
    case 'status':
      return takeStatus({ ...state, busy: undefined, stale: false }, event, now)
    case 'sent':
      return { ...state, busy: undefined, sent: { ...event, at: now } }
    case 'moved':
      return moved(state, event, now)
    case 'removed':
      // Taken for gone, though we are here: come back.
      return { ...outside(state), busy: undefined }
    case 'refused':
      return refused(state, event.what, now)
    case 'done':
      return { ...state, busy: undefined, lost: false }
    case 'failed':
      return failed(state, now, event)
    case 'resync':
      return state.phase === 'member'
        ? { ...state, stale: true, returning: true }
        : { ...outside(state), busy: state.busy }
    case 'behind':
      return { ...state, stale: state.phase === 'member' }
    case 'renew':
      return { ...state, rekeyAt: Math.min(state.rekeyAt, now) }
    case 'tick':
      return state
    default:
      return unreachable(event)
  }
}

/** Begins the most urgent work, if none is under way. */
function advance(state: GroupState, now: Millis): Step<GroupState, GroupEffect> {
  if (state.busy !== undefined || !isSeated(state) || now < state.notBefore) return stay(state)
  if (state.phase === 'outside') return begin(state, { type: 'offer' })
  return state.phase === 'waiting' ? advanceWaiting(state, now) : advanceMember(state, now)
}

function advanceWaiting(state: GroupState, now: Millis): Step<GroupState, GroupEffect> {
  const { generation, welcome, sent } = state
  if (sent) {
    const own = state.inbox.find(({ epoch }) => epoch === sent.epoch)
    if (own) return settleSent(state, own, now)
    return now >= sentDeadline(state)
      ? advance({ ...state, sent: undefined, enterAt: now }, now)
      : stay(state)
  }
  if (welcome) {
    const entering = { ...state, welcome: undefined }
    return begin(entering, { type: 'enter', ...pick(welcome) })
  }
  if (!state.groupExists) return begin(state, { type: 'create', generation })
  // A group whose members are all gone, or one that we cannot follow at all.
  if (state.roster.length === 1 || state.failures >= MOST_FAILURES) {
    return begin({ ...state, failures: 0 }, { type: 'reset', generation })
  }
  if (now < state.enterAt) return stay(state)
  return begin(state, { type: 'enterUninvited', generation })
}

/** Somebody has ended the epoch that our way in was made for: it was us, or we try again. */
function settleSent(
  state: GroupState,
  winner: OrderedCommit,
  now: Millis,
): Step<GroupState, GroupEffect> {
  const { sent } = state
  if (sent && winner.commit === sent.commit) {
    return begin({ ...state, sent: undefined }, { type: 'adopt' })
  }
  return advance({ ...state, sent: undefined, enterAt: now }, now)
}

function advanceMember(state: GroupState, now: Millis): Step<GroupState, GroupEffect> {
  const { view, generation, sent } = state
  if (!view) return stay(state)
  // What the server says of the group comes before commits, which may be those of another one.
  if (state.stale && !state.lost) {
    return begin({ ...state, inbox: [] }, { type: 'fetch', since: view.epoch })
  }
  const next = state.inbox.find(({ epoch }) => epoch === view.epoch)
  if (next) {
    const own = sent !== undefined && next.commit === sent.commit
    // Whoever was faster, our own commit is settled.
    const settled = { ...state, sent: undefined }
    return begin(settled, own ? { type: 'adopt' } : { type: 'process', commit: next })
  }
  if (state.lost) return begin(state, { type: 'reseed', generation })
  const gap = state.inbox.length > 0
  const unheard = sent !== undefined && now >= sentDeadline(state)
  if (gap || unheard) {
    return begin({ ...state, inbox: [] }, { type: 'fetch', since: view.epoch })
  }
  if (sent || now < Math.min(commitAt(state), state.rekeyAt)) return stay(state)
  return begin(state, { type: 'commit', generation, needs: needs(state) })
}

function begin(state: GroupState, effect: GroupEffect): Step<GroupState, GroupEffect> {
  return { state: { ...state, busy: effect.type }, effects: [effect] }
}

function queue(state: GroupState, commits: readonly OrderedCommit[]): GroupState {
  const from = state.view?.epoch ?? 0
  const queued = new Map(state.inbox.map((one) => [one.epoch, one]))
  for (const one of commits) {
    if (one.epoch >= from && !queued.has(one.epoch)) queued.set(one.epoch, one)
  }
  const inbox = [...queued.values()].sort((a, b) => a.epoch - b.epoch)
  return { ...state, inbox: inbox.slice(-MOST_QUEUED) }
}

/** More than the server keeps. */
const MOST_QUEUED = 128

/** Offers kept at once, some of whom before their seats are known; a call has fewer seats. */
const MOST_WAITING = 128

function takeStatus(
  state: GroupState,
  event: Extract<GroupEvent, { type: 'status' }>,
  now: Millis,
): GroupState {
  const { generation, epoch, commits } = event
  if (state.phase !== 'member' || !state.view) {
    return {
      ...state,
      phase: 'waiting',
      generation,
      groupExists: epoch !== null,
      enterAt: now + ENTER_AFTER_MS,
    }
  }
  if (generation > state.generation) return startOver(state, generation)
  const own = state.view.epoch
  if (epoch === null || epoch < own || generation < state.generation) {
    return state.overruled
      ? { ...outOfLine(state), generation, enterAt: now }
      : { ...state, lost: true }
  }
  const isOther = event.other === true || (epoch > own && commits.length === 0)
  if (isOther) return { ...outOfLine(state), enterAt: now }
  return { ...queue(state, commits), sent: undefined, overruled: false, returning: false }
}

/** A group was begun, or a server that had lost it was told where it stands. */
function created(state: GroupState, generation: number, now: Millis): GroupState {
  if (generation > state.generation) return startOver(state, generation)
  if (generation < state.generation) return state
  // It may stand elsewhere than here.
  if (state.phase === 'member') return { ...state, stale: true }
  if (state.groupExists) return state
  return { ...state, groupExists: true, enterAt: now + ENTER_AFTER_MS }
}

function moved(
  state: GroupState,
  { view, added }: Extract<GroupEvent, { type: 'moved' }>,
  now: Millis,
): GroupState {
  const waits = ([, offer]: readonly [ParticipantId, Waiting]) =>
    !added.some((device) => sameDevice(device, offer))
  return {
    ...state,
    phase: 'member',
    busy: undefined,
    view,
    waiting: new Map([...state.waiting].filter(waits)),
    inbox: state.inbox.filter(({ epoch }) => epoch >= view.epoch),
    welcome: undefined,
    sent: undefined,
    returning: false,
    overruled: false,
    pressingSince: undefined,
    rekeyAt: now + REKEY_MS + turnOf(view) * RANK_MS,
    failures: 0,
  }
}

/** Whose turn it is to make fresh keys goes round, so that everybody's path is renewed in time. */
function turnOf({ leaves, ownLeaf, epoch }: GroupView): number {
  const place = leaves.findIndex(({ leaf }) => leaf === ownLeaf)
  return (((place - epoch) % leaves.length) + leaves.length) % leaves.length
}

function refused(state: GroupState, what: 'create' | 'commit' | 'reseed', now: Millis): GroupState {
  // Another member was faster, or others have begun a group without knowing of this one.
  if (what === 'reseed')
    return { ...state, busy: undefined, lost: false, overruled: true, stale: true }
  if (what === 'create') {
    return { ...state, busy: undefined, groupExists: true, enterAt: now + ENTER_AFTER_MS }
  }
  // The winner has been heard of already, or it is fetched.
  if (!state.sent) return state
  const stale = state.phase === 'member'
  // A server that refuses and shows no winner is not asked without pause.
  return { ...state, sent: undefined, stale, enterAt: now, notBefore: now + RETRY_MS }
}

function failed(
  before: GroupState,
  now: Millis,
  { hopeless = false, unasked = false }: Extract<GroupEvent, { type: 'failed' }>,
): GroupState {
  const failures = hopeless ? MOST_FAILURES : before.failures + (unasked ? 0 : 1)
  const notBefore = now + RETRY_MS * Math.min(Math.max(failures, 1), MOST_FAILURES)
  const state = { ...before, busy: undefined, failures, notBefore }
  if (state.phase !== 'member') return { ...state, sent: undefined, enterAt: notBefore }
  switch (before.busy) {
    case 'process':
    case 'adopt':
      return { ...outOfLine(state), enterAt: now }
    case 'commit': {
      // One of the offers is no good; its maker finds his own way in.
      const { add } = needs(before)
      const rest = [...state.waiting].filter(([id]) => !add.includes(id))
      return { ...state, waiting: new Map(rest), stale: true }
    }
    default:
      // Nothing is wrong with the group; the server could not be asked.
      return { ...state, stale: true }
  }
}

/** Still in the call, but not able to follow the group: enter it anew. */
function outOfLine(state: GroupState): GroupState {
  return { ...outside(state), phase: 'waiting', groupExists: true }
}

function outside(state: GroupState): GroupState {
  return {
    ...state,
    phase: 'outside',
    view: undefined,
    sent: undefined,
    inbox: [],
    welcome: undefined,
    stale: false,
    returning: false,
    lost: false,
    overruled: false,
    pressingSince: undefined,
    rekeyAt: Number.POSITIVE_INFINITY,
  }
}

function startOver(state: GroupState, generation: number): GroupState {
  const fresh = { generation, groupExists: false, waiting: new Map() }
  return { ...outside(state), ...fresh, resets: afterReset(state) }
}

/** Notes since when something has to be committed. */
function pressing(state: GroupState, now: Millis): GroupState {
  const { add, remove } = needs(state)
  const isPressing = add.length + remove.length > 0
  if (!isPressing) return state.pressingSince === undefined ? state : unpressed(state)
  return state.pressingSince === undefined ? { ...state, pressingSince: now } : state
}

function unpressed(state: GroupState): GroupState {
  return { ...state, pressingSince: undefined }
}

function needs({ roster, view, waiting, phase }: GroupState): GroupNeeds {
  if (!view || phase !== 'member') return { add: [], remove: [] }
  return needsOf(roster, view.leaves, waiting, view.ownLeaf)
}

/** When this device commits, unless somebody before it does. */
function commitAt(state: GroupState): Millis {
  const { pressingSince, view, roster } = state
  if (pressingSince === undefined || !view) return Number.POSITIVE_INFINITY
  // Who is gone must not hear a word more.
  const gather = needs(state).remove.length > 0 ? 0 : GATHER_MS
  return pressingSince + gather + rankOf(roster, view.leaves, view.ownLeaf) * RANK_MS
}

function sentDeadline({ sent }: GroupState): Millis {
  return (sent?.at ?? 0) + SENT_PATIENCE_MS
}

function isSeated({ roster, self }: GroupState): boolean {
  return roster.some(({ participant }) => participant === self)
}

function pick({ welcome, groupInfo }: Welcome) {
  return { welcome, groupInfo }
}
