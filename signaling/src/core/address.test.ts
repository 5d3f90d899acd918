import { expect, test } from 'vitest'
import { clientAddress } from './address.ts'

test.each([
  ['198.51.100.7', undefined, 0, '198.51.100.7'],
  ['::ffff:198.51.100.7', undefined, 0, '198.51.100.7'],
  ['2001:db8:0:1:aaaa::1', undefined, 0, '2001:db8:0:1::/64'],
  ['2001:db8::1', undefined, 0, '2001:db8:0:0::/64'],
  ['10.0.0.1', '203.0.113.9', 0, '10.0.0.1'],
  ['10.0.0.1', '203.0.113.9', 1, '203.0.113.9'],
  ['10.0.0.1', '6.6.6.6, 203.0.113.9', 1, '203.0.113.9'],
  ['10.0.0.1', '203.0.113.9, 10.0.0.2', 2, '203.0.113.9'],
  ['10.0.0.1', undefined, 1, '10.0.0.1'],
  ['10.0.0.1', '203.0.113.9', 3, '203.0.113.9'],
  [undefined, undefined, 0, ''],
])('%s with x-forwarded-for %s behind %i proxies counts for %s', (remote, forwarded, hops, key) => {
  expect(clientAddress(remote, forwarded, hops)).toBe(key)
})
