import { expect, it } from 'vitest'
import { formatFrameCosts, measureFrameCosts } from './frame-costs.ts'

it('measures every kind of frame beside the bare cipher, and adds 21 to 27 bytes to each', async () => {
  const costs = await measureFrameCosts({ frames: 10, rounds: 1 }, () => undefined)
  for (const { seal, open, bareSeal, bareOpen, overheadBytes } of costs) {
    for (const { wallUs } of [seal, open, bareSeal, bareOpen]) expect(wallUs).toBeGreaterThan(0)
    expect(overheadBytes).toBeGreaterThanOrEqual(21)
    // H.264 escapes now and then, by a byte each time.
    expect(overheadBytes).toBeLessThan(27 + 10)
  }
  expect(formatFrameCosts(costs).split('\n')).toHaveLength(5 + costs.length)
})
