import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * A hash over files and folders, by name and content. A path that does not exist counts as such, so
 * its appearance changes the hash.
 * @param {string} root
 * @param {readonly string[]} paths Relative to `root`.
 * @param {readonly string[]} [facts] Other things that the result depends on.
 * @returns {string} 16 hex digits.
 */
export function hashOf(root, paths, facts = []) {
  const hash = createHash('sha256')
  for (const fact of facts) hash.update(`fact ${fact}\0`)
  for (const path of [...paths].sort()) addPath(hash, root, path)
  return hash.digest('hex').slice(0, 16)
}

/**
 * Reads what {@link writeStamp} wrote; undefined where it is missing or not whole.
 * @param {string} file
 * @returns {unknown}
 */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Writes a stamp so that a reader sees the old one or the new one, never a part.
 * @param {string} file
 * @param {unknown} value
 */
export function writeStamp(file, value) {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify(value)}\n`)
  renameSync(temporary, file)
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} root
 * @param {string} path
 */
function addPath(hash, root, path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false })
  if (!stat) {
    hash.update(`absent ${path}\0`)
    return
  }
  if (!stat.isDirectory()) {
    const content = readFileSync(join(root, path))
    hash.update(`file ${path}\0${content.length}\0`).update(content)
    return
  }
  for (const name of readdirSync(join(root, path)).sort()) addPath(hash, root, join(path, name))
}
