import { expect, test } from 'vitest'
import type { StreamProgress } from './stream-limits.ts'
import { streamFault } from './stream-limits.ts'

const working: StreamProgress = {
  openedAt: 0,
  hasSpoken: true,
  frameBegunAt: undefined,
  withoutAllocationSince: undefined,
  blockedSince: undefined,
}

test.each<[string, Partial<StreamProgress>, number]>([
  ['silent', { hasSpoken: false }, 10_000],
  ['dripping', { frameBegunAt: 0 }, 30_000],
  ['slowReader', { blockedSince: 0 }, 15_000],
  ['idle', { withoutAllocationSince: 0 }, 60_000],
])('a client that is %s is closed in time', (fault, progress, afterMs) => {
  expect(streamFault({ ...working, ...progress }, afterMs - 1)).toBeUndefined()
  expect(streamFault({ ...working, ...progress }, afterMs)).toBe(fault)
})

test('a client with an allocation may be quiet for as long as that lives', () => {
  expect(streamFault(working, 3_600_000)).toBeUndefined()
})
