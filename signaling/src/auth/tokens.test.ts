import { createHmac } from 'node:crypto'
import { Secret } from '@parley/service'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mintDevToken, secretVerifier } from './tokens.ts'

const SECRET = 'the secret of these tests, long enough'
const OLDER = 'the secret before it, long enough too'
const verifier = secretVerifier([new Secret(SECRET), new Secret(OLDER)])
const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600

function tokenOf(header: object, claims: object, secret = SECRET): string {
  const body = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}

const HS256 = { alg: 'HS256' }

test('a token of any of the secrets is good, and says who it is', async () => {
  for (const secret of [SECRET, OLDER]) {
    const token = tokenOf(HS256, { sub: 'alice', device: 'phone', exp: inAnHour() }, secret)
    expect(await verifier.verify(token)).toMatchObject({
      ok: true,
      data: { user: 'alice', device: 'phone' },
    })
  }
})

test('a token that jose has made is good', async () => {
  const token = await mintDevToken(new Secret(SECRET), { user: 'bob' as never })
  expect(await verifier.verify(token)).toMatchObject({ ok: true, data: { user: 'bob' } })
})

const forged: readonly (readonly [string, () => string, string])[] = [
  ['another key', () => tokenOf(HS256, { sub: 'alice', exp: inAnHour() }, 'x'), 'unauthorized'],
  ['no algorithm', () => tokenOf({ alg: 'none' }, { sub: 'a', exp: inAnHour() }), 'unauthorized'],
  [
    'another algorithm',
    () => tokenOf({ alg: 'HS512' }, { sub: 'a', exp: inAnHour() }),
    'unauthorized',
  ],
  [
    'an extension that must be understood',
    () => tokenOf({ ...HS256, crit: ['b64'], b64: false }, { sub: 'a', exp: inAnHour() }),
    'unauthorized',
  ],
  ['no end', () => tokenOf(HS256, { sub: 'alice' }), 'unauthorized'],
  ['nobody', () => tokenOf(HS256, { exp: inAnHour() }), 'unauthorized'],
  ['its end behind it', () => tokenOf(HS256, { sub: 'alice', exp: 1_000 }), 'token-expired'],
  [
    'its beginning before it',
    () => tokenOf(HS256, { sub: 'alice', exp: inAnHour(), nbf: inAnHour() }),
    'unauthorized',
  ],
  [
    'an unsigned token in it',
    () => tokenOf({ alg: 'none' }, { sub: 'alice', exp: inAnHour() }).replace(/[^.]*$/, ''),
    'unauthorized',
  ],
]

test.each(forged)('a token with %s is refused', async (_, make, code) => {
  expect(await verifier.verify(make())).toMatchObject({ ok: false, error: { code } })
})

test('a token with anything changed in it is refused, and nothing makes the verifier throw', async () => {
  const good = tokenOf(HS256, { sub: 'alice', exp: inAnHour() })
  // The last character holds two bits that mean nothing.
  const place = fc.nat(good.length - 2)
  const changed = fc
    .tuple(place, fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'))
    .map(([at, other]) => {
      return good.slice(0, at) + other + good.slice(at + 1)
    })
  const anything = fc.oneof(
    changed,
    fc.string(),
    fc.array(fc.base64String()).map((all) => all.join('.')),
  )
  await fc.assert(
    fc.asyncProperty(anything, async (token) => {
      if (token === good) return
      expect(await verifier.verify(token)).toMatchObject({ ok: false })
    }),
    { numRuns: 500 },
  )
})
