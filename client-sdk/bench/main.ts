/**
 * `npm run bench -- e2ee`: what sealing and opening a frame costs, beside bare WebCrypto AES-GCM of
 * the same size in the same run, and what joins and leaves cost in groups of 2, 10, 50 and 100.
 * `--part frames` or `--part groups` for one of the two, `--quick` for a short run, `--json FILE` for
 * the figures.
 */
/// <reference types="node" />
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { formatGroupCosts, fullGroupRun, measureGroupCosts, quickGroupRun } from './group-costs.ts'
import { formatFrameCosts, fullRun, measureFrameCosts, quickRun } from './frame-costs.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    part: { type: 'string', default: 'both' },
    json: { type: 'string' },
  },
})

const say = (line: string) => process.stderr.write(`${line}\n`)
const { quick, part } = values
const isWanted = (one: string) => part === 'both' || part === one
const frames = isWanted('frames') ? await measureFrameCosts(quick ? quickRun : fullRun, say) : []
if (frames.length > 0) process.stdout.write(formatFrameCosts(frames))
const groups = isWanted('groups')
  ? await measureGroupCosts(quick ? quickGroupRun : fullGroupRun, say)
  : []
if (groups.length > 0) process.stdout.write(`\n${formatGroupCosts(groups)}`)
if (frames.length + groups.length === 0) {
  say(`--part is frames, groups or both, not ${part}.`)
  process.exitCode = 2
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ frames, groups }, null, 2)}\n`)
}
