import { fail, ok, userIdSchema } from '@parley/protocol'
import type { Result, UserId } from '@parley/protocol'
import type { Secret } from '@parley/service'
import { createRemoteJWKSet, errors, jwtVerify, SignJWT } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { readGrants } from '../core/grants.ts'
import type { Pass } from '../core/pass.ts'

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
  readonly pass: Pass
}

/** Verifies users' tokens: never throws for a bad one. */
export interface TokenVerifier {
  verify(token: string): Promise<Result<Claims>>
}

/** Tokens signed with any of the shared secrets (HS256), so that one can follow another. */
export function secretVerifier(secrets: readonly Secret[]): TokenVerifier {
  const keys = secrets.map(encode)
  const check = async (token: string, [key, ...others]: readonly Uint8Array[]) => {
    if (!key) throw new errors.JWSSignatureVerificationFailed()
    try {
      return await jwtVerify(token, key, options(['HS256']))
    } catch (error) {
      const isOther = error instanceof errors.JWSSignatureVerificationFailed && others.length > 0
      if (!isOther) throw error
      return check(token, others)
    }
  }
  return { verify: (token) => verify(() => check(token, keys)) }
}

/** Tokens signed by an identity provider whose public keys are at `url`. */
export function jwksVerifier(url: URL): TokenVerifier {
  const keys: JWTVerifyGetKey = createRemoteJWKSet(url)
  return { verify: (token) => verify(() => jwtVerify(token, keys, options(JWKS_ALGORITHMS))) }
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

function options(algorithms: string[]) {
  return { algorithms, clockTolerance: CLOCK_TOLERANCE_S, requiredClaims: ['sub', 'exp'] }
}

function encode(secret: Secret): Uint8Array {
  return new TextEncoder().encode(secret.reveal())
}
