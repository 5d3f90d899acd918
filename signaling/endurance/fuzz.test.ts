import { expect, test } from 'vitest'
import { runFuzz } from './fuzz-run.ts'

test('hostile messages end no process, fill no memory and fail no honest call', async () => {
  const run = await runFuzz({ messages: 1_000, callsBefore: 5, seed: 4, say: () => undefined })
  expect(run.problem).toBeUndefined()
  expect(run.sent).toBe(1_000)
  expect(run.during.length).toBeGreaterThan(0)
}, 240_000)
