import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Where work is kept between checkouts.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [home]
 */
export function cacheFolder(env, home = homedir()) {
  if (env['PARLEY_CACHE']) return env['PARLEY_CACHE']
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'parley')
}

/**
 * Copies an executable to its place, whole or not at all.
 * @param {string} from
 * @param {string} to
 */
export function placeExecutable(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  const temporary = `${to}.${randomUUID()}.tmp`
  try {
    copyFileSync(from, temporary, constants.COPYFILE_FICLONE)
    chmodSync(temporary, 0o755)
    // The content reaches the disk before the name does, or a power cut leaves an empty file.
    const descriptor = openSync(temporary, 'r')
    fsyncSync(descriptor)
    closeSync(descriptor)
    renameSync(temporary, to)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** What a killed run left in the temporary folder goes after this long. Milliseconds. */
const LEFTOVER_AFTER_MS = 24 * 3_600_000

/**
 * A new folder for work that is not whole yet, on the cache's own disk.
 * @param {string} cache
 * @returns {{ path: string, dispose: () => void }}
 */
export function temporaryFolder(cache) {
  const parent = join(cache, 'tmp')
  mkdirSync(parent, { recursive: true })
  for (const name of readdirSync(parent)) {
    const stat = statSync(join(parent, name), { throwIfNoEntry: false })
    const old = stat !== undefined && Date.now() - stat.mtimeMs > LEFTOVER_AFTER_MS
    if (old) rmSync(join(parent, name), { recursive: true, force: true })
  }
  const path = mkdtempSync(join(parent, 'work-'))
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * Keeps a failed command's whole output, and answers where.
 * @param {string} cache
 * @param {string} name
 * @param {string} text
 * @returns {string | undefined} Undefined where nothing can be written.
 */
export function keepLog(cache, name, text) {
  const file = join(cache, 'logs', `${name}.log`)
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  } catch {
    return undefined
  }
}
