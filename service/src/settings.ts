import { readFileSync } from 'node:fs'
import { closest } from './closest.ts'
import { knownKeys } from './known-keys.ts'
import { Secret } from './secret.ts'

/** The part of `process.env` that is read. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One row of a process's setting table. */
export interface Setting<T> {
  /** Environment key, `PARLEY_…`. */
  readonly env: string
  /** One sentence for the example file and the docs table. */
  readonly about: string
  /** What a good value looks like; printed beside a bad one. */
  readonly expected: string
  /** The default as a person would type it; `undefined` when the key has none. */
  readonly defaultText: string | undefined
  /** Secrets are also read from the file that `<env>_FILE` names, and never printed. */
  readonly secret: boolean
  /** Turns the text into a value; `undefined` means that it is not what was expected. */
  readonly parse: (text: string) => T | undefined
  /** The value when the key is absent. */
  readonly fallback: T
}

/** A process's settings: property name → row. */
// Rows of one table hold different value types; `unknown` would lose them in `SettingValues`.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type SettingTable = Readonly<Record<string, Setting<any>>>

/** The frozen values of a table. */
export type SettingValues<Table extends SettingTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never
}

/** One reason not to start. The value is `[secret]` for secrets. */
export interface SettingProblem {
  readonly key: string
  readonly value: string
  readonly expected: string
}

/** Stops the start: names each bad key, its value and what was expected. */
export class SettingsError extends Error {
  readonly problems: readonly SettingProblem[]

  constructor(problems: readonly SettingProblem[]) {
    super(
      problems.map((p) => `${p.key}=${p.value} is not usable: expected ${p.expected}`).join('\n'),
    )
    this.name = 'SettingsError'
    this.problems = problems
  }
}

interface RowText<T> {
  readonly about: string
  readonly fallback: T
}

/** Builders for the rows of a setting table. */
export const setting = {
  /** Any non-empty text. */
  text<T extends string | undefined>(env: string, { about, fallback }: RowText<T>) {
    return row<string | T>(env, {
      about,
      fallback,
      expected: 'some text',
      parse: (text) => text,
    })
  },

  /** A whole number from `min` to `max`. */
  integer<T extends number | undefined>(
    env: string,
    { about, fallback, min, max }: RowText<T> & { readonly min: number; readonly max: number },
  ) {
    return row<number | T>(env, {
      about,
      fallback,
      expected: `a whole number from ${min} to ${max}`,
      parse: (text) => {
        const value = /^-?\d+$/.test(text) ? Number(text) : NaN
        return value >= min && value <= max ? value : undefined
      },
    })
  },

  /** `1` or `0`. */
  flag(env: string, { about, fallback }: RowText<boolean>) {
    return row<boolean>(env, {
      about,
      fallback,
      expected: '1 or 0',
      defaultText: fallback ? '1' : '0',
      parse: (text) => (text === '1' ? true : text === '0' ? false : undefined),
    })
  },

  /** One of a few words. */
  choice<const Word extends string>(
    env: string,
    { about, fallback, words }: RowText<Word> & { readonly words: readonly Word[] },
  ) {
    return row<Word>(env, {
      about,
      fallback,
      expected: `one of ${words.join(', ')}`,
      parse: (text) => words.find((word) => word === text),
    })
  },

  /** `host:port`, IPv6 in brackets. */
  hostPort<T extends HostPort | undefined>(env: string, { about, fallback }: RowText<T>) {
    return row<HostPort | T>(env, {
      about,
      fallback,
      expected: 'host:port, as 127.0.0.1:9100 or [::1]:9100',
      defaultText: fallback && formatHostPort(fallback),
      parse: parseHostPort,
    })
  },

  /** A secret, also read from `<env>_FILE`. `minLength` counts characters. */
  secret(env: string, { about, minLength = 1 }: { about: string; minLength?: number }) {
    return row<Secret | undefined>(env, {
      about,
      fallback: undefined,
      secret: true,
      expected: `at least ${minLength} characters`,
      parse: (text) => (text.length >= minLength ? new Secret(text) : undefined),
    })
  },

  /** Comma-separated secrets, also read from `<env>_FILE`. The first one signs, all verify. */
  secrets(env: string, { about, minLength = 1 }: { about: string; minLength?: number }) {
    return row<readonly Secret[]>(env, {
      about,
      fallback: [],
      secret: true,
      expected: `comma-separated secrets of at least ${minLength} characters each`,
      parse: (text) => {
        const parts = splitList(text)
        return parts.every((part) => part.length >= minLength)
          ? parts.map((part) => new Secret(part))
          : undefined
      },
    })
  },

  /** Comma-separated items, each parsed by `item`. */
  list<T>(
    env: string,
    {
      about,
      fallback,
      expected,
      defaultText,
      item,
    }: RowText<readonly T[]> & {
      readonly expected: string
      readonly defaultText?: string
      readonly item: (text: string) => T | undefined
    },
  ) {
    return row<readonly T[]>(env, {
      about,
      fallback,
      expected,
      defaultText,
      parse: (text) => {
        const values: T[] = []
        for (const part of splitList(text)) {
          const value = item(part)
          if (value === undefined) return undefined
          values.push(value)
        }
        return values
      },
    })
  },

  /** A row with a parser of its own. */
  custom<T>(
    env: string,
    spec: RowText<T> & {
      readonly expected: string
      readonly defaultText?: string
      readonly parse: (text: string) => T | undefined
    },
  ) {
    return row<T>(env, spec)
  },
}

