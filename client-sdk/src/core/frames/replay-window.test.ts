import fc from 'fast-check'
import { expect, it } from 'vitest'
import { REPLAY_WINDOW, ReplayWindow } from './replay-window.ts'

it('accepts each counter once, unless it is too old: as a set would', () => {
  const steps = fc.array(
    fc.oneof(fc.integer({ min: -1_100, max: 40 }), fc.integer({ min: 1_000, max: 5_000 })),
    { maxLength: 300 },
  )
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), steps, (first, jumps) => {
      const window = new ReplayWindow()
      const seen = new Set<number>()
      let newest = -1
      let from = first
      for (const jump of jumps) {
        const ctr = Math.max(0, from + jump)
        const isNew = !seen.has(ctr) && ctr > newest - REPLAY_WINDOW
        expect(window.allows(ctr)).toBe(isNew)
        expect(window.accept(ctr)).toBe(isNew)
        if (isNew) seen.add(ctr)
        newest = Math.max(newest, isNew ? ctr : -1)
        from = newest
      }
    }),
  )
})

it('is moved by nothing that was only asked about', () => {
  const window = new ReplayWindow()
  window.accept(5)
  expect(window.allows(4_000_000_000)).toBe(true)
  expect(window.accept(4)).toBe(true)
})

it('refuses what is 1024 behind, and takes what is 1023 behind', () => {
  const window = new ReplayWindow()
  window.accept(5_000)
  expect(window.accept(5_000 - REPLAY_WINDOW)).toBe(false)
  expect(window.accept(5_000 - REPLAY_WINDOW + 1)).toBe(true)
})
