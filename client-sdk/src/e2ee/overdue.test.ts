import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../testing.ts'
import { Overdue } from './overdue.ts'

const PATIENCE_MS = 20_000
/** What a freeze may count for. */
const LOOK_MS = 5_000

describe('patience', () => {
  test('ends once for each, after as long as it stands out', async () => {
    const { clock, overdue, told } = patient()
    overdue.see(['bob'])
    await clock.advance(12_000)
    overdue.see(['bob', 'carol'])
    await clock.advance(PATIENCE_MS - 12_000 - 1)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual([['bob']])
    await clock.advance(12_000)
    expect(told).toEqual([['bob'], ['carol']])
    await clock.advance(10 * PATIENCE_MS)
    expect(told).toHaveLength(2)
  })

  test('begins anew for who stood out before, and has gone meanwhile', async () => {
    const { clock, overdue, told } = patient()
    overdue.see(['bob'])
    await clock.advance(PATIENCE_MS - 1)
    overdue.see([])
    overdue.see(['bob'])
    await clock.advance(PATIENCE_MS - 1)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual([['bob']])
  })

  test('is not used up by a page that is frozen, however often and long', async () => {
    const freezes = fc.array(fc.integer({ min: 1, max: 3_600_000 }), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(freezes, fc.integer({ min: 0, max: 4_999 }), async (times, awakeMs) => {
        const { clock, overdue, told } = patient()
        overdue.see(['bob'])
        await clock.advance(awakeMs)
        for (const ms of times) await clock.freeze(ms)
        const counted = awakeMs + LOOK_MS * times.length
        expect(told).toEqual([])
        // It goes on where it was: no lie is hidden for good.
        await clock.advance(PATIENCE_MS - Math.min(counted, PATIENCE_MS))
        if (times.length === 0) expect(told).toEqual([['bob']])
        await clock.advance(LOOK_MS * times.length)
        expect(told).toEqual([['bob']])
      }),
    )
  })

  test('is for time in which the others can be heard, in one piece', async () => {
    const piece = fc.record({
      connected: fc.boolean(),
      ms: fc.integer({ min: LOOK_MS, max: 30_000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const { clock, overdue, told, line } = patient()
        overdue.see(['bob'])
        let heardMs = 0
        let longestMs = 0
        for (const { connected, ms } of pieces) {
          line.connected = connected
          await clock.advance(ms)
          heardMs = connected ? heardMs + ms : 0
          longestMs = Math.max(longestMs, heardMs)
        }
        // The connection may have stood again since just after a look.
        if (longestMs < PATIENCE_MS - LOOK_MS) expect(told).toEqual([])
        line.connected = true
        await clock.advance(PATIENCE_MS)
        await clock.advance(LOOK_MS)
        expect(told).toEqual([['bob']])
      }),
    )
  })
})

function patient() {
  const clock = new ManualClock()
  const told: (readonly string[])[] = []
  const line = { connected: true }
  const overdue = new Overdue({
    clock,
    patienceMs: PATIENCE_MS,
    hears: () => line.connected,
    tell: (names) => told.push(names),
  })
  return { clock, overdue, told, line }
}
