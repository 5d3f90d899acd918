/// <reference types="node" />
/**
 * `npm run bench -- e2ee`: what sealing and opening a frame costs, beside bare WebCrypto AES-GCM of
 * the same size in the same run. `--quick` for a short one, `--json FILE` for the figures.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { formatFrameCosts, fullRun, measureFrameCosts, quickRun } from './frame-costs.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) {
  process.stdout.write('npm run bench -- e2ee [--quick] [--json FILE]\n')
} else {
  const frames = await measureFrameCosts(values.quick ? quickRun : fullRun, (line) =>
    process.stderr.write(`${line}\n`),
  )
  process.stdout.write(formatFrameCosts(frames))
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ frames }, null, 2)}\n`)
  }
}
