import { expect, test } from 'vitest'
import { framesDue } from './frame-clock.ts'

test('frame n is due n intervals after the start', () => {
  expect(framesDue({ sent: 0, intervalMs: 20 }, 0)).toEqual({ from: 0, to: 1, skipped: 0 })
  expect(framesDue({ sent: 1, intervalMs: 20 }, 19)).toEqual({ from: 1, to: 1, skipped: 0 })
  expect(framesDue({ sent: 1, intervalMs: 20 }, 20)).toEqual({ from: 1, to: 2, skipped: 0 })
})

test('a late call makes up for what is due, and lateness does not add up', () => {
  expect(framesDue({ sent: 1, intervalMs: 20 }, 75)).toEqual({ from: 1, to: 4, skipped: 0 })
  expect(framesDue({ sent: 4, intervalMs: 20 }, 80)).toEqual({ from: 4, to: 5, skipped: 0 })
})

test('what is older than half a second of sound is skipped and counted', () => {
  expect(framesDue({ sent: 10, intervalMs: 20 }, 1_980)).toEqual({ from: 75, to: 100, skipped: 65 })
})