/** An address to listen on or to dial. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Parses `host:port` or `[v6]:port`; `undefined` when it is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host !== undefined && port <= 65_535 ? { host, port } : undefined
}

/** The inverse of {@link parseHostPort}. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Reads a table from the environment, once, and freezes the result. Throws {@link SettingsError}
 * that names every bad key, every unreadable `_FILE` and every `PARLEY_…` key that nobody knows.
 */
export function readSettings<Table extends SettingTable>(
  table: Table,
  env: Environment,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): SettingValues<Table> {
  const problems = unknownKeyProblems(env)
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(table)) {
    const raw = rawValue(spec, env, readFile)
    if (typeof raw === 'object') {
      problems.push(raw)
      continue
    }
    const value: unknown = raw === undefined ? spec.fallback : spec.parse(raw)
    if (raw !== undefined && value === undefined) {
      problems.push({
        key: spec.env,
        value: spec.secret ? '[secret]' : JSON.stringify(raw),
        expected: spec.expected,
      })
    }
    values[name] = value
  }
  if (problems.length > 0) throw new SettingsError(problems)
  // Each name was filled from its own row, which is what the mapped type says.
  return Object.freeze(values) as SettingValues<Table>
}

function row<T>(
  env: string,
  spec: {
    readonly about: string
    readonly expected: string
    readonly fallback: T
    readonly defaultText?: string | undefined
    readonly secret?: boolean
    readonly parse: (text: string) => T | undefined
  },
): Setting<T> {
  const { fallback } = spec
  const printable = typeof fallback === 'string' || typeof fallback === 'number'
  return {
    env,
    about: spec.about,
    expected: spec.expected,
    defaultText: spec.defaultText ?? (printable ? String(fallback) : undefined),
    secret: spec.secret ?? false,
    parse: spec.parse,
    fallback,
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** The text of a key; an empty one counts as absent, as container files often set keys to nothing. */
function rawValue(
  spec: Setting<unknown>,
  env: Environment,
  readFile: (path: string) => string,
): string | undefined | SettingProblem {
  const direct = env[spec.env]?.trim()
  const fileKey = `${spec.env}_FILE`
  const path = spec.secret ? env[fileKey]?.trim() : undefined
  if (!path) return direct === '' ? undefined : direct
  if (direct) {
    return { key: fileKey, value: JSON.stringify(path), expected: `only one of ${spec.env} and it` }
  }
  try {
    return readFile(path).trim()
  } catch {
    return { key: fileKey, value: JSON.stringify(path), expected: 'a readable file' }
  }
}

function unknownKeyProblems(env: Environment): SettingProblem[] {
  return Object.keys(env)
    .filter((key) => key.startsWith('PARLEY_'))
    .filter((key) => !knownKeys.has(key) && !knownKeys.has(key.replace(/_FILE$/, '')))
    .map((key) => ({
      key,
      value: JSON.stringify(key.endsWith('_FILE') ? (env[key] ?? '') : '…'),
      expected: `a known key${suggestion(key)}; .env.example lists them all`,
    }))
}

function suggestion(key: string): string {
  const meant = closest(key, knownKeys)
  return meant === undefined ? '' : `, did you mean ${meant}?`
}
