/**
 * Writes the tables of error codes and limits into `docs/protocol/client.md`, between their markers.
 * `node tools/protocol-tables.ts`; `docs.test.ts` holds the page to it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCodes, limits } from '@parley/protocol'
import { formatMarkdown, root } from './source-tree.ts'

/** Where the page is. */
export const CLIENT_PAGE = join(root, 'docs', 'protocol', 'client.md')

/** The client page with both tables as the code has them. */
export function clientPage(page: string): Promise<string> {
  const filled = page
    .replace(markers('errors'), () => `\n\n${errorTable()}\n\n`)
    .replace(markers('limits'), () => `\n\n${limitTable()}\n\n`)
  return formatMarkdown(filled)
}

function errorTable(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { retryable, meaning }]) =>
      `| \`${code}\` | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
  )
  return ['| code | retryable | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

function limitTable(): string {
  const rows = Object.entries(limits).map(([name, value]) => `| \`${name}\` | ${value} |`)
  return ['| limit | value |', '| --- | --- |', ...rows].join('\n')
}

function markers(name: string): RegExp {
  return new RegExp(`(?<=<!-- ${name}:begin -->)([\\s\\S]*?)(?=<!-- ${name}:end -->)`)
}

if (import.meta.main) {
  writeFileSync(CLIENT_PAGE, await clientPage(readFileSync(CLIENT_PAGE, 'utf8')))
}
