import { stay, unreachable } from '@parley/protocol'
import type { Millis, Step } from '@parley/protocol'

/** How patient one kind of path is, in milliseconds. */
export interface HealthLimits {
  /** A short break heals by itself; restarting ICE within it would only delay that. */
  readonly graceMs: Millis
  readonly restartEveryMs: Millis
  /** When another path is asked for; `Infinity` where there is none. */
  readonly escalateMs: Millis
  readonly failMs: Millis
}

export const p2pHealthLimits: HealthLimits = {
  graceMs: 2_500,
  restartEveryMs: 6_000,
  escalateMs: 13_000,
  failMs: 60_000,
}

export const sfuHealthLimits: HealthLimits = {
  graceMs: 2_500,
  restartEveryMs: 6_000,
  escalateMs: Infinity,
  failMs: 60_000,
}

/** Whether media gets through. `since`: when it last stopped, or began to be tried. */
export type PathHealth =
  | { readonly phase: 'connected' }
  | {
      readonly phase: 'connecting' | 'interrupted'
      readonly since: Millis
      readonly restartAt: Millis
      readonly escalated: boolean
    }
  | { readonly phase: 'failed' }

export type PathHealthEvent =
  | { readonly type: 'connected' }
  /** The browser misses answers of the other side. */
  | { readonly type: 'disconnected' }
  /** The browser has given up. */
  | { readonly type: 'failed' }
  | { readonly type: 'tick' }

export type PathHealthEffect =
  { readonly type: 'restartIce' } | { readonly type: 'escalate' } | { readonly type: 'fail' }

export function newPathHealth(limits: HealthLimits, now: Millis): PathHealth {
  return trying('connecting', limits.restartEveryMs, now)
}

/** Returns the machine. An event that makes no sense in a state changes nothing. */
export function pathHealthMachine(limits: HealthLimits) {
  return (
    state: PathHealth,
    event: PathHealthEvent,
    now: Millis,
  ): Step<PathHealth, PathHealthEffect> => {
    if (state.phase === 'failed') return stay(state)
    switch (event.type) {
      case 'connected':
        return stay({ phase: 'connected' })
      case 'disconnected':
        if (state.phase !== 'connected') return stay(state)
        return stay(trying('interrupted', limits.graceMs, now))
      case 'failed': {
        const next = state.phase === 'connected' ? trying('interrupted', 0, now) : state
        // At once, but not faster than restarts may follow each other.
        return onTick({ ...next, restartAt: Math.min(next.restartAt, now + 500) }, limits, now)
      }
      case 'tick':
        return state.phase === 'connected' ? stay(state) : onTick(state, limits, now)
      default:
        return unreachable(event)
    }
  }
}

/** When `tick` is next due. */
export function pathHealthDeadline(state: PathHealth, limits: HealthLimits): Millis | undefined {
  if (state.phase === 'connected' || state.phase === 'failed') return undefined
  const escalateAt = state.escalated ? Infinity : state.since + limits.escalateMs
  return Math.min(state.restartAt, escalateAt, state.since + limits.failMs)
}

function onTick(
  state: Exclude<PathHealth, { phase: 'connected' | 'failed' }>,
  limits: HealthLimits,
  now: Millis,
): Step<PathHealth, PathHealthEffect> {
  if (now >= state.since + limits.failMs) {
    return { state: { phase: 'failed' }, effects: [{ type: 'fail' }] }
  }
  const restart = now >= state.restartAt
  const escalate = !state.escalated && now >= state.since + limits.escalateMs
  if (!restart && !escalate) return stay(state)
  return {
    state: {
      ...state,
      restartAt: restart ? now + limits.restartEveryMs : state.restartAt,
      escalated: state.escalated || escalate,
    },
    effects: [
      ...(restart ? ([{ type: 'restartIce' }] as const) : []),
      ...(escalate ? ([{ type: 'escalate' }] as const) : []),
    ],
  }
}

function trying(
  phase: 'connecting' | 'interrupted',
  restartInMs: Millis,
  now: Millis,
): Exclude<PathHealth, { phase: 'connected' | 'failed' }> {
  return { phase, since: now, restartAt: now + restartInMs, escalated: false }
}
