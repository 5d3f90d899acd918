import { createHmac } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import type { Secret } from '@parley/service'
import { SetupError } from './setup-error.ts'

/** Longer than any run that a person waits for. */
const TOKEN_LIFETIME_S = 25 * 3_600

/** How long a server may take to say that it is there. */
const GREETING_TIMEOUT_MS = 5_000

/** Refuses a server on another machine: load that nobody there agreed to is an attack. */
export async function requireOwnMachine(url: URL): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = await lookup(host, { all: true }).catch(() => {
    throw new SetupError(`There is no host named ${host}: check --url.`)
  })
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []),
  )
  const foreign = addresses.find(({ address }) => !own.has(address) && !isLoopback(address))
  if (foreign) {
    throw new SetupError(
      `${url.href} is not this machine (${foreign.address}). Load against others needs their ` +
        'consent: give --allow-remote if you have it.',
    )
  }
}

/** Makes sure that something answers at `url`. */
export async function requireServer(url: URL): Promise<void> {
  try {
    await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(GREETING_TIMEOUT_MS) })
  } catch {
    throw new SetupError(
      `Nothing answers at ${url.href}: start Parley there with \`npm start\`, name another --url, ` +
        'or give --start to have one started for this run.',
    )
  }
}

/** Where callers get their tokens: signed here, or handed out by a server in development mode. */
export function tokenSource(
  url: URL,
  secret: Secret | undefined,
): (user: string) => Promise<string> {
  if (secret === undefined) return (user) => fetchDevToken(url, user)
  return (user) => Promise.resolve(signToken(user, secret, Date.now()))
}

/** Signs a token as an app's own server would (HS256). */
export function signToken(user: string, secret: Secret, nowMs: number): string {
  const issuedAtS = Math.floor(nowMs / 1_000)
  const claims = { sub: user, iat: issuedAtS, exp: issuedAtS + TOKEN_LIFETIME_S }
  const body = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = createHmac('sha256', secret.reveal()).update(body).digest('base64url')
  return `${body}.${signature}`
}

async function fetchDevToken(url: URL, user: string): Promise<string> {
  const response = await fetch(new URL('/dev/token', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
    signal: AbortSignal.timeout(GREETING_TIMEOUT_MS),
  })
  if (!response.ok) {
    throw new SetupError(
      `${url.href} hands out no tokens (POST /dev/token: ${response.status}): set PARLEY_SECRET ` +
        "to the server's, or run the server with PARLEY_DEV=1.",
    )
  }
  const { token } = (await response.json()) as { readonly token?: unknown }
  if (typeof token === 'string') return token
  throw new SetupError(`${url.href} answers POST /dev/token without a token.`)
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
