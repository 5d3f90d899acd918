/**
 * `npm run check`: everything that can be said of the code without running it. Prints one line per
 * step, and a step's output only when it fails.
 */
import { spawn } from 'node:child_process'

interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const steps: readonly Step[] = [
  { name: 'types of servers and tools', command: ['tsc', '--project', '.'] },
  { name: 'types of the client SDK', command: ['tsc', '--project', 'client-sdk'] },
  { name: 'types of the scenarios', command: ['tsc', '--project', 'scenarios'] },
  { name: 'lint', command: ['eslint', '--max-warnings', '0', '.'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'unused code and dependencies', command: ['knip'] },
  { name: 'house rules and docs', command: ['vitest', 'run', '--project', 'parts', 'tools'] },
]

let failed = 0
for (const step of steps) {
  const startedMs = performance.now()
  const { code, output } = await run(step.command)
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  console.log(`${code === 0 ? '✓' : '✗'} ${step.name} (${seconds} s)`)
  if (code !== 0) {
    failed += 1
    console.log(output)
  }
}
if (failed > 0) {
  console.log(`${failed} of ${steps.length} checks failed.`)
  process.exitCode = 1
}

function run([command, ...args]: readonly [string, ...string[]]) {
  return new Promise<{ code: number; output: string }>((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
