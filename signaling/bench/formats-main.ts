/**
 * `npm run bench -- formats`: what a call's life costs in JSON and in MessagePack, in bytes on the wire
 * and in CPU of the server, both in one run. `--quick` for a short one, `--json FILE` for the figures.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { formatFormats, measureFormats } from './formats.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const plan = values.quick ? { rounds: 2, livesPerRound: 20 } : { rounds: 8, livesPerRound: 200 }
const figures = await measureFormats(plan)
process.stdout.write(formatFormats(figures))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
