import { errorCodes, stay, unreachable } from '@parley/protocol'
import type { ErrorCode, Millis, SessionEnd, SessionId, Step } from '@parley/protocol'
import { retryAfter } from './reconnect-policy.ts'

/** What the server needs to continue a session. */
export interface Resume {
  readonly session: SessionId
  readonly key: string
  readonly lastSeq: number
}

/** The connection to signaling as apps see it. */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed'

/** How long one attempt may take, token and handshake. */
const ATTEMPT_MS = 12_000

/** Why a connection is closed for good. */
export type ConnectionFailure = ErrorCode | 'not-connected' | 'token-failed'

/** `since`: when the connection was lost or first wanted. `resume`: the session to continue. */
export type Connection =
  | { readonly phase: 'idle' }
  | {
      readonly phase: 'opening'
      readonly since: Millis
      /** When the attempt counts as failed, whatever the token provider or the network do. */
      readonly giveUpAt: Millis
      readonly failures: number
      readonly resume: Resume | undefined
    }
  | {
      readonly phase: 'online'
      readonly resume: Resume
      /** The server is about to close, and has said how long to stay away. */
      readonly awayMs?: Millis
    }
  | {
      readonly phase: 'waiting'
      readonly since: Millis
      readonly failures: number
      readonly resume: Resume | undefined
      readonly retryAt: Millis
    }
  | { readonly phase: 'closed'; readonly failure: ConnectionFailure | undefined }

export type ConnectionEvent =
  | { readonly type: 'connectAsked' }
  | { readonly type: 'closeAsked' }
  | { readonly type: 'welcomed'; readonly session: SessionId; readonly key: string }
  /** An event of the session was handled. */
  | { readonly type: 'eventSeen'; readonly seq: number }
  /** The handshake was refused, or `token()` failed; no code: the server was not reached. */
  | {
      readonly type: 'refused'
      readonly code: ConnectionFailure | undefined
      readonly retryable: boolean
      readonly random: number
      /** When to come back, where the server said so. */
      readonly afterMs?: Millis | undefined
    }
  | { readonly type: 'lost'; readonly random: number }
  /** The server said that it is about to close. */
  | {
      readonly type: 'closing'
      readonly code: SessionEnd
      /** When to come back, where the server said so. */
      readonly afterMs?: Millis | undefined
    }
  | { readonly type: 'networkBack' }
  /** The connection that there is cannot be trusted any more, or is not to be waited for. */
  | { readonly type: 'reopenAsked' }
  | { readonly type: 'tick'; readonly random: number }

export type ConnectionEffect =
  | { readonly type: 'open'; readonly resume: Resume | undefined }
  | { readonly type: 'close' }
  /** Lets a connection go without a goodbye: its session goes on. */
  | { readonly type: 'abandon' }
  /** Connected: unanswered requests go out again. */
  | { readonly type: 'flush' }
  /** It is over; waiting requests fail. */
  | { readonly type: 'fail'; readonly failure: ConnectionFailure }

/** How long to try: the first connection, and a lost one. */
export interface ConnectionBudgets {
  readonly connectMs: Millis
  readonly reconnectMs: Millis
}

export const idleConnection: Connection = { phase: 'idle' }

/** Returns the machine. An event that makes no sense in a state changes nothing. */
export function connectionMachine(budgets: ConnectionBudgets) {
  return (
    state: Connection,
    event: ConnectionEvent,
    now: Millis,
  ): Step<Connection, ConnectionEffect> => {
    switch (event.type) {
      case 'connectAsked':
        if (state.phase !== 'idle' && state.phase !== 'closed') return stay(state)
        return opening({ since: now, failures: 0, resume: undefined }, now)
      case 'closeAsked':
        if (state.phase === 'idle' || state.phase === 'closed') return stay(state)
        return { state: { phase: 'closed', failure: undefined }, effects: [{ type: 'close' }] }
      case 'welcomed':
        return onWelcome(state, event)
      case 'eventSeen':
        if (state.phase !== 'online' || event.seq <= state.resume.lastSeq) return stay(state)
        return stay({ ...state, resume: { ...state.resume, lastSeq: event.seq } })
      case 'refused':
        return onRefused(state, event, now, budgets)
      case 'lost':
        return onLost(state, event.random, now, budgets)
      case 'closing':
        if (state.phase !== 'online') return stay(state)
        if (!errorCodes[event.code].retryable) return failed(event.code)
        return stay(event.afterMs === undefined ? state : { ...state, awayMs: event.afterMs })
      case 'networkBack':
        return state.phase === 'waiting' ? opening(state, now) : stay(state)
      case 'reopenAsked':
        return onReopen(state, now)
      case 'tick':
        return onTick(state, event.random, now, budgets)
      default:
        return unreachable(event)
    }
  }
}

