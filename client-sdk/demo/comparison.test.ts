import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compare, groupsOf, qrText } from './comparison.ts'

const groups = fc.array(fc.integer({ min: 0, max: 99_999 }), { minLength: 6, maxLength: 6 })
const codes = groups.map((numbers) => numbers.map((n) => String(n).padStart(5, '0')).join(' '))
const CODE = '01234 56789 11111 22222 33333 44444'

test('a code is the same however it is written, and another one is different', () => {
  fc.assert(
    fc.property(codes, codes, (own, other) => {
      for (const written of [own, own.replaceAll(' ', ''), own.replaceAll(' ', '-'), ` ${own}\n`]) {
        expect(compare('call', own, written)).toBe('same')
      }
      expect(compare('call', own, qrText('call', own))).toBe('same')
      expect(compare('call', own, other)).toBe(own === other ? 'same' : 'different')
      expect(compare('call', own, qrText('call', other))).toBe(own === other ? 'same' : 'different')
    }),
  )
})

test('one wrong digit is seen as soon as it is typed', () => {
  expect(compare('pair', CODE, '')).toBe('nothing')
  expect(compare('pair', CODE, '01234 5')).toBe('short')
  expect(compare('pair', CODE, '01234 6')).toBe('different')
  expect(compare('pair', CODE, `${CODE} 5`)).toBe('different')
  // A QR code is scanned whole: a part of one is none.
  expect(compare('pair', CODE, 'PARLEY:PAIR:01234')).toBe('different')
})

test('what is no such code is not taken for one', () => {
  expect(compare('pair', CODE, qrText('call', CODE))).toBe('other-kind')
  expect(compare('call', CODE, qrText('pair', CODE))).toBe('other-kind')
  expect(compare('pair', CODE, 'https://example.org')).toBe('different')
  expect(compare('pair', CODE, 'PARLEY:PAIR:')).toBe('different')
})

test('groups are read one by one', () => {
  expect(groupsOf(CODE)).toEqual(['01234', '56789', '11111', '22222', '33333', '44444'])
})
