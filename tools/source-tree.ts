import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { format, resolveConfig } from 'prettier'

/** The checkout. */
export const root = normalize(join(import.meta.dirname, '..'))

/** Markdown as the formatter leaves it, so that written pages and formatted ones agree. */
export async function formatMarkdown(text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(join(root, 'README.md'))), parser: 'markdown' })
}

/** One source file of the tree. */
export interface SourceFile {
  /** Path from the root, with `/`. */
  readonly path: string
  readonly text: string
  /** What it imports, as written. */
  readonly imports: readonly string[]
}

/** All TypeScript and JavaScript files that git knows or would take, as they stand on disk. */
export function sourceFiles(): readonly SourceFile[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.mjs', '*.js'],
    { cwd: root, encoding: 'utf8' },
  )
  const paths = [...new Set(listed.split('\n').filter((path) => path !== ''))]
  return paths.flatMap((path) => {
    const text = readIfThere(join(root, path))
    return text === undefined ? [] : [{ path, text, imports: importsOf(text) }]
  })
}

/** A relative import as a path from the root; a package import as it is. */
export function resolveImport({ path }: SourceFile, specifier: string): string {
  return specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier
}

/** The code without comments and the insides of strings, so that words in them do not count. */
export function codeOnly(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/(^|[^:])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
}

function importsOf(text: string): readonly string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g
  const plain = /(?:^|\n)import\s+['"]([^'"]+)['"]/g
  return [...text.matchAll(pattern), ...text.matchAll(plain)]
    .map((match) => match[1] ?? match[2])
    .filter((specifier) => specifier !== undefined)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
