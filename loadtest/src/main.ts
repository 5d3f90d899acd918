import { runCommandLine } from './command.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  progress: process.stderr,
})
