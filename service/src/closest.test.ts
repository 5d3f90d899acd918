import { expect, test } from 'vitest'
import { closest } from './closest.ts'

test.each([
  ['PARLEY_PROT', 'PARLEY_PORT'],
  ['PARLEY_TURN_SECERT', 'PARLEY_TURN_SECRET'],
  ['group', undefined],
])('%s was meant to be %s', (word, meant) => {
  expect(closest(word, ['PARLEY_PORT', 'PARLEY_TURN_SECRET', 'PARLEY_TURN_REALM'])).toBe(meant)
})
