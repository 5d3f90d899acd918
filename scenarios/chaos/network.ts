/** `npm run chaos -- network [--seconds N]`: what people in a call see of a lost network. */
import { parseArgs } from 'node:util'
import { namespacesRefused } from '../lab/namespace.ts'
import { loseNetwork } from './lose-network.ts'
import { inWords } from './report.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } })
const seconds = Number(values.seconds)
const refused = namespacesRefused()
if (refused !== undefined) {
  process.stderr.write(`This cannot run here: ${refused}.\n`)
  process.exitCode = 1
} else if (!Number.isInteger(seconds) || seconds < 1 || seconds > 29) {
  process.stderr.write('--seconds is a whole number from 1 to 29: a seat is kept for 30.\n')
  process.exitCode = 2
} else {
  const silence = await loseNetwork('silence', seconds * 1_000)
  say(inWords(`no network for ${seconds} s`, silence))
  say(inWords('another address', await loseNetwork('other-address', 0)))
  say('No call ended.')
}
