import { parseArgs } from 'node:util'
import { closest } from '@parley/service'
import type { GroupScenario } from './plan.ts'
import { planLimits } from './plan.ts'
import type { Thresholds } from './checks.ts'

const DEFAULT_URL = 'http://localhost:3000'

/** A run as the command line asks for it. */
export interface RunOptions {
  readonly scenario: GroupScenario
  /** Where signaling is, or `start`: a stack of the run's own. */
  readonly server: { readonly type: 'url'; readonly url: URL } | { readonly type: 'start' }
  readonly allowRemote: boolean
  readonly thresholds: Thresholds
  readonly json: boolean
  readonly output: string | undefined
}

export type Command =
  | { readonly type: 'help' }
  | { readonly type: 'run'; readonly options: RunOptions }
  | { readonly type: 'usage'; readonly message: string }

export const helpText = `Simulates callers and says whether they heard and saw each other.

Examples
  npm run loadtest -- group --rooms 1 --participants 4 --duration 20s
  npm run loadtest -- group --start                    with a Parley of its own, on free ports
  npm run loadtest -- group --rooms 10 --no-video      audio only, ten rooms of four
  npm run loadtest -- group --start --silence          see the tone check fail
  npm run loadtest -- group --json > report.json       for machines

Usage: npm run loadtest -- SCENARIO [options]

Scenarios
  group                people in rooms through the SFU: each sends a tone and a camera, receives
                       everybody else's, and checks that the tone heard is the tone sent

What happens
  --rooms N            rooms (default 1)
  --participants N     people in each room, 2 to 50 (default 4)
  --duration TIME      how long all of them stay once all are in: 500ms, 20s, 2m (default 20s)
  --join-rate N        people who come per second (default 10)
  --no-video           microphones only
  --silence            send encoded silence in place of the tones (also --mute-audio)

Where
  --url URL            the signaling service (default ${DEFAULT_URL})
  --start              start a Parley for this run and stop it afterwards
  --allow-remote       allow a --url that is not this machine: load without consent is an attack
  PARLEY_SECRET        signs the callers' tokens; without it they come from POST /dev/token, which
                       a server in development mode answers

What passes
  --max-loss SHARE     packets that a stream may lose: 1%, 0.5% (default 1%)
  --max-gap TIME       longest time without a packet in a stream (default 2s)
  --max-loop-delay TIME  how late (99th percentile) this program itself may be before the run
                       counts as invalid (default 100ms)

Report
  --json               print the machine-readable report on stdout in place of the table
  --output FILE        write it to a file
  --help               this text

Exit codes: 0 passed · 1 a check failed, or the run is invalid · 2 usage · 3 cannot set up ·
130 interrupted (the report covers what was measured)
`

const flags = {
  help: { type: 'boolean', short: 'h' },
  rooms: { type: 'string' },
  participants: { type: 'string' },
  duration: { type: 'string' },
  'join-rate': { type: 'string' },
  'no-video': { type: 'boolean' },
  silence: { type: 'boolean' },
  'mute-audio': { type: 'boolean' },
  url: { type: 'string' },
  start: { type: 'boolean' },
  'allow-remote': { type: 'boolean' },
  'max-loss': { type: 'string' },
  'max-gap': { type: 'string' },
  'max-loop-delay': { type: 'string' },
  json: { type: 'boolean' },
  output: { type: 'string' },
} as const

const scenarios = ['group']

/** Reads the command line. */
export function parseCommandLine(args: readonly string[]): Command {
  try {
    return readCommand(args)
  } catch (error) {
    if (error instanceof UsageError) return { type: 'usage', message: error.message }
    throw error
  }
}

/** `20s`, `2m`, `500ms`, `1h` in milliseconds; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? '']
  return unitMs === undefined ? undefined : Number(match?.[1]) * unitMs
}

/** `1%` as 0.01; `undefined` for anything but a percentage from 0 to 100. */
export function parseShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text)
  const share = Number(match?.[1]) / 100
  return share <= 1 ? share : undefined
}

class UsageError extends Error {}

