import type { Figures, LoadFigures, Report } from './benchmark.ts'

/** The report as a person reads it: tables in Markdown, with the method. */
export function formatReport(report: Report): string {
  const { plan, machine, when, contenders } = report
  const { mainShape } = plan
  const half = contenders.flatMap(({ atHalfPeak }) => atHalfPeak ?? [])
  const sections = [
    `# TURN benchmark, ${when}`,
    `${machine}. Everything on loopback, in one run; contenders take turns, medians of ${plan.rounds} rounds of ${plan.seconds} s. ${plan.pairs} clients with a peer each, datagrams in bursts of ${plan.burst} per flow unless said otherwise. Counted is what arrives, by a generator in C++ that used ${percent(Math.max(...half.map(({ generatorCpuShare }) => generatorCpuShare)))} of a core at most at half load. CPU is that of all threads of the server (schedstat). Every server has one relay thread.`,
    `## ${mainShape.payloadBytes} bytes, ${mainShape.carrier}, ${mainShape.direction}`,
    table(
      [
        '',
        'peak/s without loss',
        'by indications',
        'p50 at half',
        'p99 at half',
        "loss at half of coturn's peak",
      ],
      contenders.map((one) => [
        one.name,
        thousands(one.peaks.channel),
        thousands(one.peaks.indication),
        one.atHalfPeak ? `${Math.round(one.atHalfPeak.p50Us)} µs` : 'cannot',
        one.atHalfPeak ? `${Math.round(one.atHalfPeak.p99Us)} µs` : 'cannot',
        one.atHalfOfCoturn ? percent(one.atHalfOfCoturn.loss) : 'cannot',
      ]),
    ),
    '## Packets per CPU second',
    loadTable(contenders),
    '## Allocations',
    table(
      ['', 'per second', 'per CPU second', 'KiB per idle allocation'],
      contenders
        .filter(({ allocations }) => allocations)
        .map((one) => [
          one.name,
          String(Math.round(one.allocations?.perSecond ?? 0)),
          String(Math.round(one.allocations?.perCpuSecond ?? 0)),
          ((one.idleBytes ?? 0) / 1024).toFixed(1),
        ]),
    ),
    '## Ratios',
    ...ratios(contenders),
  ]
  return `${sections.join('\n\n')}\n`
}

function loadTable(contenders: readonly Figures[]): string {
  const loads = new Map<string, LoadFigures>()
  for (const { loads: ofOne } of contenders) for (const load of ofOne) loads.set(nameOf(load), load)
  return table(
    ['', ...contenders.map(({ name }) => name)],
    [...loads.keys()].map((name) => [
      name,
      ...contenders.map((one) => {
        const load = one.loads.find((candidate) => nameOf(candidate) === name)
        if (!load) return 'cannot'
        return `${thousands(load.perCpuSecond)}${load.loss > 0.001 ? ` (${percent(load.loss)} lost)` : ''}`
      }),
    ]),
  )
}

function ratios(contenders: readonly Figures[]): readonly string[] {
  const against = (ours: string, theirs: string) => {
    const a = contenders.find(({ name }) => name === ours)
    const b = contenders.find(({ name }) => name === theirs)
    if (!a || !b) return []
    const pairs = a.loads.flatMap((load) => {
      const other = b.loads.find((candidate) => nameOf(candidate) === nameOf(load))
      return other
        ? [`${nameOf(load)}: ${(load.perCpuSecond / other.perCpuSecond).toFixed(2)}`]
        : []
    })
    return [
      `${ours} to ${theirs}, packets per CPU second:\n\n${pairs.map((p) => `- ${p}`).join('\n')}`,
    ]
  }
  return [
    ...against('parley pure', 'bare dgram'),
    ...against('parley batched', 'coturn'),
    ...against('parley batched', 'bare C batched'),
  ]
}

function nameOf({ shape, rate, burst }: LoadFigures): string {
  return `${shape.carrier}, ${shape.direction}, ${shape.payloadBytes} B, ${rate / 1000} k/s by ${burst}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function thousands(value: number): string {
  return `${(value / 1000).toFixed(1)} k`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 2 : 0)} %`
}
