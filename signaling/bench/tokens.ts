import { createHmac } from 'node:crypto'

/** The secret of the servers that the benchmark and the fuzzer start. */
export const BENCH_SECRET = 'a secret of the benchmark that all know'

/** A token for a user; made by hand, as thousands are needed in no time. */
export function benchToken(user: string): string {
  const expiresAt = Math.floor(Date.now() / 1_000) + 3_600
  const body = [
    { alg: 'HS256', typ: 'JWT' },
    { sub: user, exp: expiresAt },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${body}.${createHmac('sha256', BENCH_SECRET).update(body).digest('base64url')}`
}
