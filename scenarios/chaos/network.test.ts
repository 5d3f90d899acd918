import { expect, test } from 'vitest'
import { namespacesRefused } from '../lab/namespace.ts'
import { loseNetwork } from './lose-network.ts'
import { inWords } from './report.ts'

const refused = namespacesRefused()

// Skipped aloud: the name says why.
test.skipIf(refused !== undefined)(
  `a caller whose address changes keeps his call${refused === undefined ? '' : ` (not here: ${refused})`}`,
  async () => {
    const outcomes = await loseNetwork('other-address', 0)
    process.stdout.write(`${inWords('another address', outcomes)}\n`)
    expect(outcomes).toHaveLength(2)
  },
)
