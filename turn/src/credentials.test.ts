import { expect, test } from 'vitest'
import { checkUsername, mintCredentials, passwordFor } from './credentials.ts'

const now = 1_800_000_000_000

test('credentials carry expiry and user, signed as coturn expects', () => {
  const minted = mintCredentials({ user: 'alice', secret: 'north', lifetimeSeconds: 3_600 }, now)
  expect(minted).toEqual({
    username: '1800003600:alice',
    password: passwordFor('1800003600:alice', 'north'),
    expiresAt: now + 3_600_000,
  })
  // openssl: printf 1433895918:alice | openssl dgst -sha1 -hmac north -binary | base64
  expect(passwordFor('1433895918:alice', 'north')).toBe('RqMvcGPYTJMGThVLSi4amT4zFtI=')
})

test('a username is good until its second of expiry', () => {
  expect(checkUsername('1800000000:alice', now - 1)).toEqual({
    ok: true,
    user: 'alice',
    expiresAt: now,
  })
  expect(checkUsername('1800000000:alice', now)).toEqual({ ok: false, reason: 'expired' })
})

test('colons, percent signs and line ends in a user are its own', () => {
  const user = 'a:b:%s{\r\n'
  expect(checkUsername(`1900000000:${user}`, now)).toMatchObject({ ok: true, user })
})

test.each(['', 'alice', ':alice', '1900000000', '1900000000:', 'x1900000000:a', '1e9:a', '-5:a'])(
  '%j is no username',
  (username) => {
    expect(checkUsername(username, now)).toEqual({ ok: false, reason: 'malformed' })
  },
)
