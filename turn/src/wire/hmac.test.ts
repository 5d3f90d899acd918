import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digest, hmac } from './hmac.ts'

const hashes = fc.constantFrom('sha1' as const, 'sha256' as const)
const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' })

test('equals the HMAC of OpenSSL, for keys and messages of any length, in any parts', () => {
  fc.assert(
    fc.property(
      hashes,
      bytes(150),
      fc.array(bytes(1_500), { maxLength: 4 }),
      (hash, key, parts) => {
        const expected = createHmac(hash, key).update(Buffer.concat(parts)).digest()
        expect(hmac(hash, key, ...parts)).toEqual(expected)
      },
    ),
  )
})

test('leaves nothing of one key or message in the next', () => {
  const long = Buffer.alloc(64, 0xff)
  hmac('sha1', long, Buffer.alloc(1_000, 0xff))
  const short = Buffer.from('k')
  expect(hmac('sha1', short, short)).toEqual(createHmac('sha1', short).update(short).digest())
})

test.each(['md5', 'sha1', 'sha256'] as const)('hashes text as UTF-8: %s', (hash) => {
  expect(digest(hash, 'naïve ✓')).toEqual(createHash(hash).update('naïve ✓').digest())
})
