import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeTone, sinePcm, toneOfSeat } from './tone.ts'

const WINDOW = 7_680
const seats = fc.tuple(fc.nat(20), fc.nat(49))

test('neighbours have tones of their own, and so have neighbouring rooms', () => {
  const tones = [0, 1].flatMap((room) =>
    Array.from({ length: 50 }, (_, seat) => toneOfSeat(room, seat)),
  )
  expect(new Set(tones).size).toBe(100)
  expect(tones.every((toneHz) => toneHz % 50 === 0)).toBe(true)
})

test('the tone of any seat is right for it, and wrong for every other one', () => {
  fc.assert(
    fc.property(seats, seats, ([room, seat], [otherRoom, otherSeat]) => {
      const toneHz = toneOfSeat(room, seat)
      const expectedHz = toneOfSeat(otherRoom, otherSeat)
      const verdict = judgeTone(sine(toneHz, 0.4), expectedHz)
      const wrong = { type: 'wrong', heardHz: toneHz }
      expect(verdict).toEqual(toneHz === expectedHz ? { type: 'right' } : wrong)
    }),
    { numRuns: 50 },
  )
})

test('nothing, and next to nothing, is silence', () => {
  expect(judgeTone(new Float32Array(), 400)).toEqual({ type: 'silent' })
  expect(judgeTone(new Float32Array(WINDOW), 400)).toEqual({ type: 'silent' })
  expect(judgeTone(sine(400, 0.005), 400)).toEqual({ type: 'silent' })
})

test('a tone under another voice is not right', () => {
  const other = sine(700, 0.4)
  const both = sine(400, 0.4).map((sample, index) => sample + (other[index] ?? 0))
  expect(judgeTone(both, 400).type).toBe('wrong')
})

function sine(toneHz: number, amplitude: number): Float32Array {
  const pcm = sinePcm(toneHz, { from: 0, count: WINDOW, amplitude })
  return Float32Array.from({ length: WINDOW }, (_, index) => pcm.readInt16LE(2 * index) / 32_768)
}