/** When `tick` is next due. */
export function connectionDeadline(state: Connection): Millis | undefined {
  if (state.phase === 'waiting') return state.retryAt
  // Online the transport's own heartbeat is the deadline: a dead one is `lost` within 15 s.
  return state.phase === 'opening' ? state.giveUpAt : undefined
}

/** The state as apps see it. */
export function connectionState(state: Connection): ConnectionState {
  switch (state.phase) {
    case 'idle':
    case 'closed':
      return state.phase
    case 'online':
      return 'connected'
    case 'opening':
    case 'waiting':
      return state.resume ? 'reconnecting' : 'connecting'
    default:
      return unreachable(state)
  }
}

function onWelcome(
  state: Connection,
  { session, key }: Extract<ConnectionEvent, { type: 'welcomed' }>,
): Step<Connection, ConnectionEffect> {
  if (state.phase !== 'opening') return stay(state)
  // Sequence numbers go on within a session, and begin anew with another.
  const lastSeq = state.resume?.session === session ? state.resume.lastSeq : 0
  return {
    state: { phase: 'online', resume: { session, key, lastSeq } },
    effects: [{ type: 'flush' }],
  }
}

function onRefused(
  state: Connection,
  { code, retryable, random, afterMs }: Extract<ConnectionEvent, { type: 'refused' }>,
  now: Millis,
  budgets: ConnectionBudgets,
): Step<Connection, ConnectionEffect> {
  if (state.phase !== 'opening') return stay(state)
  if (code !== undefined && !retryable) return failed(code)
  const resume = code === 'session-gone' ? undefined : state.resume
  // A fresh token is asked for with each attempt, so the first refusal of an old one costs no wait.
  if (code === 'token-expired' && state.failures === 0) {
    return opening({ since: state.since, failures: 1, resume }, now)
  }
  const failures = state.failures + 1
  const budgetMs = state.resume ? budgets.reconnectMs : budgets.connectMs
  const retry = retryAfter({ failures, elapsedMs: now - state.since, budgetMs, random })
  if (retry === 'give-up') return failed(code ?? 'not-connected')
  const { since } = state
  return stay({ phase: 'waiting', since, failures, resume, retryAt: now + (afterMs ?? retry.inMs) })
}

function onLost(
  state: Connection,
  random: number,
  now: Millis,
  budgets: ConnectionBudgets,
): Step<Connection, ConnectionEffect> {
  if (state.phase === 'opening') {
    return onRefused(
      state,
      { type: 'refused', code: undefined, retryable: true, random },
      now,
      budgets,
    )
  }
  if (state.phase !== 'online') return stay(state)
  const retry = retryAfter({ failures: 1, elapsedMs: 0, budgetMs: budgets.reconnectMs, random })
  if (retry === 'give-up') return failed('not-connected')
  const { resume, awayMs = 0 } = state
  // The server gives each client a time of its own; the jitter is on top.
  return stay({
    phase: 'waiting',
    since: now,
    failures: 0,
    resume,
    retryAt: now + awayMs + retry.inMs,
  })
}

function onReopen(state: Connection, now: Millis): Step<Connection, ConnectionEffect> {
  if (state.phase === 'waiting') return opening(state, now)
  if (state.phase !== 'online') return stay(state)
  const { resume } = state
  const reopened = opening({ since: now, failures: 0, resume }, now)
  return { state: reopened.state, effects: [{ type: 'abandon' }, ...reopened.effects] }
}

function onTick(
  state: Connection,
  random: number,
  now: Millis,
  budgets: ConnectionBudgets,
): Step<Connection, ConnectionEffect> {
  if (state.phase === 'waiting' && now >= state.retryAt) return opening(state, now)
  if (state.phase !== 'opening' || now < state.giveUpAt) return stay(state)
  const silence = { type: 'refused', code: undefined, retryable: true, random } as const
  const step = onRefused(state, silence, now, budgets)
  return { state: step.state, effects: [{ type: 'abandon' }, ...step.effects] }
}

function opening(
  {
    since,
    failures,
    resume,
  }: { readonly since: Millis; readonly failures: number; readonly resume: Resume | undefined },
  now: Millis,
): Step<Connection, ConnectionEffect> {
  return {
    state: { phase: 'opening', since, failures, resume, giveUpAt: now + ATTEMPT_MS },
    effects: [{ type: 'open', resume }],
  }
}

function failed(failure: ConnectionFailure): Step<Connection, ConnectionEffect> {
  return {
    state: { phase: 'closed', failure },
    effects: [{ type: 'close' }, { type: 'fail', failure }],
  }
}
