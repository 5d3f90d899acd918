/**
 * `npm run bench -- e2ee`: what sealing and opening a frame costs, beside bare WebCrypto AES-GCM of
 * the same size in the same run. `--quick` for a short one, `--json FILE` for the figures.
 */
/// <reference types="node" />
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { formatFrameCosts, fullRun, measureFrameCosts, quickRun } from './frame-costs.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})

const say = (line: string) => process.stderr.write(`${line}\n`)
const frames = await measureFrameCosts(values.quick ? quickRun : fullRun, say)
process.stdout.write(formatFrameCosts(frames))
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ frames }, null, 2)}\n`)
}
