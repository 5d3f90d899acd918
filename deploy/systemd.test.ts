import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { knownKeys } from '@parley/service'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const folder = join(import.meta.dirname, 'systemd')
const parts = ['signaling', 'sfu', 'turn']
const secretKeys = ['PARLEY_SECRET', 'PARLEY_SFU_SECRET', 'PARLEY_TURN_SECRET']

let scratch: string

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'parley-systemd-test-'))
})

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true })
})

describe.each(parts)('parley-%s.service', (part) => {
  const name = `parley-${part}.service`

  test('is what systemd accepts without a complaint', () => {
    expect(complaints(name, unitText(name))).toBe('')
  })

  test('starts the process of its part', () => {
    const [command = '', ...args] = (value(name, 'ExecStart') ?? '').split(' ')
    expect(command).toBe('/opt/parley/node_modules/.bin/node')
    expect(args).toEqual([`${part}/src/main.ts`])
    expect(value(name, 'WorkingDirectory')).toBe('/opt/parley')
    expect(() => readFileSync(join(root, args[0] ?? ''))).not.toThrow()
  })

  test('sets only keys that the services know, and secrets only by file', () => {
    const keys = environmentKeys(unitText(name))
    expect(keys.filter((key) => !knownKeys.has(key.replace(/_FILE$/, '')))).toEqual([])
    expect(keys.filter((key) => secretKeys.includes(key))).toEqual([])
  })

  test('gives each secret file that it names to the service', () => {
    const named = [...unitText(name).matchAll(/^Environment=\w+_FILE=%d\/(.+)$/gm)].map(first)
    const given = [...unitText(name).matchAll(/^LoadCredential=(.+):\/etc\/parley\/secrets\/\1$/gm)]
    expect(named.length).toBeGreaterThan(0)
    expect(given.map(first)).toEqual(named)
  })

  test('does not try again with a bad configuration, and lets the process stop by itself', () => {
    expect(value(name, 'Restart')).toBe('on-failure')
    expect(value(name, 'RestartPreventExitStatus')).toBe('2')
    expect(value(name, 'KillMode')).toBe('mixed')
    expect(Number(value(name, 'TimeoutStopSec'))).toBeGreaterThan(10)
  })

  test('is locked up as far as Node and the media worker bear it', () => {
    const report = execFileSync('systemd-analyze', ['security', '--offline=yes', copy(name)], {
      encoding: 'utf8',
    })
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(report)?.[1]
    expect(Number(exposure)).toBeLessThan(2)
  })
})

test('each service that runs beside others has metrics of its own', () => {
  const addresses = ['sfu', 'turn'].map(
    (part) => /^Environment=PARLEY_METRICS=(.+)$/m.exec(unitText(`parley-${part}.service`))?.[1],
  )
  expect(addresses).toEqual(['127.0.0.1:9101', '127.0.0.1:9102'])
})

test('the drop-in for Debian’s coturn.service is what systemd accepts', () => {
  const dropIn = unitText('coturn.service.d/parley.conf')
  // What matters of Debian's: a type, and a command that is taken out.
  writeFileSync(
    join(scratch, 'coturn.service'),
    '[Service]\nType=notify\nUser=root\nExecStart=/bin/true -c /etc/turnserver.conf\n',
  )
  cpSync(join(folder, 'coturn.service.d'), join(scratch, 'coturn.service.d'), { recursive: true })
  writeFileSync(
    join(scratch, 'coturn.service.d/parley.conf'),
    dropIn.replaceAll('/opt/parley', root),
  )
  expect(verify(join(scratch, 'coturn.service'))).toBe('')
  const keys = environmentKeys(dropIn)
  expect(keys).toEqual(['PARLEY_TURN_SECRET_FILE'])
})

test('the folder holds nothing that no test looks at', () => {
  const expected = [...parts.map((part) => `parley-${part}.service`), 'coturn.service.d']
  expect(readdirSync(folder).sort()).toEqual(expected.sort())
})

test('systemd complains where it should', () => {
  const name = 'parley-turn.service'
  const broken = unitText(name).replace('KillMode=mixed', 'KillMode=gentle')
  expect(complaints(name, broken)).toContain('gentle')
})

function unitText(name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}

/** The last value of a key, which is the one that counts. */
function value(name: string, key: string): string | undefined {
  return [...unitText(name).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(first).at(-1)
}

function environmentKeys(text: string): readonly string[] {
  return [...text.matchAll(/^Environment=(PARLEY_\w+)=/gm)].map(first)
}

function first(match: RegExpExecArray): string {
  return match[1] ?? ''
}

/** What systemd says of a unit, once it stands in this checkout. */
function complaints(name: string, text: string): string {
  return verify(copy(name, text))
}

function copy(name: string, text = unitText(name)): string {
  const file = join(scratch, name)
  writeFileSync(file, text.replaceAll('/opt/parley', root))
  return file
}

function verify(file: string): string {
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', ['verify', file], {
    encoding: 'utf8',
  })
  if (error) throw error
  const said = `${stdout}${stderr}`.trim()
  return status === 0 ? said : `${said} (exit ${status ?? 'by signal'})`
}
