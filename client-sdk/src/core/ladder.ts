import { stay, unreachable } from '@parley/protocol'
import type { Millis, Step } from '@parley/protocol'

/**
 * What is being done to get media back, the gentlest first. `signaling`: the server is not reached, and
 * nothing can be done without it. `others`: none of the others is there to talk to.
 */
export type Rung = 'signaling' | 'others' | 'ice-restart' | 'path-change' | 'rejoin'

/** How long each rung may take before the next one. Longer suits slow links; shorter helps sooner. */
const RUNG_MS: Readonly<Record<Rung, Millis>> = {
  signaling: 120_000,
  others: 120_000,
  'ice-restart': 13_000,
  'path-change': 12_000,
  rejoin: 25_000,
}

/** Through a node there is no other path to change to: its restarts get that time as well. */
const NODE_RESTARTS_MS = RUNG_MS['ice-restart'] + RUNG_MS['path-change']

/** The whole climb, however often the network comes and goes. */
const CLIMB_MS = 300_000

/** A short break heals by itself; restarting ICE within it would only delay that. */
const GRACE_MS = 2_500

const RESTART_EVERY_MS = 6_000

/** A browser that has given up is helped at once, but not faster than restarts may follow. */
const URGENT_MS = 500

/** One climb, from the loss of media until it is back. */
export interface Climb {
  /** When media stopped, or began to be waited for. */
  readonly since: Millis
  readonly rung: Rung
  readonly rungSince: Millis
  readonly endsAt: Millis
  /** When ICE is restarted next. */
  readonly restartAt: Millis
}

/** The way back to media. `climb` is undefined while media flows or nobody is there. */
export interface Ladder {
  readonly online: boolean
  readonly company: boolean
  readonly climb: Climb | undefined
  /** Nothing helped. */
  readonly gaveUp: boolean
}

/** Media of the path in use. `idle`: there is nobody to exchange it with. */
export type LadderMedia = 'idle' | 'connecting' | 'connected' | 'interrupted'

export type LadderEvent =
  | { readonly type: 'media'; readonly state: LadderMedia }
  /** The browser has given up on the path: without a restart it stays dead. */
  | { readonly type: 'broken' }
  /** The path could not even be set up. */
  | { readonly type: 'hopeless' }
  | { readonly type: 'signaling'; readonly online: boolean }
  /** Whether anybody else is there, as the server sees it. */
  | { readonly type: 'company'; readonly present: boolean }
  /** The device is on another network: the path is dead even if the browser does not know yet. */
  | { readonly type: 'networkChanged' }
  /** The user looks at the page again, or asks to try now. */
  | { readonly type: 'nudged' }
  /** `direct`: there is another path to change to. */
  | { readonly type: 'tick'; readonly direct: boolean }

export type LadderEffect =
  | { readonly type: 'restartIce' }
  | { readonly type: 'changePath' }
  | { readonly type: 'rejoin' }
  | { readonly type: 'giveUp' }

export const atFoot: Ladder = { online: true, company: true, climb: undefined, gaveUp: false }

type LadderStep = Step<Ladder, LadderEffect>

/** The machine. An event that makes no sense in a state changes nothing. */
export function ladder(state: Ladder, event: LadderEvent, now: Millis): LadderStep {
  if (state.gaveUp) return stay(state)
  switch (event.type) {
    case 'media':
      return onMedia(state, event.state, now)
    case 'broken':
      return onBroken(state, now)
    case 'hopeless':
      return blockage(state) ? stay(state) : rejoinOrGiveUp(state, now)
    case 'signaling':
      return onPlace({ ...state, online: event.online }, now)
    case 'company':
      return onPlace({ ...state, company: event.present }, now)
    case 'networkChanged':
      return restartNow(state, now)
    case 'nudged':
      return state.climb ? restartNow(state, now) : stay(state)
    case 'tick':
      return onTick(state, event.direct, now)
    default:
      return unreachable(event)
  }
}

/** When `tick` is next due. */
export function ladderDeadline({ climb, gaveUp }: Ladder): Millis | undefined {
  return climb && !gaveUp ? Math.min(climb.endsAt, climb.restartAt) : undefined
}

