import { fail, ok, userIdSchema } from '@parley/protocol'
import type { Result, UserId } from '@parley/protocol'
import type { Secret } from '@parley/service'
import { createRemoteJWKSet, errors, jwtVerify, SignJWT } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'

/** How long a development token is good for, in seconds. */
const DEV_TOKEN_LIFETIME_S = 12 * 60 * 60

/** Seconds by which the clocks of issuer and server may differ. */
const CLOCK_TOLERANCE_S = 5

/** Keys that a JWKS may use; `none` and the HMAC family are not among them. */
const JWKS_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']

/** What a token says. */
export interface Claims {
  readonly user: UserId
  readonly device: string | undefined
}

/** Verifies users' tokens: never throws for a bad one. */
export interface TokenVerifier {
  verify(token: string): Promise<Result<Claims>>
}

/** Tokens signed with a shared secret (HS256). */
export function secretVerifier(secret: Secret): TokenVerifier {
  const key = encode(secret)
  return { verify: (token) => verify(() => jwtVerify(token, key, options(['HS256']))) }
}

/** Tokens signed by an identity provider whose public keys are at `url`. */
export function jwksVerifier(url: URL): TokenVerifier {
  const keys: JWTVerifyGetKey = createRemoteJWKSet(url)
  return { verify: (token) => verify(() => jwtVerify(token, keys, options(JWKS_ALGORITHMS))) }
}

/** Makes a token for `npm start` and the demo; production tokens come from the app's own server. */
export async function mintDevToken(
  secret: Secret,
  { user, device }: { readonly user: UserId; readonly device?: string | undefined },
): Promise<string> {
  return new SignJWT({ ...(device !== undefined && { device }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(`${DEV_TOKEN_LIFETIME_S} seconds`)
    .sign(encode(secret))
}

async function verify(
  check: () => Promise<{ readonly payload: JWTPayload }>,
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
    const device = payload['device']
    return ok({ user: user.data, device: typeof device === 'string' ? device : undefined })
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

function options(algorithms: string[]) {
  return { algorithms, clockTolerance: CLOCK_TOLERANCE_S, requiredClaims: ['sub', 'exp'] }
}

function encode(secret: Secret): Uint8Array {
  return new TextEncoder().encode(secret.reveal())
}
