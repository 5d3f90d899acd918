import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { SettingsError } from '@parley/service'
import { helpText, parseCommandLine } from './cli.ts'
import type { RunOptions } from './cli.ts'
import { readLoadtestConfig } from './config.ts'
import { closeMediaLibrary } from './media-line.ts'
import { OwnStack } from './own-stack.ts'
import { planGroup } from './plan.ts'
import { ProgressLine } from './progress.ts'
import type { ProgressOutput } from './progress.ts'
import { reportText } from './report-text.ts'
import { makeReport } from './report.ts'
import type { Machine, Report } from './report.ts'
import { runPlan } from './runner.ts'
import { requireOwnMachine, requireServer, tokenSource } from './server-door.ts'
import { SetupError } from './setup-error.ts'

const RUN_ID_BYTES = 4

const exitCodes = {
  passed: 0,
  failed: 1,
  invalid: 1,
  usage: 2,
  setup: 3,
  interrupted: 130,
} as const

/** Where a command line writes. */
export interface Terminal {
  readonly out: (text: string) => unknown
  readonly progress: ProgressOutput
}

/** Does what the command line says; gives back the exit code. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = parseCommandLine(args)
  if (command.type === 'help') {
    terminal.out(helpText)
    return exitCodes.passed
  }
  if (command.type === 'usage') {
    terminal.progress.write(`${command.message}\nTry: npm run loadtest -- --help\n`)
    return exitCodes.usage
  }
  try {
    const report = await run(command.options, terminal)
    return exitCodes[report.verdict]
  } catch (error) {
    if (!(error instanceof SetupError || error instanceof SettingsError)) throw error
    terminal.progress.write(`${error.message}\n`)
    return exitCodes.setup
  }
}

async function run(options: RunOptions, terminal: Terminal): Promise<Report> {
  const { secret } = readLoadtestConfig()
  const interruption = interruptible()
  const server = await openServer(options, terminal)
  try {
    const run = randomBytes(RUN_ID_BYTES).toString('hex')
    const plan = planGroup(options.scenario, run)
    // With a stack of the run's own the secret is in its environment too, as it was inherited.
    const tokenFor = tokenSource(server.url, secret)
    const [first] = plan.seats
    if (first) await tokenFor(first.user)
    const line = new ProgressLine(terminal.progress, plan)
    const startedAt = new Date().toISOString()
    const samples = await runPlan(plan, {
      url: server.url,
      tokenFor,
      signal: interruption.signal,
      onProgress: (progress) => line.show(progress),
    })
    line.end()
    const { thresholds } = options
    const url = server.url.href
    const machine = describeMachine()
    const report = makeReport({ plan, samples, thresholds, url, run, startedAt, machine })
    await deliver(report, options, terminal)
    return report
  } finally {
    interruption.end()
    await server.close()
    closeMediaLibrary()
  }
}

async function openServer(
  { server, allowRemote }: RunOptions,
  { progress }: Terminal,
): Promise<{ readonly url: URL; close(): Promise<void> }> {
  if (server.type === 'start') {
    progress.write('Starting a Parley for this run.\n')
    const stack = await OwnStack.start()
    return { url: stack.url, close: () => stack.stop() }
  }
  if (!allowRemote) await requireOwnMachine(server.url)
  await requireServer(server.url)
  return { url: server.url, close: () => Promise.resolve() }
}

async function deliver(report: Report, options: RunOptions, { out }: Terminal): Promise<void> {
  const json = `${JSON.stringify(report, null, 2)}\n`
  out(options.json ? json : reportText(report))
  if (options.output === undefined) return
  await writeFile(options.output, json).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SetupError(`The report could not be written: ${reason}.`)
  })
}

/** The first Ctrl-C ends the run with a partial report, the second one ends the process. */
function interruptible(): { readonly signal: AbortSignal; end: () => void } {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted)
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.on(name, interrupt)
  const end = () => {
    for (const name of signals) process.off(name, interrupt)
  }
  return { signal: controller.signal, end }
}

function describeMachine(): Machine {
  return {
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  }
}
