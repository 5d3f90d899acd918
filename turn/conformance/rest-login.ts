import { createHmac } from 'node:crypto'
import type { Login } from './trial.ts'

/** TURN REST credentials of a user, good for an hour. */
export function restLogin(user: string, secret: string): Login {
  return signed(`${Math.floor(Date.now() / 1000) + 3_600}:${user}`, secret)
}

/** The password of any username; written anew for the same reason as the bytes. */
export function signed(username: string, secret: string): Login {
  return { username, password: createHmac('sha1', secret).update(username).digest('base64') }
}
