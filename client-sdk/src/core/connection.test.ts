import type { SessionId } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  connectionDeadline,
  connectionMachine,
  connectionState,
  idleConnection,
} from './connection.ts'
import type { Connection, ConnectionEffect, ConnectionEvent } from './connection.ts'

const machine = connectionMachine({ connectMs: 20_000, reconnectMs: 900_000 })
const session = 's1' as SessionId

describe('connection', () => {
  it('opens, and is connected with the welcome', () => {
    const run = play([{ type: 'connectAsked' }, welcome()])
    expect(run.effects).toEqual([{ type: 'open', resume: undefined }, { type: 'flush' }])
    expect(connectionState(run.state)).toBe('connected')
  })

  it('asks for its session again after a loss, with the last event it has seen', () => {
    const run = play([
      { type: 'connectAsked' },
      welcome(),
      { type: 'eventSeen', seq: 7 },
      { type: 'lost', random: 0 },
    ])
    expect(connectionState(run.state)).toBe('reconnecting')
    const due = connectionDeadline(run.state) ?? 0
    const { effects } = machine(run.state, { type: 'tick', random: 0 }, due)
    expect(effects).toEqual([{ type: 'open', resume: { session, key: 'k', lastSeq: 7 } }])
  })

  it('goes on counting within a session and begins anew with another', () => {
    const lost = play([
      { type: 'connectAsked' },
      welcome(),
      { type: 'eventSeen', seq: 7 },
      { type: 'lost', random: 0 },
      { type: 'networkBack' },
    ]).state
    expect(machine(lost, welcome(), 0).state).toMatchObject({ resume: { lastSeq: 7 } })
    const other = { ...welcome(), session: 's2' as SessionId }
    expect(machine(lost, other, 0).state).toMatchObject({ resume: { lastSeq: 0 } })
  })

  it('gives up at once where trying again cannot help', () => {
    const run = play([{ type: 'connectAsked' }, refused('unauthorized', false)])
    expect(run.state).toEqual({ phase: 'closed', failure: 'unauthorized' })
    expect(run.effects).toContainEqual({ type: 'fail', failure: 'unauthorized' })
  })

  it('asks for a fresh token at once when one has expired, but waits the second time', () => {
    const expired = refused('token-expired', true)
    const once = play([{ type: 'connectAsked' }, expired])
    expect(once.state.phase).toBe('opening')
    expect(machine(once.state, expired, 0).state.phase).toBe('waiting')
  })

  it('forgets a session that the server no longer has', () => {
    const run = play([
      { type: 'connectAsked' },
      welcome(),
      { type: 'lost', random: 0 },
      { type: 'networkBack' },
      refused('session-gone', true),
      { type: 'networkBack' },
    ])
    expect(run.effects.at(-1)).toEqual({ type: 'open', resume: undefined })
  })

  it('stays closed when the same device has connected elsewhere', () => {
    const run = play([
      { type: 'connectAsked' },
      welcome(),
      { type: 'closing', code: 'session-replaced' },
      { type: 'lost', random: 0 },
      { type: 'networkBack' },
    ])
    expect(run.state).toEqual({ phase: 'closed', failure: 'session-replaced' })
  })

  it('comes back to a server that restarts', () => {
    const run = play([
      { type: 'connectAsked' },
      welcome(),
      { type: 'closing', code: 'shutting-down' },
      { type: 'lost', random: 0 },
    ])
    expect(connectionState(run.state)).toBe('reconnecting')
  })

  it('ends every run of failures within its budget', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true })), (randoms) => {
        let state: Connection = machine(idleConnection, { type: 'connectAsked' }, 0).state
        let now = 0
        for (let n = 0; n < 1_000 && state.phase !== 'closed'; n++) {
          const random = randoms[n % Math.max(1, randoms.length)] ?? 0.5
          const event = { ...refused(undefined, true), random }
          ;({ state } = machine(state, event, now))
          now = connectionDeadline(state) ?? now
          ;({ state } = machine(state, { type: 'tick', random: 0 }, now))
        }
        expect(state).toEqual({ phase: 'closed', failure: 'not-connected' })
        expect(now).toBeLessThan(20_000 + 8_000)
      }),
    )
  })

  it('has at most one connection open, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary, { maxLength: 60 }), (events) => {
        let state = idleConnection
        let now = 0
        let open = false
        for (const event of events) {
          now += 100
          // The shell tells of a connection only while there is one.
          if (!open && (event.type === 'lost' || event.type === 'refused')) continue
          const step = machine(state, event, now)
          if (event.type === 'lost' || event.type === 'refused') open = false
          state = step.state
          for (const effect of step.effects) {
            if (effect.type === 'open') expect(open).toBe(false)
            if (effect.type === 'open') open = true
            if (effect.type === 'close' || effect.type === 'abandon') open = false
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('whatever happens', () => {
  it('every state but a standing connection has a deadline, and trying comes to an end', () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary, { maxLength: 60 }), (events) => {
        let { state } = play(events)
        let now = 0
        for (let ticks = 0; state.phase === 'opening' || state.phase === 'waiting'; ticks++) {
          const due = connectionDeadline(state)
          expect(due).toBeDefined()
          expect(ticks).toBeLessThan(1_000)
          now = Math.max(now, due ?? now)
          state = machine(state, { type: 'tick', random: 0.5 }, now).state
        }
        expect(['idle', 'online', 'closed']).toContain(state.phase)
        expect(now).toBeLessThan(1_000_000)
      }),
    )
  })

  it('[SESSION-7] a connection that cannot be trusted is replaced, its session goes on', () => {
    const run = play([{ type: 'connectAsked' }, welcome(), { type: 'reopenAsked' }])
    expect(connectionState(run.state)).toBe('reconnecting')
    expect(run.effects.slice(-2)).toEqual([
      { type: 'abandon' },
      { type: 'open', resume: { session, key: 'k', lastSeq: 0 } },
    ])
  })
})

const eventArbitrary: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  fc.constantFrom<ConnectionEvent>(
    { type: 'connectAsked' },
    { type: 'closeAsked' },
    { type: 'welcomed', session, key: 'k' },
    { type: 'lost', random: 0.5 },
    { type: 'networkBack' },
    { type: 'reopenAsked' },
    { type: 'tick', random: 0 },
    { type: 'closing', code: 'session-replaced' },
    { type: 'closing', code: 'shutting-down' },
    { type: 'refused', code: 'token-expired', retryable: true, random: 0.5 },
    { type: 'refused', code: 'session-gone', retryable: true, random: 0.5 },
    { type: 'refused', code: 'unauthorized', retryable: false, random: 0.5 },
    { type: 'refused', code: undefined, retryable: true, random: 0.5 },
  ),
  fc.record({ type: fc.constant('eventSeen' as const), seq: fc.nat(20) }),
)

function play(events: readonly ConnectionEvent[]) {
  const effects: ConnectionEffect[] = []
  let state = idleConnection
  for (const event of events) {
    const step = machine(state, event, 0)
    state = step.state
    effects.push(...step.effects)
  }
  return { state, effects }
}

function welcome() {
  return { type: 'welcomed', session, key: 'k' } as const
}

function refused(
  code: 'unauthorized' | 'token-expired' | 'session-gone' | undefined,
  retryable: boolean,
) {
  return { type: 'refused', code, retryable, random: 0.5 } as const
}
