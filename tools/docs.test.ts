import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  clientRequests,
  handshakeSchema,
  nodeRequests,
  requestFrameSchema,
  serverEvents,
} from '@parley/protocol'
import { knownKeys } from '@parley/service'
import { describe, expect, test } from 'vitest'
import { envExample, keyRows, settingsPage } from './env-example.ts'
import { CLIENT_PAGE, clientPage } from './protocol-tables.ts'
import { root, sourceFiles } from './source-tree.ts'

const pages = ['.', 'docs', 'docs/protocol', 'docs/decisions', ...workspaceFolders()]
  .flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => (folder === '.' ? name : `${folder}/${name}`)),
  )
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

describe('protocol pages', () => {
  const examples = pages
    .filter(({ path }) => path.startsWith('docs/protocol/'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/```json (\w+)(?: (\S+))?\n([\s\S]*?)```/g)].map((match) => ({
        path,
        kind: match[1] ?? '',
        type: match[2] ?? '',
        value: JSON.parse(match[3] ?? '') as unknown,
      })),
    )

  test('have examples', () => expect(examples.length).toBeGreaterThan(5))

  test.each(examples)('$path: the example of $kind $type is a valid message', (example) => {
    expect(problemsOf(example)).toEqual([])
  })

  test('list every error code and limit', async () => {
    const page = readFileSync(CLIENT_PAGE, 'utf8')
    expect(page).toBe(await clientPage(page))
  })

  test('have every rule that a test quotes', () => {
    const rules = pages
      .filter(({ path }) => path.startsWith('docs/protocol/'))
      .flatMap(({ text }) => [...text.matchAll(/\*\*([A-Z]+-\d+)\*\*/g)].map((match) => match[1]))
    const quoted = sourceFiles()
      .filter(({ path }) => path.endsWith('.test.ts') && !path.startsWith('turn/'))
      .flatMap(({ text }) => [...text.matchAll(/'\[([A-Z]+-\d+)\]/g)].map((match) => match[1]))
    expect(quoted.filter((rule) => !rules.includes(rule))).toEqual([])
    expect(quoted.length).toBeGreaterThan(20)
  })
})

describe('the threat model', () => {
  const text = readFileSync(join(root, 'docs/security.md'), 'utf8')
  const [claims = '', evidence = ''] = text.split('## Evidence')
  const rows = [...evidence.matchAll(/^\| (E\d+) +\| `([^`]+)` +\| (.+?) +\|$/gm)].map(
    ([, claim = '', file = '', name = '']) => ({ claim, file, name }),
  )

  test.each(rows)('$claim: there is a test "$name"', ({ file, name }) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(name)
  })

  test('has evidence for each claim, and a claim for all evidence', () => {
    const cited = [...claims.matchAll(/\[(E\d+)(?:–(E\d+))?\]/g)].flatMap(
      ([, first = '', last]) => {
        const numberOf = (claim: string) => Number(claim.slice(1))
        const length = last === undefined ? 1 : numberOf(last) - numberOf(first) + 1
        return Array.from({ length }, (_, index) => `E${numberOf(first) + index}`)
      },
    )
    const shown = new Set(rows.map(({ claim }) => claim))
    expect(cited.length).toBeGreaterThan(20)
    expect(cited.filter((claim) => !shown.has(claim))).toEqual([])
    expect([...shown].filter((claim) => !cited.includes(claim))).toEqual([])
  })
})

describe('settings', () => {
  test('.env.example and docs/settings.md are what the tables say', async () => {
    expect(readFileSync(join(root, '.env.example'), 'utf8')).toBe(envExample())
    expect(readFileSync(join(root, 'docs/settings.md'), 'utf8')).toBe(await settingsPage())
  })

  test('the list of known keys is the union of the tables', () => {
    const keys = keyRows().map(({ spec }) => spec.env)
    // The set-up reads its own, before any package is there.
    const others = ['PARLEY_CACHE']
    expect([...knownKeys].sort()).toEqual([...keys, ...others].sort())
  })
})

describe('pages', () => {
  test.each(pages)('$path links to things that exist', ({ path, text }) => {
    const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(
      (m) => m[1] ?? '',
    )
    const missing = targets.filter((target) => !existsSync(join(root, dirname(path), target)))
    expect(missing).toEqual([])
  })

  test.each(pages)('$path names files that exist', ({ path, text }) => {
    const bases = ['.', dirname(path), join(dirname(path), 'src')]
    const named = [...text.matchAll(/`([\w-]+(?:\/[\w.-]+)+\.(?:ts|mjs|md|yaml|conf|service))`/g)]
    const missing = named
      .map((match) => match[1] ?? '')
      .filter((name) => !bases.some((base) => existsSync(join(root, base, name))))
    expect(missing).toEqual([])
  })
})

function problemsOf({ kind, type, value }: { kind: string; type: string; value: unknown }) {
  const schemas = {
    handshake: () => [handshakeSchema.safeParse(value)],
    request: () => {
      const { data } = requestFrameSchema.parse(value)
      const request = clientRequests[type as keyof typeof clientRequests]
      return [requestFrameSchema.safeParse(value), request.data.safeParse(data)]
    },
    order: () => {
      const { data } = requestFrameSchema.parse(value)
      return [nodeRequests[type as keyof typeof nodeRequests].data.safeParse(data)]
    },
    event: () => [serverEvents[type as keyof typeof serverEvents].safeParse(value)],
    error: () => [],
  }
  return schemas[kind as keyof typeof schemas]().flatMap(({ error }) => error?.issues ?? [])
}

function workspaceFolders(): string[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    workspaces: string[]
  }
  return workspaces
}
