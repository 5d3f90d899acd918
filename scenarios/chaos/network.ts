/**
 * `npm run chaos -- network [--seconds N]`: what people in a call see of a lost network, of another
 * address, and of one way after the other that is lost for good: direct, relay, node.
 */
import { parseArgs } from 'node:util'
import { namespacesRefused } from '../lab/namespace.ts'
import { loseNetwork } from './lose-network.ts'
import { loseWays } from './lose-way.ts'
import type { WayLoss } from './lose-way.ts'
import { inWords } from './report.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } })
const seconds = Number(values.seconds)
const wordsFor: Readonly<Record<WayLoss, string>> = {
  'to-relay': 'no direct way any more, but a relay',
  'back-to-direct': 'no relay any more, but a direct way again',
  'to-node': 'neither of the two, but a node',
  rejoin: 'no way to the node until it is joined anew',
}
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
  await loseWays(['to-relay', 'back-to-direct', 'to-node', 'rejoin'], ({ loss, people, rungs }) => {
    say(inWords(wordsFor[loss], people))
    say(`  told meanwhile: ${rungs.map((each) => each.join(', ') || 'nothing').join(' | ')}`)
  })
  say('No call ended.')
}
