import fc from 'fast-check'
import { expect, it } from 'vitest'
import { tileSize } from './grid.ts'

const desktop = { width: 1256, height: 626 }
const phone = { width: 374, height: 640 }

it('fits from one to twelve tiles on a floor of any shape', () => {
  const size = fc.integer({ min: 200, max: 3_000 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), size, size, (count, width, height) => {
      const tile = tileSize(count, { width, height }, 10)
      const columns = Math.floor((width + 10) / (tile.width + 10))
      const rows = Math.ceil(count / Math.max(1, columns))
      expect(columns).toBeGreaterThanOrEqual(1)
      expect(rows * (tile.height + 10) - 10).toBeLessThanOrEqual(height)
    }),
  )
})

it('shows one person as large as the camera is wide, or the phone high', () => {
  expect(tileSize(1, desktop, 10)).toEqual({ width: 1112, height: 626 })
  expect(tileSize(1, phone, 10)).toEqual(phone)
})

it('does not cut faces off on a wide floor', () => {
  for (let count = 1; count <= 12; count++) {
    const { width, height } = tileSize(count, desktop, 10)
    expect(width / height).toBeGreaterThanOrEqual(1.3)
  }
})
