import type { IceConfig, IceServer, Millis, UserId } from '@parley/protocol'
import type { Secret } from '@parley/service'
import { mintCredentials } from '@parley/turn/credentials'

/**
 * How long TURN credentials are good for. Longer outlives a lost signaling service; shorter is worth
 * less to who steals them. Clients ask for fresh ones before these end.
 */
const CREDENTIAL_LIFETIME_S = 12 * 60 * 60

/** The STUN and TURN servers for one user, with credentials of his own. */
export function iceConfig(
  {
    user,
    stunUrls,
    turnUrls,
    secret,
  }: {
    readonly user: UserId
    readonly stunUrls: readonly string[]
    readonly turnUrls: readonly string[]
    readonly secret: Secret | undefined
  },
  now: Millis,
): IceConfig {
  const stun = { urls: [...stunUrls] }
  if (!secret) return { iceServers: named([stun]), expiresAt: now + CREDENTIAL_LIFETIME_S * 1_000 }
  const { username, password, expiresAt } = mintCredentials(
    { user, secret: secret.reveal(), lifetimeSeconds: CREDENTIAL_LIFETIME_S },
    now,
  )
  const turn = { urls: [...turnUrls], username, credential: password }
  return { iceServers: named([stun, turn]), expiresAt }
}

/** Leaves out entries without an address, which Firefox refuses. */
function named(servers: readonly IceServer[]): IceServer[] {
  return servers.filter(({ urls }) => urls.length > 0)
}
