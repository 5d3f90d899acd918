import type { Millis } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atFoot, ladder, ladderDeadline } from './ladder.ts'
import type { LadderEffect, LadderEvent } from './ladder.ts'

const interrupted = { type: 'media', state: 'interrupted' } as const
const connected = { type: 'media', state: 'connected' } as const
const offline = { type: 'signaling', online: false } as const
const online = { type: 'signaling', online: true } as const

describe('[LADDER-1] media that stops', () => {
  it('is given a moment, then ICE is restarted, then the path changed, then the seat taken anew', () => {
    const climb = climbing([interrupted])
    expect(climb.untilTheEnd()).toEqual([
      [2_500, 'restartIce'],
      [8_500, 'restartIce'],
      [13_000, 'changePath'],
      [19_000, 'restartIce'],
      [25_000, 'rejoin'],
      [50_000, 'giveUp'],
    ])
    expect(climb.state.gaveUp).toBe(true)
  })

  it('through a node has no other path: its restarts go on until the seat is taken anew', () => {
    const orders = climbing([interrupted], { direct: false }).untilTheEnd()
    expect(orders.map(([, order]) => order)).not.toContain('changePath')
    expect(orders.slice(-2)).toEqual([
      [25_000, 'rejoin'],
      [50_000, 'giveUp'],
    ])
  })

  it('and comes back ends the climb', () => {
    const climb = climbing([interrupted, connected])
    expect(climb.state.climb).toBeUndefined()
    expect(climb.untilTheEnd()).toEqual([])
  })

  it('for good is helped at once where the browser has given up', () => {
    expect(climbing([interrupted, { type: 'broken' }]).untilTheEnd()[0]).toEqual([
      500,
      'restartIce',
    ])
  })
})

describe('[LADDER-2] without the server', () => {
  it('nothing is tried, and all of it once the server is back', () => {
    const climb = climbing([offline, interrupted])
    expect(climb.state.climb?.rung).toBe('signaling')
    climb.at(60_000)
    expect(climb.orders).toEqual([])
    climb.take(online)
    expect(climb.untilTheEnd()[0]).toEqual([60_000, 'restartIce'])
  })

  it('a climb does not wait for ever', () => {
    expect(climbing([offline, interrupted]).untilTheEnd()).toEqual([[120_000, 'giveUp']])
  })
})

describe('[LADDER-3] while nobody else is there', () => {
  it('waits for them instead of changing the path', () => {
    const climb = climbing([interrupted, { type: 'company', present: false }])
    expect(climb.state.climb?.rung).toBe('others')
    climb.at(20_000)
    climb.take({ type: 'company', present: true })
    expect(climb.untilTheEnd()[0]).toEqual([20_000, 'restartIce'])
  })
})

describe('[LADDER-4] another network', () => {
  it('restarts ICE before the browser misses anything', () => {
    expect(climbing([connected, { type: 'networkChanged' }]).orders).toEqual([[0, 'restartIce']])
  })

  it('a mere look at the page does nothing while media flows', () => {
    expect(climbing([connected, { type: 'nudged' }]).orders).toEqual([])
    expect(climbing([interrupted, { type: 'nudged' }]).orders).toEqual([[0, 'restartIce']])
  })
})

describe('any sequence of events', () => {
  const event: fc.Arbitrary<LadderEvent> = fc.oneof(
    fc
      .constantFrom(
        'idle' as const,
        'connecting' as const,
        'connected' as const,
        'interrupted' as const,
      )
      .map((state) => ({ type: 'media' as const, state })),
    fc.boolean().map((is) => ({ type: 'signaling' as const, online: is })),
    fc.boolean().map((present) => ({ type: 'company' as const, present })),
    fc.boolean().map((direct) => ({ type: 'tick' as const, direct })),
    fc.constantFrom('broken', 'hopeless', 'networkChanged', 'nudged').map((type) => ({ type })),
  )
  const history = fc.array(fc.record({ event, waitMs: fc.nat(20_000) }), { maxLength: 60 })

  it('is one climb with a deadline, and ends with media or by giving up', () => {
    fc.assert(
      fc.property(history, fc.boolean(), (happened, direct) => {
        const climb = climbing([], { direct })
        for (const { event: next, waitMs } of happened) {
          climb.at(climb.now + waitMs)
          climb.take(next)
          const { climb: present, gaveUp } = climb.state
          if (present)
            expect(ladderDeadline(climb.state)).toBeLessThanOrEqual(present.since + 300_000)
          expect(gaveUp && present !== undefined).toBe(false)
        }
        const { climb: present, gaveUp } = climb.state
        climb.untilTheEnd()
        expect(climb.state.gaveUp).toBe(gaveUp || present !== undefined)
        expect(climb.orders.filter(([, order]) => order === 'giveUp').length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 500 },
    )
  })

  it('rejoins at most once in a row, and never while the server is away', () => {
    fc.assert(
      fc.property(history, (happened) => {
        const climb = climbing([])
        for (const { event: next, waitMs } of happened) {
          climb.at(climb.now + waitMs)
          const { online: reached } = climb.state
          const before = climb.orders.length
          climb.take(next)
          const fresh = climb.orders.slice(before).map(([, order]) => order)
          if (!reached && next.type !== 'signaling') {
            expect(fresh.filter((order) => order !== 'giveUp')).toEqual([])
          }
        }
      }),
    )
  })
})

/** A ladder with its own clock, which keeps what was ordered when. */
function climbing(events: readonly LadderEvent[], { direct = true } = {}) {
  const run = {
    state: atFoot,
    now: 0 as Millis,
    orders: [] as [Millis, LadderEffect['type']][],
    take(event: LadderEvent) {
      const { state, effects } = ladder(run.state, event, run.now)
      run.state = state
      for (const { type } of effects) run.orders.push([run.now, type])
    },
    /** Lets time pass, with every tick that falls due. */
    at(end: Millis) {
      for (;;) {
        const due = ladderDeadline(run.state)
        if (due === undefined || due > end) break
        run.now = Math.max(run.now, due)
        run.take({ type: 'tick', direct })
      }
      run.now = end
    },
    untilTheEnd() {
      run.at(run.now + 1_000_000)
      return run.orders
    },
  }
  for (const event of events) run.take(event)
  return run
}
