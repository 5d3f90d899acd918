import { describe, expect, test } from 'vitest'
import { parseCommandLine, parseDuration, parseShare } from './cli.ts'

describe('a command line', () => {
  test('asks for one room of four for twenty seconds unless it says otherwise', () => {
    expect(options('group')).toMatchObject({
      scenario: { rooms: 1, participants: 4, holdMs: 20_000, video: true, silence: false },
      server: { type: 'url', url: new URL('http://localhost:3000') },
      allowRemote: false,
      thresholds: { maxLoss: 0.01, maxGapMs: 2_000, maxLoopDelayMs: 100 },
      json: false,
    })
  })

  test('says otherwise', () => {
    const words = 'group --rooms 3 --participants=8 --duration 2m --no-video --max-loss 0.5% --json'
    expect(options(words)).toMatchObject({
      scenario: { rooms: 3, participants: 8, holdMs: 120_000, video: false },
      thresholds: { maxLoss: 0.005 },
      json: true,
    })
    expect(options('group --mute-audio').scenario.silence).toBe(true)
    expect(options('group --start').server).toEqual({ type: 'start' })
  })

  test('asks for help anywhere', () => {
    expect(parse('--help')).toEqual({ type: 'help' })
    expect(parse('group -h --rooms x')).toEqual({ type: 'help' })
  })

  test.each([
    ['', 'Which scenario?'],
    ['grup', 'did you mean group?'],
    ['group twice', 'One scenario at a time'],
    ['group --particpants 3', 'did you mean --participants?'],
    ['group --xyzzy', 'There is no option --xyzzy.'],
    ['group --rooms', '--rooms needs a value'],
    ['group --start=yes', '--start takes no value'],
    ['group --rooms 0', 'expected a whole number from 1 to 1000'],
    ['group --participants 51', 'expected a whole number from 2 to 50'],
    ['group --duration 20', 'expected a time of at least 1s'],
    ['group --max-loss 1', 'expected a percentage'],
    ['group --url ftp://here', 'expected an http or https URL'],
    ['group --url http://here --start', 'not both'],
  ])('"%s" is refused in words', (words, part) => {
    const command = parse(words)
    expect(command.type === 'usage' && command.message).toContain(part)
  })
})

test('durations have a unit', () => {
  expect(['500ms', '20s', '1.5m', '1h'].map(parseDuration)).toEqual([
    500, 20_000, 90_000, 3_600_000,
  ])
  expect(['', '20', 's', '-1s', '1 s', '1d'].map(parseDuration)).toEqual(Array(6).fill(undefined))
})

test('shares are percentages', () => {
  expect(['0%', '1%', '100%'].map(parseShare)).toEqual([0, 0.01, 1])
  expect(['', '1', '101%', '%'].map(parseShare)).toEqual(Array(4).fill(undefined))
})

function parse(words: string) {
  return parseCommandLine(words === '' ? [] : words.split(' '))
}

function options(words: string) {
  const command = parse(words)
  if (command.type !== 'run') throw new Error(JSON.stringify(command))
  return command.options
}