function readCommand(args: readonly string[]): Command {
  const { tokens } = parseArgs({
    args: [...args],
    options: flags,
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  const values = new Map<string, string>()
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind === 'option') values.set(token.name, flagValue(token))
  }
  if (values.has('help')) return { type: 'help' }
  checkScenario(words)
  return { type: 'run', options: readOptions(values) }
}

function readOptions(values: ReadonlyMap<string, string>): RunOptions {
  const number = (name: string, fallback: number, bounds: Bounds) =>
    read(values, name, {
      fallback,
      parse: (text) => (/^\d+$/.test(text) ? within(Number(text), bounds) : undefined),
      expected: `a whole number from ${bounds.min} to ${bounds.max}`,
    })
  const duration = (name: string, fallback: number, bounds: Bounds = anyDuration) =>
    read(values, name, {
      fallback,
      parse: (text) => within(parseDuration(text), bounds),
      expected: `a time of at least ${bounds.min / 1_000}s, as 500ms, 20s or 2m`,
    })
  return {
    scenario: {
      rooms: number('rooms', 1, planLimits.rooms),
      participants: number('participants', 4, planLimits.participants),
      holdMs: duration('duration', 20_000, planLimits.holdMs),
      joinsPerSecond: number('join-rate', 10, planLimits.joinsPerSecond),
      video: !values.has('no-video'),
      silence: values.has('silence') || values.has('mute-audio'),
    },
    server: readServer(values),
    allowRemote: values.has('allow-remote'),
    thresholds: {
      maxLoss: read(values, 'max-loss', {
        fallback: 0.01,
        parse: parseShare,
        expected: 'a percentage, as 1%',
      }),
      maxGapMs: duration('max-gap', 2_000),
      maxLoopDelayMs: duration('max-loop-delay', 100),
    },
    json: values.has('json'),
    output: values.get('output'),
  }
}

interface Bounds {
  readonly min: number
  readonly max: number
}

const anyDuration: Bounds = { min: 0, max: Infinity }

function within(value: number | undefined, { min, max }: Bounds): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}

function read<T>(
  values: ReadonlyMap<string, string>,
  name: string,
  spec: {
    readonly fallback: T
    readonly parse: (text: string) => T | undefined
    readonly expected: string
  },
): T {
  const text = values.get(name)
  if (text === undefined) return spec.fallback
  const value = spec.parse(text)
  if (value === undefined) {
    throw new UsageError(`--${name} ${text} is not usable: expected ${spec.expected}.`)
  }
  return value
}

function readServer(values: ReadonlyMap<string, string>): RunOptions['server'] {
  const text = values.get('url')
  if (values.has('start')) {
    if (text === undefined) return { type: 'start' }
    throw new UsageError('--start brings its own server: give it or --url, not both.')
  }
  const url = URL.parse(text ?? DEFAULT_URL)
  if (url && /^https?:$/.test(url.protocol)) return { type: 'url', url }
  throw new UsageError(`--url ${text ?? ''} is not usable: expected an http or https URL.`)
}

function checkScenario([word, extra]: readonly string[]): void {
  const list = `Scenarios: ${scenarios.join(', ')}.`
  if (word === undefined) throw new UsageError(`Which scenario? ${list}`)
  if (!scenarios.includes(word)) {
    throw new UsageError(`There is no scenario ${word}${hint(word, scenarios)}. ${list}`)
  }
  if (extra !== undefined) throw new UsageError(`One scenario at a time; ${extra} is too much.`)
}

function flagValue(token: { name: string; rawName: string; value: string | undefined }): string {
  const known = Object.entries(flags).find(([name]) => name === token.name)
  if (!known) {
    const names = Object.keys(flags).map((name) => `--${name}`)
    throw new UsageError(`There is no option ${token.rawName}${hint(token.rawName, names)}.`)
  }
  const wantsValue = known[1].type === 'string'
  if (wantsValue && token.value === undefined) {
    throw new UsageError(`${token.rawName} needs a value.`)
  }
  if (!wantsValue && token.value !== undefined) {
    throw new UsageError(`${token.rawName} takes no value.`)
  }
  return token.value ?? ''
}

function hint(word: string, known: readonly string[]): string {
  const close = closest(word, known)
  return close === undefined ? '' : ` (did you mean ${close}?)`
}
