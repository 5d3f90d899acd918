/** What the address says: for tests, and to share a room. */
export interface PageSettings {
  readonly user: string | undefined
  readonly relay: boolean
  readonly topology: 'auto' | 'sfu'
  readonly room: string | undefined
  /** Whether calls are encrypted end to end. */
  readonly encryption: 'required' | 'off'
}

export function readSettings(search: string): PageSettings {
  const query = new URLSearchParams(search)
  return {
    user: query.get('user') ?? undefined,
    relay: query.get('relay') === '1',
    topology: query.get('topology') === 'sfu' ? 'sfu' : 'auto',
    room: query.get('room') ?? undefined,
    encryption: query.get('encryption') === 'off' ? 'off' : 'required',
  }
}

/** Asks the development server for a token, with which one moderates what one starts. */
export async function fetchToken(user: string): Promise<string> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, grants: { host: true } }),
  })
  const body = (await response.json()) as { token?: string }
  if (body.token === undefined) throw new Error(`no token: ${response.status}`)
  return body.token
}
