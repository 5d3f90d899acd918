import { randomUUID } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'

/**
 * @typedef {object} Holder Who holds a lock.
 * @property {string} id Unique for each taking.
 * @property {number} pid
 * @property {string} startedAt When the process began, as the kernel counts: tells a reused pid.
 * @property {string} place Host and pid namespace: pids mean nothing across them.
 *
 * @typedef {object} World What the judgement of a holder needs to know.
 * @property {string} place Where this process runs.
 * @property {(pid: number) => string | undefined} startOf When that process began; undefined where
 *   there is no such process.
 */

const RETRY_EVERY_MS = 300
const HEARTBEAT_EVERY_MS = 10_000

/**
 * A holder in another container cannot be asked whether it lives. After this long without a
 * heartbeat it counts as gone. Shorter heals sooner; longer forgives a machine that stalls.
 */
const SILENT_AFTER_MS = 60_000

/** @type {Set<{ path: string, id: string }>} */
const held = new Set()

/**
 * Takes the lock, waiting for whoever holds it; a lock whose holder is gone is taken over.
 * @param {string} path
 * @param {{ onWait?: (holder: Holder | undefined) => void }} [options] Called once, if it must wait.
 * @returns {Promise<{ release: () => void }>}
 */
export async function takeLock(path, { onWait } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  const world = thisWorld()
  const mine = {
    id: randomUUID(),
    pid: process.pid,
    startedAt: world.startOf(process.pid) ?? '',
    place: world.place,
  }
  let waited = false
  while (!tryCreate(path, mine)) {
    const seen = look(path)
    if (seen && isGone(seen, world, Date.now())) {
      removeIfStill(path, seen.text)
      continue
    }
    if (!waited) onWait?.(seen?.holder)
    waited = true
    await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS))
  }
  const entry = { path, id: mine.id }
  held.add(entry)
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_EVERY_MS)
  heartbeat.unref()
  return {
    release() {
      clearInterval(heartbeat)
      if (held.delete(entry)) removeIfMine(entry)
    },
  }
}

/** Gives up every lock; for a process about to end. */
export function releaseAllLocks() {
  for (const entry of held) removeIfMine(entry)
  held.clear()
}

/**
 * Whether a lock's holder no longer runs.
 * @param {{ holder: Holder | undefined, touchedAtMs: number }} seen
 * @param {World} world
 * @param {number} nowMs
 */
export function isGone({ holder, touchedAtMs }, world, nowMs) {
  const silent = nowMs - touchedAtMs > SILENT_AFTER_MS
  if (!holder || holder.place !== world.place) return silent
  const startedAt = world.startOf(holder.pid)
  return startedAt === undefined || startedAt !== holder.startedAt
}

/** @returns {World} */
function thisWorld() {
  return { place: `${hostname()} ${pidNamespace()}`, startOf: processStart }
}

function pidNamespace() {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return process.platform
  }
}

/**
 * @param {number} pid
 * @returns {string | undefined}
 */
function processStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may hold spaces; the start time is the
    // twenty-second, the twentieth after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    if (process.platform === 'linux') return undefined
  }
  try {
    process.kill(pid, 0)
    return ''
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? '' : undefined
  }
}

/**
 * Creates the lock file whole, or not at all.
 * @param {string} path
 * @param {Holder} holder
 */
function tryCreate(path, holder) {
  const temporary = `${path}.${holder.id}`
  writeFileSync(temporary, JSON.stringify(holder))
  try {
    linkSync(temporary, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(temporary)
  }
}

/** @param {string} path */
function look(path) {
  try {
    const touchedAtMs = statSync(path).mtimeMs
    const text = readFileSync(path, 'utf8')
    return { text, touchedAtMs, holder: parseHolder(text) }
  } catch {
    return undefined
  }
}

/**
 * @param {string} text
 * @returns {Holder | undefined}
 */
function parseHolder(text) {
  try {
    /** @type {unknown} */
    const holder = JSON.parse(text)
    return /** @type {Holder} */ (holder)
  } catch {
    return undefined
  }
}

/**
 * Removes a lock that was judged stale. Another process may have judged the same and taken it in
 * between: then what was moved away is that one's fresh lock, and it is put back.
 * @param {string} path
 * @param {string} text
 */
function removeIfStill(path, text) {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  try {
    if (readFileSync(aside, 'utf8') !== text) linkSync(aside, path)
  } catch {
    // A third process has taken it; there is nothing to put back.
  } finally {
    unlinkSync(aside)
  }
}

/** @param {{ path: string, id: string }} entry */
function removeIfMine({ path, id }) {
  try {
    if (parseHolder(readFileSync(path, 'utf8'))?.id === id) unlinkSync(path)
  } catch {
    // Already gone.
  }
}

/** @param {string} path */
function touch(path) {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // Someone cleared the cache under our feet; the work itself notices.
  }
}
