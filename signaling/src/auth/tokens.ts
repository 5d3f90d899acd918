import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { fail, ok, userIdSchema } from '@parley/protocol'
import type { Result, UserId } from '@parley/protocol'
import type { Secret } from '@parley/service'
import { createRemoteJWKSet, decodeProtectedHeader, errors } from 'jose'
import { jwtVerify, SignJWT, UnsecuredJWT } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { readGrants } from '../core/grants.ts'
import type { Pass } from '../core/pass.ts'

/** How long a development token is good for, in seconds. */
const DEV_TOKEN_LIFETIME_S = 12 * 60 * 60

/** Seconds by which the clocks of issuer and server may differ. */
const CLOCK_TOLERANCE_S = 5

/** Keys that a JWKS may use; `none` and the HMAC family are not among them. */
const JWKS_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']

const claimsOptions = { clockTolerance: CLOCK_TOLERANCE_S, requiredClaims: ['sub', 'exp'] }

/** What a token says. */
export interface Claims {
  readonly user: UserId
  readonly device: string | undefined
  readonly pass: Pass
}

/** Verifies users' tokens: never throws for a bad one. */
export interface TokenVerifier {
  verify(token: string): Promise<Result<Claims>>
}

/**
 * Tokens signed with any of the shared secrets (HS256), so that one can follow another.
 *
 * The signature is checked here and not by jose, which knows only WebCrypto: there each check is a job of
 * another thread, costs six times as much, and a crowd's checks all end in the same moment.
 */
export function secretVerifier(secrets: readonly Secret[]): TokenVerifier {
  const keys = secrets.map((secret) => createSecretKey(encode(secret)))
  return {
    verify: (token) =>
      verify(() => {
        const { alg, crit, b64 } = decodeProtectedHeader(token)
        if (alg !== 'HS256' || crit !== undefined || b64 !== undefined) {
          throw new errors.JOSEAlgNotAllowed()
        }
        if (!keys.some((key) => isSignedWith(key, token))) {
          throw new errors.JWSSignatureVerificationFailed()
        }
        // What is left is what jose checks of a token that is not signed at all.
        const [, claims] = token.split('.')
        return UnsecuredJWT.decode(`${UNSIGNED_HEADER}.${claims}.`, claimsOptions)
      }),
  }
}

/** RFC 7515 §5.2, for the one algorithm that a shared secret is used with. */
function isSignedWith(key: KeyObject, token: string): boolean {
  const end = token.lastIndexOf('.')
  const shown = Buffer.from(token.slice(end + 1), 'base64url')
  const right = createHmac('sha256', key).update(token.slice(0, end)).digest()
  return shown.length === right.length && timingSafeEqual(shown, right)
}

const UNSIGNED_HEADER = Buffer.from('{"alg":"none"}').toString('base64url')

/** Tokens signed by an identity provider whose public keys are at `url`. */
export function jwksVerifier(url: URL): TokenVerifier {
  const keys: JWTVerifyGetKey = createRemoteJWKSet(url)
  return {
    verify: (token) =>
      verify(() => jwtVerify(token, keys, { ...claimsOptions, algorithms: JWKS_ALGORITHMS })),
  }
}

/** Makes a token for `npm start` and the demo; production tokens come from the app's own server. */
export async function mintDevToken(
  secret: Secret,
  {
    user,
    device,
    grants,
  }: {
    readonly user: UserId
    readonly device?: string | undefined
    readonly grants?: unknown
  },
): Promise<string> {
  return new SignJWT({
    ...(device !== undefined && { device }),
    ...(grants !== undefined && { grants }),
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(`${DEV_TOKEN_LIFETIME_S} seconds`)
    .sign(encode(secret))
}

async function verify(
  check: () => { readonly payload: JWTPayload } | Promise<{ readonly payload: JWTPayload }>,
): Promise<Result<Claims>> {
  try {
    const { payload } = await check()
    const user = userIdSchema.safeParse(payload.sub)
    if (!user.success) {
      return fail('unauthorized', {
        message: 'The token\'s "sub" is not a user id.',
        field: 'token',
      })
    }
    const grants = readGrants(payload['grants'])
    if (!grants.ok) return grants
    const { device } = payload
    return ok({
      user: user.data,
      device: typeof device === 'string' ? device : undefined,
      pass: {
        grants: grants.data,
        tokenId: payload.jti,
        issuedAt: payload.iat === undefined ? undefined : payload.iat * 1_000,
        // Required above; `0` would only be taken for expired.
        expiresAt: ((payload.exp ?? 0) + CLOCK_TOLERANCE_S) * 1_000,
      },
    })
  } catch (error) {
    return error instanceof errors.JWTExpired
      ? fail('token-expired', { field: 'token' })
      : fail('unauthorized', { message: reason(error), field: 'token' })
  }
}

/** Says what is wrong with a token without repeating any of it. */
function reason(error: unknown): string {
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return "The token is not signed with this server's key."
  }
  if (error instanceof errors.JWTClaimValidationFailed) return `The token fails: ${error.message}.`
  return 'The token is not a JWT that this server accepts.'
}

function encode(secret: Secret): Uint8Array {
  return new TextEncoder().encode(secret.reveal())
}
