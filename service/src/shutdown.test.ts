import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLog } from './log.ts'
import { Shutdown } from './shutdown.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('parts stop in the reverse order of their start, once, whatever they throw', async () => {
  const stopped: string[] = []
  const shutdown = new Shutdown(createLog('test', { level: 'silent' }))
  shutdown.add('first', () => {
    stopped.push('first')
  })
  shutdown.add('second', () => {
    stopped.push('second')
    throw new Error('stuck')
  })
  await Promise.all([shutdown.stop(), shutdown.stop()])
  expect(stopped).toEqual(['second', 'first'])
})

test('a part that hangs does not hang the stop', async () => {
  const shutdown = new Shutdown(createLog('test', { level: 'silent' }))
  shutdown.add('hanging', () => new Promise<void>(() => undefined))
  const stopped = shutdown.stop()
  await vi.runAllTimersAsync()
  await expect(stopped).resolves.toBeUndefined()
})
