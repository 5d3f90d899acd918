import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeOnly, resolveImport, root, sourceFiles } from './source-tree.ts'
import type { SourceFile } from './source-tree.ts'

/** Which of our own packages each part may import. Anything with `/` is one door of a package. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  service: [],
  signaling: [
    '@parley/protocol',
    '@parley/protocol/message-pack',
    '@parley/service',
    '@parley/turn/credentials',
  ],
  sfu: ['@parley/protocol', '@parley/service'],
  turn: ['@parley/service'],
  'client-sdk': ['@parley/protocol', '@parley/protocol/message-pack'],
  loadtest: ['@parley/protocol', '@parley/service', '@parley/client-sdk', '@parley/turn/wire'],
  deploy: ['@parley/service', '@parley/signaling', '@parley/sfu', '@parley/turn'],
  scenarios: ['@parley/protocol', '@parley/client-sdk', '@parley/turn/credentials'],
}

/** Parts that decide, and so may not touch the world. */
const pureFolders = [/^protocol\/src\//, /^turn\/src\/wire\//, /^[^/]+\/src\/core\//]

/** What a decision must be given instead of taking it. */
const impurities: readonly (readonly [RegExp, string])[] = [
  [/\bset(Timeout|Interval|Immediate)\b/, 'a timer'],
  [/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, 'a clock'],
  [/\bMath\.random\b|\brandomBytes\b|\bgetRandomValues\b|\brandomUUID\b/, 'randomness'],
  [/\bprocess\.|\bglobalThis\b/, 'its process'],
  [/\bconsole\./, 'a console'],
  [/\bawait\b|\basync\b/, 'a promise'],
]

/** Files that are longer than the limit, each with why they stay whole. */
const longFiles: Readonly<Record<string, string>> = {}

const MOST_LINES = 400
const MOST_TEST_LINES = 600

const files = sourceFiles()
const own = files.filter(({ path }) => !isTest(path))

describe('house rules', () => {
  test('parts import only what they may', () => {
    const wrong = own.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith('@parley/'))
        .filter((specifier) => !mayImport(file, specifier))
        .map((specifier) => `${file.path} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  test('parts are entered by their doors', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => partOf(target) !== partOf(file.path))
        .map((target) => `${file.path} reaches into ${target}`),
    )
    expect(wrong).toEqual([])
  })

  test('a core imports only cores, the protocol and wire formats', () => {
    const wrong = own
      .filter(({ path }) => /^[^/]+\/src\/core\//.test(path))
      .flatMap((file) =>
        file.imports
          .map((specifier) => resolveImport(file, specifier))
          .filter((target) => !isCoreMaterial(target))
          .map((target) => `${file.path} imports ${target}`),
      )
    expect(wrong).toEqual([])
  })

  test('pure code takes time, randomness and the world as arguments', () => {
    const wrong = own
      .filter(({ path }) => pureFolders.some((folder) => folder.test(path)))
      .flatMap(({ path, text }) =>
        impurities
          .filter(([pattern]) => pattern.test(codeOnly(text)))
          .map(([, what]) => `${path} uses ${what}`),
      )
    expect(wrong).toEqual([])
  })

  test('the environment is read by configuration only', () => {
    const wrong = own
      .filter(({ text }) => codeOnly(text).includes('process.env'))
      .map(({ path }) => path)
      .filter((path) => !/\/config\.ts$|\/native\/build\.mjs$|^tools\//.test(path))
    expect(wrong).toEqual([])
  })

  test('commands run under the Node that the set-up has just brought', () => {
    // A shell remembers where it found `node` first, which is the machine's own.
    const wrong = Object.entries(packageScripts())
      .flatMap(([name, script]) =>
        script
          .split('&&')
          .slice(1)
          .map((part) => [name, part.trim()]),
      )
      .filter(([, part]) => part?.startsWith('node '))
    expect(wrong).toEqual([])
  })

  test('no folder is a drawer for everything', () => {
    const wrong = files.filter(({ path }) => /(^|\/)(utils?|helpers?|common)(\/|\.)/.test(path))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  test('doors name what they export', () => {
    const wrong = own.filter(({ text }) => /^export \*/m.test(codeOnly(text)))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  test('files stay small enough to be read', () => {
    const wrong = files
      .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
      .filter(({ path, lines }) => lines > (isTest(path) ? MOST_TEST_LINES : MOST_LINES))
      .filter(({ path }) => !(path in longFiles))
      .map(({ path, lines }) => `${path} has ${lines} lines`)
    expect(wrong).toEqual([])
  })

  test('tests do not sleep', () => {
    const sleeps = /setTimeout\(\s*(resolve|r|done)\b|\bsleep\(/
    const wrong = files.filter(
      ({ path, text }) => /\.test\.(ts|mjs)$/.test(path) && sleeps.test(codeOnly(text)),
    )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })
})

function packageScripts(): Readonly<Record<string, string>> {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  return scripts
}

function mayImport(file: SourceFile, specifier: string): boolean {
  const allowed = allowedImports[partOf(file.path)]
  return allowed === undefined || allowed.includes(specifier)
}

function isCoreMaterial(target: string): boolean {
  return (
    /^[^/]+\/src\/(core|wire)\//.test(target) ||
    target === '@parley/protocol' ||
    target === 'node:crypto'
  )
}

function partOf(path: string): string {
  return path.split('/', 1)[0] ?? path
}

/** Tests, their doubles and their stages. */
function isTest(path: string): boolean {
  return /\.test\.(ts|mjs)$|\/testing\.ts$|(^|\/)(scenarios|endurance)\//.test(path)
}
