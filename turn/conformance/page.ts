import type { Transport } from './carrier.ts'
import { elsewhere } from './elsewhere.ts'
import { checks } from './suite.ts'
import type { Verdict } from './suite.ts'

const transports: readonly Transport[] = ['udp', 'tcp', 'tls']

/** The table of all servers, by the number of the check and the transport. */
export function conformancePage(
  columns: ReadonlyMap<string, ReadonlyMap<string, Verdict>>,
): string {
  const names = [...columns.keys()]
  const reasons: string[] = []
  const rows = numbers().map((number) => {
    const titles = checks.filter((check) => check.number === number).map(({ title }) => title)
    const cells = names.map((name) => {
      const verdicts = columns.get(name) ?? new Map<string, Verdict>()
      return cell(number, verdicts, (why) => {
        reasons.push(`- ${number}, ${name}: ${why}`)
      })
    })
    return [String(number), titles.join('; '), ...cells]
  })
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const head = ['', 'check', ...names]
  return `${HEAD}
${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}

## Made elsewhere

${Object.entries(elsewhere)
  .map(([number, where]) => `- ${number}: ${where}`)
  .join('\n')}

## What the others did instead

${reasons.join('\n')}
`
}

const HEAD = `# TURN conformance

What an independent client sees of our server, of coturn (Debian's package) and of node-turn 0.0.6,
each on loopback. Written by \`npm run conformance -- turn --write\`; our column is also a test. A check
is made over UDP, TCP and TLS where the server listens there; a failure over some of them names them.
`

function numbers(): readonly number[] {
  return [...new Set(checks.map(({ number }) => number))]
}

function cell(
  number: number,
  verdicts: ReadonlyMap<string, Verdict>,
  onReason: (why: string) => void,
): string {
  const made = transports.flatMap((transport) => {
    const verdict = verdicts.get(`${number} ${transport}`)
    return verdict ? [{ transport, verdict }] : []
  })
  const failed = made.flatMap(({ transport, verdict }) =>
    verdict.kind === 'failed' ? [{ transport, why: verdict.why }] : [],
  )
  if (made.length === 0) return '–'
  if (made.every(({ verdict }) => verdict.kind === 'notApplicable')) return '–'
  if (failed.length === 0) return 'yes'
  onReason([...new Set(failed.map(({ why }) => why))].join('; '))
  const isEverywhere = failed.length === made.length
  return isEverywhere ? '**no**' : `**not over ${failed.map((one) => one.transport).join(', ')}**`
}
