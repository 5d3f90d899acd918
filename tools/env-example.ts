/**
 * Writes `.env.example` and the settings table of `docs/settings.md` from the setting tables, so that
 * neither can say anything else. `node tools/env-example.ts`; `docs.test.ts` holds both to it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Setting, SettingTable } from '@parley/service'
import { sfuSettings } from '@parley/sfu'
import { signalingSettings } from '@parley/signaling'
import { turnSettings } from '@parley/turn'
import { formatMarkdown, root } from './source-tree.ts'

const processes: readonly (readonly [string, SettingTable])[] = [
  ['signaling', signalingSettings],
  ['sfu', sfuSettings],
  ['turn', turnSettings],
]

/** One environment key, and which processes read it. */
export interface KeyRow {
  readonly spec: Setting<unknown>
  readonly readBy: readonly string[]
}

/** Every key of every process, in the order of the tables. */
export function keyRows(): readonly KeyRow[] {
  const rows = new Map<string, { spec: Setting<unknown>; readBy: string[] }>()
  for (const [name, table] of processes) {
    for (const spec of Object.values(table) as Setting<unknown>[]) {
      const row = rows.get(spec.env) ?? { spec, readBy: [] }
      row.readBy.push(name)
      rows.set(spec.env, row)
    }
  }
  return [...rows.values()]
}

/** The text of `.env.example`. */
export function envExample(): string {
  const entries = keyRows().map(({ spec, readBy }) =>
    [
      `# ${spec.about}`,
      `# Read by ${readBy.join(', ')}. Expects ${spec.expected}.`,
      ...(spec.secret ? [`# Or name a file that holds it: ${spec.env}_FILE`] : []),
      `#${spec.env}=${spec.defaultText ?? ''}`,
    ].join('\n'),
  )
  return `${HEADER}\n${entries.join('\n\n')}\n`
}

/** The text of `docs/settings.md`. */
export function settingsPage(): Promise<string> {
  const rows = keyRows().map(({ spec, readBy }) => {
    const key = spec.secret ? `\`${spec.env}\`, \`${spec.env}_FILE\`` : `\`${spec.env}\``
    const fallback = spec.defaultText === undefined ? '' : `\`${spec.defaultText}\``
    return `| ${key} | ${spec.about} Expects ${spec.expected}. | ${fallback} | ${readBy.join(', ')} |`
  })
  return formatMarkdown(`${PAGE_HEADER}\n${rows.join('\n')}\n`)
}

const HEADER = `# Every setting of Parley, as one file for all services: each reads what is its own.
# A bad value, or a key that no service knows, stops the start and is named.
# Written by tools/env-example.ts from the services' setting tables.
`

const PAGE_HEADER = `# Settings

All services are configured by environment variables; one file can serve them all. A bad value stops
the start with the key, the value and what was expected, and so does a \`PARLEY_…\` key that no service
knows. Secrets can also be read from a file. \`.env.example\` is this table in the form of a file.

| key | what it does | default | read by |
| --- | --- | --- | --- |`

if (import.meta.main) {
  writeFileSync(join(root, '.env.example'), envExample())
  writeFileSync(join(root, 'docs', 'settings.md'), await settingsPage())
}
