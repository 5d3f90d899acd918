import type { CredentialCandidates, CredentialSource } from './core/server-state.ts'
import { checkUsername, passwordFor } from './credentials.ts'
import { userHashOf } from './wire/index.ts'

/** What credentials are checked against; plain data, to be handed to threads. */
export interface CredentialKeys {
  /** Secrets of expiring credentials, newest first. */
  readonly secrets: readonly string[]
  /** Users with a password that does not end. */
  readonly users: readonly StaticUser[]
}

export interface StaticUser {
  readonly name: string
  readonly password: string
}

/**
 * Checks TURN REST credentials and static users. Keys can be replaced while the server runs.
 *
 * USERHASH is offered only where every user is in a list: a client that is told of it names itself in
 * no other way, and the username of an expiring credential cannot be found from its hash.
 */
export class CredentialStore implements CredentialSource {
  readonly offersUsernameAnonymity: boolean
  readonly #realm: string
  readonly #maxLifetimeMs: number
  /** Checked for those whom nobody knows, so that the time taken tells nothing. */
  readonly #decoy: string
  #secrets: readonly string[] = []
  #users: ReadonlyMap<string, StaticUser> = new Map()
  #byHash: ReadonlyMap<string, StaticUser> = new Map()

  constructor(
    keys: CredentialKeys,
    {
      realm,
      maxLifetimeMs,
      decoy,
    }: { readonly realm: string; readonly maxLifetimeMs: number; readonly decoy: string },
  ) {
    this.#realm = realm
    this.#maxLifetimeMs = maxLifetimeMs
    this.#decoy = decoy
    this.offersUsernameAnonymity = keys.users.length > 0 && keys.secrets.length === 0
    this.replaceKeys(keys)
  }

  /** Checks against other keys from here on; running allocations keep theirs. */
  replaceKeys({ secrets, users }: CredentialKeys): void {
    this.#secrets = secrets
    this.#users = new Map(users.map((user) => [user.name, user]))
    this.#byHash = new Map(
      users.map((user) => [Buffer.from(userHashOf(user.name, this.#realm)).toString('hex'), user]),
    )
  }

  lookUp(username: string, wallMs: number): CredentialCandidates {
    const known = this.#users.get(username)
    if (known) return { user: known.name, passwords: [known.password], expiresAt: undefined }
    const passwords = this.#secrets.map((secret) => passwordFor(username, secret))
    if (passwords.length === 0) passwords.push(this.#decoy)
    const check = checkUsername(username, wallMs)
    if (!check.ok || check.expiresAt - wallMs > this.#maxLifetimeMs) {
      return { user: undefined, passwords, expiresAt: undefined }
    }
    return { user: check.user, passwords, expiresAt: check.expiresAt }
  }

  usernameOf(userHash: string): string | undefined {
    return this.#byHash.get(userHash)?.name
  }
}
