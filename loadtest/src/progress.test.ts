import { expect, test } from 'vitest'
import { planGroup } from './plan.ts'
import { ProgressLine } from './progress.ts'

const plan = planGroup(
  { rooms: 1, participants: 4, holdMs: 20_000, joinsPerSecond: 10, video: true, silence: false },
  'abc',
)
const coming = {
  elapsedMs: 0,
  heldMs: undefined,
  clientsIn: 1,
  clientsFailed: 0,
  streamsFlowing: 0,
}
const held = { elapsedMs: 6_000, heldMs: 5_000, clientsIn: 3, clientsFailed: 1, streamsFlowing: 12 }

test('a file gets a line now and then', () => {
  const text = shown({ isTTY: false })
  expect(text).toBe(
    'coming in · 1 of 4 clients in · 0 of 24 streams\n' +
      '5 s of 20 s · 3 of 4 clients in, 1 failed · 12 of 24 streams\n',
  )
})

test('a terminal gets one line that changes', () => {
  const text = shown({ isTTY: true })
  expect(text).not.toContain('\n')
  expect(text.split('\r')).toHaveLength(5)
})

function shown({ isTTY }: { isTTY: boolean }): string {
  let text = ''
  const line = new ProgressLine({ isTTY, write: (part) => (text += part) }, plan)
  line.show(coming)
  line.show({ ...coming, elapsedMs: 1_000 })
  line.show(held)
  line.end()
  return text
}
