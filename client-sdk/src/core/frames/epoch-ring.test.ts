import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { epochRing, epochRingDeadline, newEpochRing } from './epoch-ring.ts'
import type { EpochRing, EpochRingEffect, EpochRingEvent } from './epoch-ring.ts'

describe('the first epoch', () => {
  it('is sent with as soon as it is installed', () => {
    const ring = new Ring()
    expect(ring.do({ type: 'began', epoch: 7n, cause: 'join' })).toEqual(['install 0'])
    expect(ring.do({ type: 'installed', slot: 0 })).toEqual(['tellInstalled 7', 'sendWith 0'])
  })
})

describe('the next epoch', () => {
  it.each([
    ['join', 1_000],
    ['refresh', 1_000],
    ['leave', 500],
  ] as const)(
    '[FRAME-13] after a %s is switched to when all are ready, or after %d ms',
    (cause, wait) => {
      const ring = started()
      ring.do({ type: 'began', epoch: 2n, cause })
      expect(ring.do({ type: 'installed', slot: 1 })).toEqual(['tellInstalled 2'])
      const early = ring.copy()
      expect(early.do({ type: 'allReady', epoch: 2n })).toEqual(['sendWith 1'])
      expect(ring.advance(wait - 1)).toEqual([])
      expect(ring.advance(1)).toEqual(['sendWith 1'])
    },
  )

  it('is not sent with before it is installed, however long that takes', () => {
    const ring = started()
    ring.do({ type: 'began', epoch: 2n, cause: 'leave' })
    expect(ring.do({ type: 'allReady', epoch: 2n })).toEqual([])
    expect(ring.advance(5_000)).toEqual([])
    expect(ring.do({ type: 'installed', slot: 1 })).toEqual(['tellInstalled 2', 'sendWith 1'])
  })

  it('does not put off a switch that is due: who has left is not heard by for longer', () => {
    const ring = started()
    ring.do({ type: 'began', epoch: 2n, cause: 'leave' })
    ring.do({ type: 'installed', slot: 1 })
    ring.advance(400)
    ring.do({ type: 'began', epoch: 3n, cause: 'join' })
    ring.do({ type: 'installed', slot: 2 })
    expect(ring.advance(100)).toEqual(['sendWith 2'])
  })
})

describe('old epochs', () => {
  it('[FRAME-15] open for ten seconds after the switch, and are forgotten then', () => {
    const ring = started()
    ring.do({ type: 'began', epoch: 2n, cause: 'join' })
    ring.do({ type: 'installed', slot: 1 })
    ring.do({ type: 'allReady', epoch: 2n })
    expect(ring.advance(9_999)).toEqual([])
    expect(ring.advance(1)).toEqual(['forget 0'])
  })

  it('are at most four, and the one that is sent with is never the one to go', () => {
    const ring = started()
    for (let epoch = 2; epoch <= 9; epoch++) {
      ring.do({ type: 'began', epoch: BigInt(epoch), cause: 'join' })
      ring.do({ type: 'installed', slot: epoch - 1 })
      ring.do({ type: 'allReady', epoch: BigInt(epoch) })
    }
    expect(ring.held).toEqual([5, 6, 7, 8])
    expect(ring.state.sending).toBe(8)
  })

  it('give way to a group that was made anew, whose epochs have the same numbers', () => {
    const ring = started()
    const told = ring.do({ type: 'began', epoch: 1n, cause: 'join' })
    expect(told).toEqual(['forget 0', 'install 1'])
    expect(ring.do({ type: 'installed', slot: 1 })).toEqual(['tellInstalled 1', 'sendWith 1'])
  })
})

it('forgets everything when it is stopped, and goes on with what begins after', () => {
  const ring = started()
  ring.do({ type: 'began', epoch: 2n, cause: 'join' })
  expect(ring.do({ type: 'stopped' })).toEqual(['forget 0', 'forget 1'])
  expect(ring.do({ type: 'installed', slot: 1 })).toEqual([])
  expect(ring.state.sending).toBeUndefined()
  expect(ring.do({ type: 'began', epoch: 3n, cause: 'join' })).toEqual(['install 2'])
  expect(ring.do({ type: 'installed', slot: 2 })).toEqual(['tellInstalled 3', 'sendWith 2'])
})

it('holds in any order of events: bounded, never back, never with what is not installed', () => {
  const events = fc.array(
    fc.oneof(
      fc.record({
        type: fc.constant('began' as const),
        epoch: fc.bigInt({ min: 0n, max: 600n }),
        cause: fc.constantFrom('join' as const, 'leave' as const, 'refresh' as const),
      }),
      fc.record({ type: fc.constant('installed' as const), slot: fc.nat(30) }),
      fc.record({
        type: fc.constant('allReady' as const),
        epoch: fc.bigInt({ min: 0n, max: 600n }),
      }),
      fc.constant({ type: 'tick' as const }),
    ),
    { maxLength: 80 },
  )
  fc.assert(
    fc.property(events, fc.array(fc.nat(4_000), { minLength: 80, maxLength: 80 }), (all, waits) => {
      const ring = new Ring()
      let highest = -1
      const installed = new Set<number>()
      for (const [i, event] of all.entries()) {
        ring.advance(waits[i] ?? 0)
        if (event.type === 'installed') installed.add(event.slot)
        ring.do(event)
        for (const slot of ring.sent.splice(0)) {
          expect(slot).toBeGreaterThan(highest)
          highest = slot
          expect(installed.has(slot)).toBe(true)
        }
        expect(ring.held.length).toBeLessThanOrEqual(4)
        const { sending } = ring.state
        if (sending !== undefined) expect(ring.held).toContain(sending)
        const bytes = ring.state.epochs.map(({ epoch }) => epoch & 0xffn)
        expect(new Set(bytes).size).toBe(bytes.length)
      }
    }),
  )
})

/** A ring with a clock that moves only when told. */
class Ring {
  state: EpochRing = newEpochRing
  readonly sent: number[] = []
  #now = 0

  get held(): number[] {
    return this.state.epochs.map(({ slot }) => slot)
  }

  copy(): Ring {
    const copy = new Ring()
    copy.state = this.state
    copy.#now = this.#now
    return copy
  }

  do(event: EpochRingEvent): string[] {
    const { state, effects } = epochRing(this.state, event, this.#now)
    this.state = state
    for (const effect of effects) if (effect.type === 'sendWith') this.sent.push(effect.slot)
    return effects.map(words)
  }

  advance(byMs: number): string[] {
    const until = this.#now + byMs
    const told: string[] = []
    for (;;) {
      const deadline = epochRingDeadline(this.state)
      if (deadline === undefined || deadline > until) break
      this.#now = Math.max(this.#now, deadline)
      told.push(...this.do({ type: 'tick' }))
    }
    this.#now = until
    return told
  }
}

function started(): Ring {
  const ring = new Ring()
  ring.do({ type: 'began', epoch: 1n, cause: 'join' })
  ring.do({ type: 'installed', slot: 0 })
  return ring
}

function words(effect: EpochRingEffect): string {
  return effect.type === 'tellInstalled'
    ? `tellInstalled ${effect.epoch}`
    : `${effect.type} ${effect.slot}`
}
