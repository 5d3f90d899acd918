import { expect, test } from 'vitest'

import { bar, decile, formatDuration, Terminal } from './terminal.mjs'

test('a bar fills with its share, and never beyond its width', () => {
  expect(bar(0, 4, 4)).toBe('[░░░░]')
  expect(bar(1, 4, 4)).toBe('[█░░░]')
  expect(bar(9, 4, 4)).toBe('[████]')
  expect(bar(0, 0, 4)).toBe('[░░░░]')
})

test('progress is told in tens, rounded down', () => {
  expect([0, 25, 26, 259, 260].map((done) => decile(done, 260))).toEqual([0, 0, 10, 90, 100])
  expect(decile(1, 0)).toBe(0)
})

test('durations read as a person would say them', () => {
  expect([40, 9_949, 9_950, 59_400, 60_000, 260_000].map(formatDuration)).toEqual([
    '0.0 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 00 s',
    '4 min 20 s',
  ])
})

test('without a terminal a step prints plain lines, one every ten per cent', () => {
  const { terminal, lines } = recording({ isTTY: false })
  const step = terminal.begin('Building the media worker')
  for (let done = 1; done <= 20; done += 1) step.progress(done, 20, ' files')
  step.finish('Built the media worker')
  expect(lines()).toEqual([
    'Building the media worker …',
    '  10 % (2/20 files)',
    '  20 % (4/20 files)',
    '  30 % (6/20 files)',
    '  40 % (8/20 files)',
    '  50 % (10/20 files)',
    '  60 % (12/20 files)',
    '  70 % (14/20 files)',
    '  80 % (16/20 files)',
    '  90 % (18/20 files)',
    '✓ Built the media worker (0.0 s)',
  ])
})

test('colours appear on a terminal only, and not where NO_COLOR is set', () => {
  const painted = (options: { isTTY: boolean }, env = {}) =>
    recording(options, env).terminal.paint(31, 'x')
  expect(painted({ isTTY: true })).toBe('\u001b[31mx\u001b[0m')
  expect(painted({ isTTY: true }, { NO_COLOR: '1' })).toBe('x')
  expect(painted({ isTTY: true }, { TERM: 'dumb' })).toBe('x')
  expect(painted({ isTTY: false })).toBe('x')
})

test('a terminal knows whether it said anything', () => {
  const { terminal } = recording({ isTTY: false })
  expect(terminal.spoke).toBe(false)
  terminal.note('something')
  expect(terminal.spoke).toBe(true)
})

function recording({ isTTY }: { isTTY: boolean }, env: NodeJS.ProcessEnv = {}) {
  let text = ''
  const output = { isTTY, columns: 80, write: (more: string) => (text += more) }
  const terminal = new Terminal({ output, env, now: () => 0 })
  return { terminal, lines: () => text.trimEnd().split('\n') }
}
