/** Where a tab keeps the name of the device that it is. */
const KEY = 'parley demo device'

/** Bytes that tell two browsers of a kind apart. */
const MARK_BYTES = 2

let known: Promise<string> | undefined

/** A name that its owner recognises among his devices; the same over reloads, another in each tab. */
export function deviceName(): Promise<string> {
  known ??= findName()
  return known
}

/** The same in words; the names of other apps are shown as they are. */
export function deviceWords(name: string): string {
  const [, browser, system, mark] = /^([A-Za-z]+)_([A-Za-z]+)_(\w+)$/.exec(name) ?? []
  return browser && system && mark ? `${browser} on ${system} (${mark})` : name
}

async function findName(): Promise<string> {
  const kept = sessionStorage.getItem(KEY)
  if (kept !== null && (await isFree(kept))) return kept
  const bytes = [...crypto.getRandomValues(new Uint8Array(MARK_BYTES))]
  const mark = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const name = `${browserIn(navigator.userAgent)}_${systemIn(navigator.userAgent)}_${mark}`
  sessionStorage.setItem(KEY, name)
  await isFree(name)
  return name
}

/** A copied tab has the storage of the first one, which holds the lock for as long as it is there. */
async function isFree(name: string): Promise<boolean> {
  // Absent on pages without TLS.
  const locks = navigator.locks as LockManager | undefined
  if (!locks) return true
  return new Promise((resolve) => {
    void locks.request(`${KEY} ${name}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null)
      return lock === null ? undefined : new Promise(() => undefined)
    })
  })
}

function browserIn(agent: string): string {
  const names = ['Edg', 'Firefox', 'Chrome', 'Safari']
  const found = names.find((name) => agent.includes(`${name}/`)) ?? 'Browser'
  return found === 'Edg' ? 'Edge' : found
}

function systemIn(agent: string): string {
  const names = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux']
  return names.find((name) => agent.includes(name)) ?? 'computer'
}
