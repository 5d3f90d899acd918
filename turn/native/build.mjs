// Builds the add-on of the batched datagram path: `node turn/native/build.mjs`. Plain JavaScript, so
// that the set-up can call it on whatever Node (20 or newer) the machine has.
//
// One call of the compiler over this folder, with the headers of the npm package `node-api-headers`
// and nothing else. Without a compiler there is no add-on, and the server takes the pure path.
import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Source A folder of C++.
 * @property {string} folder
 * @property {string} name
 * @property {'addon' | 'program'} kind
 *
 * @typedef {{ ok: true, binary: string, isNew: boolean } | { ok: false, reason: string }} BuildResult
 */

const FLAGS = {
  addon: '-std=c++20 -O2 -Wall -Wextra -fPIC -shared -fvisibility=hidden -DNAPI_VERSION=9',
  program: '-std=c++20 -O2 -Wall -Wextra',
}

/** The add-on of the server. @type {Source} */
export const batchedUdp = {
  folder: fileURLToPath(new URL('.', import.meta.url)),
  name: 'batched-udp',
  kind: 'addon',
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = buildNative(batchedUdp, process.env)
  process.stdout.write(`${result.ok ? result.binary : result.reason}\n`)
  process.exitCode = result.ok ? 0 : 1
}

/**
 * Whether a build would change nothing: the binary is in place, or this machine cannot make one.
 * @param {Source} source
 * @param {NodeJS.ProcessEnv} env
 */
export function isNativeReady(source, env) {
  const plan = planOf(source, env)
  return !plan.ok || isInPlace(plan)
}

/**
 * Puts the binary of a folder's C++ sources into its `dist`, from the cache where it was built
 * before. Takes a few milliseconds where it is in place.
 * @param {Source} source
 * @param {NodeJS.ProcessEnv} env
 * @returns {BuildResult}
 */
export function buildNative(source, env) {
  const plan = planOf(source, env)
  if (!plan.ok) return plan
  const { folder, name, kind } = source
  const { binary, stamp, key, compiler, headers, files } = plan
  if (isInPlace(plan)) return { ok: true, binary, isNew: false }
  const cached = join(cacheFolder(env), 'native', `${name}-${key}`)
  if (!existsSync(cached)) {
    const fresh = `${cached}.${randomUUID()}`
    mkdirSync(dirname(cached), { recursive: true })
    const sources = files.filter((file) => file.endsWith('.cpp')).map((file) => join(folder, file))
    const args = [...FLAGS[kind].split(' '), `-I${headers}`, ...sources, '-o', fresh]
    const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8' })
    if (status !== 0) return { ok: false, reason: stderr || String(error) }
    renameSync(fresh, cached)
  }
  // Whole or not at all, and the stamp last: a killed set-up leaves nothing that is trusted.
  mkdirSync(dirname(binary), { recursive: true })
  copyFileSync(cached, `${binary}.${key}`)
  renameSync(`${binary}.${key}`, binary)
  writeFileSync(stamp, key)
  return { ok: true, binary, isNew: true }
}

/**
 * What a build would make, and from what.
 * @param {Source} source
 * @param {NodeJS.ProcessEnv} env
 */
function planOf({ folder, name, kind }, env) {
  if (process.platform !== 'linux') return refuse('batches of datagrams need Linux')
  const compiler = env['CXX'] ?? 'c++'
  const version = spawnSync(compiler, ['-dumpfullversion', '-dumpversion'], { encoding: 'utf8' })
  if (version.status !== 0) return refuse(`there is no C++ compiler (${compiler})`)
  const headers = headersFolder()
  if (!headers) return refuse('the package node-api-headers is not installed')
  const files = readdirSync(folder).filter((file) => /\.(cpp|h)$/.test(file))
  const facts = `${compiler} ${version.stdout.trim()} ${process.arch} ${FLAGS[kind]}`
  return {
    ok: /** @type {const} */ (true),
    key: keyOf(folder, files, facts),
    binary: join(folder, 'dist', kind === 'addon' ? `${name}.node` : name),
    stamp: join(folder, 'dist', `${name}.key`),
    compiler,
    headers,
    files,
  }
}

/** @param {string} reason */
function refuse(reason) {
  return { ok: /** @type {const} */ (false), reason }
}

/** @param {{ binary: string, stamp: string, key: string }} plan */
function isInPlace({ binary, stamp, key }) {
  return existsSync(binary) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key
}

/**
 * @param {string} folder
 * @param {readonly string[]} files
 * @param {string} facts
 */
function keyOf(folder, files, facts) {
  const hash = createHash('sha256').update(facts)
  for (const file of [...files].sort())
    hash.update(`${file}\0`).update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 16)
}

/** @returns {string | undefined} */
function headersFolder() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-api-headers/package.json')
    return join(dirname(manifest), 'include')
  } catch {
    return undefined
  }
}

/**
 * As the set-up has it.
 * @param {NodeJS.ProcessEnv} env
 */
function cacheFolder(env) {
  if (env['PARLEY_CACHE']) return env['PARLEY_CACHE']
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'parley')
}
