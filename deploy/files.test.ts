import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { knownKeys } from '@parley/service'
import { format } from 'prettier'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
// Line by line, with what a backslash continues.
const dockerfile = read('deploy/Dockerfile').replaceAll(/\\\n\s*/g, ' ')
const compose = read('deploy/compose.yaml')
const images = [
  ['signaling', 'signaling/src/main.ts'],
  ['sfu', 'sfu/src/main.ts'],
  ['turn', 'turn/src/main.ts'],
  ['all-in-one', 'deploy/all-in-one/main.ts'],
] as const

describe('Dockerfile', () => {
  test('copies only what is in the repository and in the build context', () => {
    const paths = matches(dockerfile, /^COPY (?!--from)(.+) \S+$/gm).flatMap((list) =>
      list.split(' '),
    )
    expect(paths.length).toBeGreaterThan(20)
    expect(paths.filter((path) => !isTracked(path))).toEqual([])
    expect(paths.filter((path) => !isInContext(path))).toEqual([])
  })

  test('knows every workspace, as the lockfile wants them all', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] }
    for (const workspace of workspaces) {
      expect(stage('manifests')).toContain(`COPY ${workspace}/package.json ${workspace}/`)
    }
  })

  test('runs the Node that package.json pins', () => {
    const { dependencies } = JSON.parse(read('package.json')) as {
      dependencies: { node: string }
    }
    expect(dockerfile).toContain(`ARG NODE_VERSION=${dependencies.node}\n`)
  })

  test.each(images)('%s holds its workspaces beside node_modules, never in it', (image, entry) => {
    const copied = matches(stage(image), /^COPY (?!--from)(\S+) \S+$/gm)
    const workspaces = workspacesOf(entry.split('/')[0] ?? '')
    expect(copied.map((path) => path.split('/')[0])).toEqual(
      expect.arrayContaining([...workspaces]),
    )
    expect(stage(image)).not.toMatch(/node_modules\/@parley/)
  })

  test.each(images)('%s starts its process without a shell or rights, and is watched', (...row) => {
    const [image, entry] = row
    expect(stage(image)).toContain(`ENTRYPOINT ["node", "${entry}"]`)
    expect(existsSync(join(root, entry))).toBe(true)
    expect(stage(image).indexOf('USER node')).toBeGreaterThan(0)
    expect(stage('runtime')).toContain('STOPSIGNAL SIGTERM')
    const [check = '[]'] = matches(stage(image), /^HEALTHCHECK .* CMD (\[.+\])$/gm)
    const [command, flag, script = ''] = JSON.parse(check) as string[]
    expect([command, flag]).toEqual(['node', '-e'])
    expect(script).toContain('/healthz')
  })

  test.each(images)('%s is found healthy or not by its check', async (image) => {
    const [check = '[]'] = matches(stage(image), /^HEALTHCHECK .* CMD (\[.+\])$/gm)
    const [, , script = ''] = JSON.parse(check) as string[]

    const answering = createServer((_request, response) => response.writeHead(200).end())
    await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve))
    const address = answering.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    expect(await exitOf(script, port)).toBe(0)
    await new Promise((resolve) => answering.close(resolve))
    expect(await exitOf(script, port)).toBe(1)
  })

  test('keeps secrets out of the build context', () => {
    for (const path of [
      '.env',
      'deploy/.env',
      'deploy/secrets/token-secret',
      '.git',
      'node_modules',
    ]) {
      expect([path, isInContext(path)]).toEqual([path, false])
    }
  })
})

