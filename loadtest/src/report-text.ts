import type { Summary } from './percentiles.ts'
import type { KindRow, Report } from './report.ts'

/** Streams that are listed one by one; more are summed up, as the JSON report has them all. */
const MOST_STREAM_ROWS = 40

const phaseTitles: Readonly<Record<string, string>> = {
  connect: 'connect and be welcomed',
  join: 'join the room',
  mediaOpen: 'open media on the SFU',
  mediaConnected: 'ICE and DTLS, both ways',
  publish: 'publish',
  firstAudio: 'first audio packet',
  firstVideo: 'first whole video frame',
}

/** The report as a person reads it in a terminal. */
export function reportText(report: Report): string {
  const { config, checks, passed, failed } = report
  const people = `${config.rooms} × ${config.participants} participants`
  return [
    `group · ${people} · ${seconds(report.heldMs)} together · ${config.url}`,
    '',
    table(
      ['step', 'n', 'p50 ms', 'p95 ms', 'max ms'],
      report.phases.map(({ name, summary }) => [
        phaseTitles[name] ?? name,
        String(summary?.count ?? 0),
        ...summaryCells(summary, 0),
      ]),
    ),
    '',
    table(
      ['media', 'streams', 'packets', 'lost', 'late', 'kbit/s p50', 'jitter ms p50', 'p95', 'max'],
      report.totals.map(kindCells),
    ),
    '',
    ...streamTable(report),
    ...checks.map(({ ok, name, detail }) => `${ok ? '✓' : '✗'} ${name.padEnd(10)} ${detail}`),
    '',
    ...verdictLines(report),
    `${passed} passed, ${failed} failed`,
    '',
  ].join('\n')
}

function streamTable({ streams, config }: Report): readonly string[] {
  if (streams.length > MOST_STREAM_ROWS) {
    return [`${streams.length} streams; --json or --output lists each of them.`, '']
  }
  const name = (user: string) => user.replace(`load-${config.run}-`, '')
  const rows = streams.map((stream) => {
    const { from, to, kind, figures } = stream
    return [
      `${name(from.user)} → ${name(to.user)}`,
      kind,
      String(figures.packets),
      String(figures.lost),
      String(figures.outOfOrder),
      (figures.bitsPerSecond / 1_000).toFixed(0),
      figures.jitterMs.toFixed(1),
      figures.longestGapMs.toFixed(0),
      stream.kind === 'audio' ? heardText(stream.heard, from.toneHz) : seenText(stream.seen),
    ]
  })
  const head = [
    'stream',
    'kind',
    'packets',
    'lost',
    'late',
    'kbit/s',
    'jitter',
    'gap ms',
    'content',
  ]
  return [table(head, rows), '']
}

function heardText(
  heard: { right: number; silent: number; wrong: number },
  toneHz: number,
): string {
  const total = heard.right + heard.silent + heard.wrong
  const silent = heard.silent > 0 ? `, ${heard.silent} silent` : ''
  return `${toneHz} Hz in ${heard.right} of ${total} stretches${silent}`
}

function seenText(seen: { frames: number; broken: number; width: number; height: number }): string {
  const broken = seen.broken > 0 ? `, ${seen.broken} broken` : ''
  return `${seen.frames} frames of ${seen.width}×${seen.height}${broken}`
}

function verdictLines({ verdict }: Report): readonly string[] {
  if (verdict === 'invalid') return ['INVALID: run fewer clients here, or give this machine rest.']
  if (verdict === 'interrupted') return ['Interrupted: the report covers what was measured.']
  return []
}

function kindCells({ kind, streams, packets, lost, outOfOrder, ...row }: KindRow) {
  const kilobits = row.bitsPerSecond ? (row.bitsPerSecond.p50 / 1_000).toFixed(0) : '–'
  return [
    kind,
    String(streams),
    String(packets),
    String(lost),
    String(outOfOrder),
    kilobits,
    ...summaryCells(row.jitterMs, 1),
  ]
}

function summaryCells(summary: Summary | undefined, digits: number): readonly string[] {
  if (!summary) return ['–', '–', '–']
  return [summary.p50, summary.p95, summary.max].map((value) => value.toFixed(digits))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const isText = head.map((_, column) => rows.some((row) => /^[^\d–]/.test(row[column] ?? '')))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        const last = column === cells.length - 1
        const left = column === 0 || isText[column] || (last && /[a-z]/.test(cell))
        return left ? cell.padEnd(last ? 0 : width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
