import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openInTurn } from './opening.ts'
import { Turnstile } from './turnstile.ts'

class MadeConnection extends EventEmitter {
  readyState = 'open'
  readonly heard: unknown[] = []

  close(): void {
    this.readyState = 'closed'
    this.emit('close')
  }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A connection at the door, whose knock is answered with `waitMs`. */
function arrive(waitMs?: number) {
  const turns: (() => void)[] = []
  const connection = new MadeConnection()
  const opened: (number | undefined)[] = []
  let knocks = 0
  openInTurn(connection, {
    turnstile: new Turnstile({ now: () => 0, later: (run) => turns.push(run) }),
    knock: () => (knocks++, waitMs),
    open(_, retryAfterMs) {
      opened.push(retryAfterMs)
      connection.on('data', (message) => connection.heard.push(message))
    },
  })
  return {
    connection,
    opened,
    knocks: () => knocks,
    turn: () => turns.splice(0).forEach((run) => run()),
  }
}

test('a connection is opened in its turn, and hears what it has said before', () => {
  const { connection, opened, turn } = arrive()
  connection.emit('data', '40{}')
  expect(opened).toEqual([])
  turn()
  expect(opened).toEqual([undefined])
  connection.emit('data', '42["next"]')
  expect(connection.heard).toEqual(['40{}', '42["next"]'])
  vi.advanceTimersByTime(60_000)
  expect(connection.readyState).toBe('open')
})

test('[BUSY-1] whoever has a place soon is kept waiting for it', () => {
  const { connection, opened, turn, knocks } = arrive(8_000)
  connection.emit('data', '40{}')
  vi.advanceTimersByTime(7_999)
  turn()
  expect(opened).toEqual([])
  vi.advanceTimersByTime(1)
  turn()
  expect(opened).toEqual([undefined])
  expect(knocks()).toBe(1)
})

test('[BUSY-1] whoever has none soon is told so at once', () => {
  const { connection, opened, turn } = arrive(8_001)
  connection.emit('data', '40{}')
  turn()
  expect(opened).toEqual([8_001])
})

test('whoever says nothing, too much at once, or more than once is shown out', () => {
  const silent = arrive()
  vi.advanceTimersByTime(10_000)
  expect(silent.connection.readyState).toBe('closed')

  const long = arrive()
  long.connection.emit('data', 'x'.repeat(16 * 1024 + 1))
  expect(long.connection.readyState).toBe('closed')

  const hasty = arrive(1_000)
  hasty.connection.emit('data', '40{}')
  hasty.connection.emit('data', '40{}')
  expect(hasty.connection.readyState).toBe('closed')
  for (const { opened, turn } of [silent, long, hasty]) {
    vi.advanceTimersByTime(60_000)
    turn()
    expect(opened).toEqual([])
  }
})

test('whoever leaves while he waits is not opened any more', () => {
  const held = arrive(1_000)
  held.connection.emit('data', '40{}')
  held.connection.close()
  vi.advanceTimersByTime(1_000)
  held.turn()
  const queued = arrive()
  queued.connection.emit('data', '40{}')
  queued.connection.close()
  queued.turn()
  expect([...held.opened, ...queued.opened]).toEqual([])
})
