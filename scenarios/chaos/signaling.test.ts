import { expect, test } from 'vitest'
import { killSignaling, killWhileRinging } from './kill-signaling.ts'
import type { CallKind } from './kill-signaling.ts'
import { inWords } from './report.ts'
import type { Outcome } from './report.ts'

test.each<CallKind>(['direct', 'sfu'])(
  'the only signaling process is killed and comes back: no %s call ends',
  async (kind) => {
    const seen: Outcome[] = []
    await killSignaling(kind, 1, (outcomes) => {
      process.stdout.write(`${inWords(`${kind} call`, outcomes)}\n`)
      seen.push(...outcomes)
    })
    expect(seen).toHaveLength(2)
  },
)

test('it is killed while a call rings, which is answered all the same', () => killWhileRinging())
