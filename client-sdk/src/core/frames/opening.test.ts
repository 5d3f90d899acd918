import { describe, expect, it } from 'vitest'
import { newOpening, opening } from './opening.ts'

describe('the opening of frames', () => {
  it('fails where frames come look after look and none is opened', () => {
    const looks = run([10, 0], [20, 0], [30, 0], [40, 0], [50, 0])
    expect(looks.map(({ failing }) => failing)).toEqual([false, false, false, false, true])
  })

  it('is well again with the first frame that is opened', () => {
    expect(run([10, 0], [20, 0], [30, 0], [40, 0], [50, 0], [60, 1]).at(-1)?.failing).toBe(false)
  })

  it('says nothing of a stream that stands still', () => {
    const looks = run([10, 0], [20, 0], [30, 0], [40, 0], [50, 0], [51, 0], [52, 0])
    expect(looks.at(-1)?.failing).toBe(true)
    expect(run([1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0]).at(-1)?.failing).toBe(false)
  })

  it('forgives what was lost between frames that were opened', () => {
    const looks = run([10, 0], [20, 0], [30, 5], [40, 5], [50, 5], [60, 5], [70, 6])
    expect(looks.some(({ failing }) => failing)).toBe(false)
  })
})

function run(...counts: readonly (readonly [seen: number, opened: number])[]) {
  let state = newOpening
  return counts.map(([seen, opened]) => (state = opening(state, { seen, opened })))
}
