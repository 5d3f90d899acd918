import { parseArgs } from 'node:util'

/**
 * Reads the options of a long run that are whole numbers from 1 on. Undefined where one is not, which
 * is complained of with `usage`: the process then ends with status 2.
 */
export function readCounts<Name extends string>(
  usage: string,
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> | undefined {
  const names = Object.keys(defaults) as Name[]
  const option = (name: Name) => ({ type: 'string', default: String(defaults[name]) }) as const
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, option(name)])),
  })
  const counts = names.map((name) => [name, Number(values[name])] as const)
  if (counts.every(([, count]) => Number.isInteger(count) && count >= 1)) {
    // Each name has got its number.
    return Object.fromEntries(counts) as Record<Name, number>
  }
  const what = names.map((name) => `--${name}`).join(' and ')
  const are = names.length === 1 ? 'is a whole number' : 'are whole numbers'
  process.stderr.write(`${what} ${are} from 1 on. ${usage}\n`)
  process.exitCode = 2
  return undefined
}
