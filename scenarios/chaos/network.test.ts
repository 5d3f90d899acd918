import { expect, test } from 'vitest'
import { namespacesRefused } from '../lab/namespace.ts'
import { loseNetwork } from './lose-network.ts'
import { loseWays } from './lose-way.ts'
import type { WayOutcome } from './lose-way.ts'
import { inWords } from './report.ts'

const refused = namespacesRefused()
const notHere = refused === undefined ? '' : ` (not here: ${refused})`

// Skipped aloud: the name says why.
test.skipIf(refused !== undefined)(
  `a caller whose address changes keeps his call${notHere}`,
  async () => {
    const outcomes = await loseNetwork('other-address', 0)
    process.stdout.write(`${inWords('another address', outcomes)}\n`)
    expect(outcomes).toHaveLength(2)
  },
)

test.skipIf(refused !== undefined)(
  `a call that loses the direct way for good goes on through a node${notHere}`,
  async () => {
    const seen: WayOutcome[] = []
    await loseWays(['to-node'], (outcome) => {
      process.stdout.write(`${inWords(outcome.loss, outcome.people)}\n`)
      seen.push(outcome)
    })
    // Who is first to change the path spares the other one that rung.
    expect(seen.flatMap(({ rungs }) => rungs)).toContainEqual(['ice-restart', 'path-change'])
  },
)