function onMedia(state: Ladder, media: LadderMedia, now: Millis): LadderStep {
  if (media === 'connected' || media === 'idle') {
    return state.climb ? stay({ ...state, climb: undefined }) : stay(state)
  }
  if (state.climb) return stay(state)
  const patience = media === 'connecting' ? RESTART_EVERY_MS : GRACE_MS
  return stay({ ...state, climb: begin(state, { since: now, patience }, now) })
}

function onBroken(state: Ladder, now: Millis): LadderStep {
  const climb = state.climb ?? begin(state, { since: now, patience: URGENT_MS }, now)
  if (!restarts(climb.rung)) return stay({ ...state, climb })
  const restartAt = Math.min(climb.restartAt, now + URGENT_MS)
  return stay({ ...state, climb: { ...climb, restartAt } })
}

/** The server or the others came or went: what can be done is another thing now. */
function onPlace(state: Ladder, now: Millis): LadderStep {
  const { climb } = state
  if (!climb) return stay(state)
  const wanted = blockage(state)
  if (wanted === climb.rung) return stay(state)
  if (wanted === undefined && !isBlocked(climb.rung)) return stay(state)
  // Time spent waiting is no time in which anything was tried.
  return stay({ ...state, climb: begin(state, { since: climb.since, patience: 0 }, now) })
}

function restartNow(state: Ladder, now: Millis): LadderStep {
  const { climb } = state
  if (blockage(state) !== undefined) return stay(state)
  const next =
    climb && restarts(climb.rung) ? { ...climb, restartAt: now + RESTART_EVERY_MS } : climb
  return { state: { ...state, climb: next }, effects: [{ type: 'restartIce' }] }
}

function onTick(state: Ladder, direct: boolean, now: Millis): LadderStep {
  const { climb } = state
  if (!climb) return stay(state)
  if (now >= climb.since + CLIMB_MS || (now >= climb.endsAt && isBlocked(climb.rung))) {
    return giveUp(state)
  }
  if (now >= climb.endsAt) {
    if (climb.rung !== 'ice-restart') return rejoinOrGiveUp(state, now)
    if (direct) return climbTo(state, 'path-change', now)
    const endsAt = climb.rungSince + NODE_RESTARTS_MS
    if (now >= endsAt) return rejoinOrGiveUp(state, now)
    return onTick({ ...state, climb: { ...climb, endsAt } }, direct, now)
  }
  if (now < climb.restartAt) return stay(state)
  return {
    state: { ...state, climb: { ...climb, restartAt: now + RESTART_EVERY_MS } },
    effects: [{ type: 'restartIce' }],
  }
}

function rejoinOrGiveUp(state: Ladder, now: Millis): LadderStep {
  return state.climb?.rung === 'rejoin' ? giveUp(state) : climbTo(state, 'rejoin', now)
}

function climbTo(state: Ladder, rung: 'path-change' | 'rejoin', now: Millis): LadderStep {
  const since = state.climb?.since ?? now
  const restartAt = rung === 'rejoin' ? Infinity : now + RESTART_EVERY_MS
  return {
    state: {
      ...state,
      climb: { since, rung, rungSince: now, endsAt: endOf(rung, since, now), restartAt },
    },
    effects: [{ type: rung === 'rejoin' ? 'rejoin' : 'changePath' }],
  }
}

function giveUp(state: Ladder): LadderStep {
  return { state: { ...state, climb: undefined, gaveUp: true }, effects: [{ type: 'giveUp' }] }
}

/** The lowest rung that makes sense now. */
function begin(
  state: Ladder,
  { since, patience }: { since: Millis; patience: Millis },
  now: Millis,
): Climb {
  const rung = blockage(state) ?? 'ice-restart'
  const restartAt = isBlocked(rung) ? Infinity : now + patience
  return { since, rung, rungSince: now, endsAt: endOf(rung, since, now), restartAt }
}

function endOf(rung: Rung, since: Millis, now: Millis): Millis {
  return Math.min(now + RUNG_MS[rung], since + CLIMB_MS)
}

function blockage({ online, company }: Ladder): 'signaling' | 'others' | undefined {
  if (!online) return 'signaling'
  return company ? undefined : 'others'
}

function isBlocked(rung: Rung): boolean {
  return rung === 'signaling' || rung === 'others'
}

function restarts(rung: Rung): boolean {
  return rung === 'ice-restart' || rung === 'path-change'
}
