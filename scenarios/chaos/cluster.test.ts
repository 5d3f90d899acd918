import { expect, test } from 'vitest'
import { killOwner, loseRedis } from './cluster-stories.ts'
import type { ClusterOutcome } from './cluster-stories.ts'
import { inWords } from './report.ts'

/** More than a node lives without a beat, so that each would be taken for dead. */
const REDIS_AWAY_MS = 5_000

test('one of two signaling processes is killed: the other takes its calls over', async () => {
  const seen: ClusterOutcome[] = []
  await killOwner('sfu', 1, (outcome) => seen.push(outcome))
  for (const { takenOverMs, people } of seen) {
    process.stdout.write(`${inWords(`taken over after ${takenOverMs} ms`, people)}\n`)
  }
  expect(seen).toHaveLength(1)
})

test('Redis is away for a while and comes back empty: no call ends', async () => {
  const outcomes = await loseRedis('direct', REDIS_AWAY_MS)
  process.stdout.write(`${inWords('no Redis', outcomes)}\n`)
  expect(outcomes).toHaveLength(2)
})
