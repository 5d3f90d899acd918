import { createLog } from '@parley/service'
import { expect, test } from 'vitest'
import { RefusalLog } from './refusal-log.ts'

test('a rule is named once a minute, with the setting that changes it', () => {
  const lines: string[] = []
  const log = createLog('turn', { destination: { write: (line) => lines.push(line) } })
  const refusals = new RefusalLog(log)
  const refusal = { cause: 'default', rule: '10.0.0.0/8' } as const
  for (let now = 0; now < 60_000; now += 100) refusals.note(refusal, now)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/10\.0\.0\.0\/8.*PARLEY_TURN_ALLOW_PEERS/)
  refusals.note({ cause: 'denied', rule: '1.2.3.0/24' }, 59_999)
  expect(lines[1]).toContain('PARLEY_TURN_DENY_PEERS')
  refusals.note(refusal, 60_000)
  expect(lines).toHaveLength(3)
})
