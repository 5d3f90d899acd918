/**
 * The commands that take their time: `npm run bench -- turn --quick`. Each part that has one keeps it in
 * a file of its own; what follows the part's name goes to it.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './source-tree.ts'

const commands: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bench: {
    e2ee: 'client-sdk/bench/main.ts',
    formats: 'signaling/bench/formats-main.ts',
    signaling: 'signaling/bench/main.ts',
    turn: 'turn/bench/main.ts',
  },
  chaos: {
    cluster: 'scenarios/chaos/cluster.ts',
    glare: 'scenarios/chaos/glare.ts',
    network: 'scenarios/chaos/network.ts',
    rekey: 'scenarios/chaos/rekey.ts',
    signaling: 'scenarios/chaos/signaling.ts',
  },
  conformance: { turn: 'turn/conformance/main.ts' },
  fuzz: {
    mls: 'client-sdk/endurance/fuzz.ts',
    signaling: 'signaling/endurance/fuzz.ts',
    turn: 'turn/endurance/fuzz.ts',
  },
  soak: { mls: 'client-sdk/endurance/races.ts', turn: 'turn/endurance/soak.ts' },
}

const [command = '', part = '', ...rest] = process.argv.slice(2)
const parts = commands[command] ?? {}
const file = parts[part]
if (file === undefined) {
  const names = Object.keys(parts).join(', ') || 'nothing'
  console.error(`npm run ${command} -- PART [options]; there is ${names}.`)
  process.exitCode = 2
} else if (rest.includes('--help')) {
  console.log(headOf(readFileSync(join(root, file), 'utf8')))
} else {
  // Memory is looked at where it matters, and then garbage must be collected first.
  const args = ['--expose-gc', join(root, file), ...rest]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

/** What a command says of itself at its head, which is its help too. */
function headOf(source: string): string {
  const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(source) ?? []
  return comment.replaceAll(/^ ?\* ?/gm, '').trim()
}
