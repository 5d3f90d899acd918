import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { datagramPathsHere } from '../scenarios/turn-client.ts'
import type { Transport } from './carrier.ts'
import { elsewhere } from './elsewhere.ts'
import { startOwn } from './own-server.ts'
import { checks, isFor, judge } from './suite.ts'
import type { Subject } from './trial.ts'

/** What does not apply to our server as these tests configure it. */
const notApplicable = new Set([21])

const stages = datagramPathsHere.flatMap((path) =>
  (['udp', 'tcp', 'tls'] as const).map((transport) => [path, transport] as const),
)

describe.each(stages)('our server, datagrams %s, over %s', (path, transport) => {
  let server: Subject
  beforeAll(async () => {
    server = await startOwn(path)
  })
  afterAll(() => server.stop())

  const here = checks.filter((check) => isFor(check, transport satisfies Transport))
  test.each(here)('[$number] $title', async (check) => {
    const verdict = await judge(check, server, transport)
    const kind = notApplicable.has(check.number) ? 'notApplicable' : 'passed'
    expect(verdict, JSON.stringify(verdict)).toMatchObject({ kind })
  })
})

test('every check of the list is made here or said to be made elsewhere', () => {
  const made = new Set(checks.map(({ number }) => number))
  const all = Array.from({ length: 86 }, (_, index) => index + 1)
  expect(all.filter((number) => !made.has(number) && !(number in elsewhere))).toEqual([])
})