describe('compose.yaml', () => {
  test('is well-formed', async () => {
    expect(await format(compose, { parser: 'yaml', singleQuote: true, printWidth: 100 })).toBe(
      compose,
    )
  })

  test('builds targets that the Dockerfile has', () => {
    const targets = matches(compose, /target: ([\w-]+)/g)
    expect(targets).toEqual(['signaling', 'sfu', 'turn', 'coturn'])
    for (const target of targets) expect(stage(target)).not.toBe('')
  })

  test('publishes a UDP and a TCP port for each media worker', () => {
    const value = (key: string) => Number(new RegExp(`${key}: '(\\d+)'`).exec(section('sfu'))?.[1])
    const first = value('PARLEY_SFU_PORT')
    const range = `${first}-${first + value('PARLEY_SFU_WORKERS') - 1}`
    expect(section('sfu')).toContain(`ports: ['${range}:${range}/udp', '${range}:${range}/tcp']`)
  })

  test('publishes neither the control link nor metrics', () => {
    const published = matches(compose, /ports: (\[.+\])/g).join()
    expect(published).not.toMatch(/4000|910\d/)
  })

  test('puts relays on the host’s network', () => {
    for (const name of ['turn', 'coturn']) {
      expect(section(name)).toContain('network_mode: host')
      expect(section(name)).not.toContain('ports:')
    }
  })

  test('gives secrets as files only, each of them declared and given to its service', () => {
    expect(compose).not.toMatch(/PARLEY_(SFU_|TURN_)?SECRET:/)
    const declared = matches(compose, /^ {2}([\w-]+): \{ file: \.\/secrets\/\1 \}$/gm)
    for (const name of ['signaling', 'sfu', 'turn']) {
      const used = matches(section(name), /_FILE: \/run\/secrets\/([\w-]+)/g)
      expect(section(name)).toContain(`secrets: [${used.join(', ')}]`)
      expect(declared).toEqual(expect.arrayContaining([...used]))
    }
  })
})

describe('settings in files', () => {
  test.each([
    'deploy/Dockerfile',
    'deploy/compose.yaml',
    'deploy/coturn/start.sh',
    'deploy/README.md',
  ])('%s names only keys that the services know', (path) => {
    const keys = matches(read(path), /\b(PARLEY_[A-Z_]+[A-Z])\b/g)
    expect(keys.length).toBeGreaterThan(0)
    expect(keys.filter((key) => !knownKeys.has(key.replace(/_FILE$/, '')))).toEqual([])
  })

  test('.env.example sets nothing, and says the same to systemd, Compose and a shell', () => {
    const lines = read('.env.example').split('\n')
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
    const settings = lines
      .filter((line) => line.startsWith('#PARLEY_'))
      .map((line) => line.slice(1))
    expect(settings.length).toBeGreaterThan(20)
    // Quotes, spaces, dollars, backslashes and hashes mean something else to each of them.
    expect(settings.filter((line) => !/^PARLEY_[A-Z_]+=[^\s'"$\\#`;]*$/.test(line))).toEqual([])
  })
})

/** The instructions of one stage. */
function stage(name: string): string {
  const start = new RegExp(`^FROM .* AS ${name}$`, 'm').exec(dockerfile)?.index
  if (start === undefined) return ''
  const rest = dockerfile.slice(start)
  const end = rest.indexOf('\nFROM ')
  return end < 0 ? rest : rest.slice(0, end)
}

/** The lines of one service. */
function section(name: string): string {
  return (
    new RegExp(`^ {2}${name}:(?: &[\\w-]+)?\\n((?: {4}.*\\n|\\n)+)`, 'm').exec(compose)?.[1] ?? ''
  )
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '')
}

/** A workspace and those of ours that it needs, as its manifest says. */
function workspacesOf(name: string): readonly string[] {
  const { dependencies } = JSON.parse(read(`${name}/package.json`)) as {
    dependencies?: Record<string, string>
  }
  const ours = Object.keys(dependencies ?? {}).filter((key) => key.startsWith('@parley/'))
  return [name, ...ours.flatMap((key) => workspacesOf(key.replace('@parley/', '')))]
}

function isTracked(path: string): boolean {
  return execFileSync('git', ['ls-files', '--', path], { cwd: root, encoding: 'utf8' }) !== ''
}

/** Whether `.dockerignore` lets a path in: the last pattern that fits it or a folder above decides. */
function isInContext(path: string): boolean {
  const folders = path.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'))
  let isIn = true
  for (const line of read('.dockerignore').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const pattern = line.replace(/^!/, '')
    if (folders.some((folder) => globOf(pattern).test(folder))) isIn = line.startsWith('!')
  }
  return isIn
}

/** Docker's patterns: a star stays within a name, two cross folders, and dots are nothing special. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll('.', String.raw`\.`)
    .replaceAll('**/', '(.+/)?')
    .replaceAll('/**', '/.+')
    .replaceAll(/(?<!\))\*/g, '[^/]*')
  return new RegExp(`^${source}$`)
}

async function exitOf(script: string, port: string): Promise<number | null> {
  const child = spawn(process.execPath, ['-e', script], {
    env: { PARLEY_PORT: port, PARLEY_METRICS: `0.0.0.0:${port}` },
    stdio: 'ignore',
  })
  return new Promise((resolve) => child.once('close', resolve))
}
