import { errorCodes } from '@parley/protocol'
import { expect, it } from 'vitest'
import {
  wordsForAge,
  wordsForBitrate,
  wordsForDuration,
  wordsForEnd,
  wordsForError,
  wordsForLayer,
  wordsForNames,
} from './words.ts'

it('has a sentence for every code of the server', () => {
  for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) {
    expect(wordsForError(code)).toMatch(/^[A-Z].*\.$/)
  }
})

it('says why a call ended, with the name', () => {
  expect(wordsForEnd('declined', 'Bob')).toBe('Bob declined the call')
  expect(wordsForEnd('no-answer', 'Bob')).toBe('Bob did not answer')
})

it('says what was reduced and why, and nothing when nothing was', () => {
  expect(wordsForLayer({ layer: 2, reason: 'full' })).toBeUndefined()
  expect(wordsForLayer({ layer: 0, reason: 'tile-size' })).toBe(
    'Smaller picture: the tile is small',
  )
  expect(wordsForLayer({ layer: null, reason: 'bandwidth' })).toBe(
    'Picture paused: the connection is narrow',
  )
})

it('says how long ago something was', () => {
  const ages = [0, 59_000, 5 * 60_000, 3 * 3_600_000].map((age) => wordsForAge(0, age))
  expect(ages).toEqual(['just now', 'just now', '5 min ago', '3 h ago'])
  expect(wordsForAge(0, 30 * 3_600_000)).toMatch(/^on /)
})

it('writes names, times and rates as people do', () => {
  expect(wordsForNames(['A', 'B', 'C', 'D'])).toBe('A, B and 2 more')
  expect(wordsForNames(['A', 'B'])).toBe('A and B')
  expect([wordsForDuration(65_000), wordsForDuration(3_845_000)]).toEqual(['1:05', '1:04:05'])
  expect([wordsForBitrate(1_540_000), wordsForBitrate(313_400)]).toEqual(['1.5 Mb/s', '313 kb/s'])
})
