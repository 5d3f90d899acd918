import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Turnstile } from './turnstile.ts'

/** An event loop in which work takes time that is made. */
function madeLoop() {
  let now = 0
  let queue: (() => void)[] = []
  const turnstile = new Turnstile({ now: () => now, later: (run) => queue.push(run) })
  return {
    turnstile,
    work: (ms: number) => (now += ms),
    /** One round of the loop: what is due now, not what that leads to. The answer is how long it took. */
    round() {
      const due = queue
      queue = []
      const startedAt = now
      for (const run of due) run()
      return now - startedAt
    },
    get isIdle() {
      return queue.length === 0
    },
  }
}

test('a crowd goes through in order and in slices, and the last one leaves nothing behind', () => {
  const loop = madeLoop()
  const done: number[] = []
  // Each takes two milliseconds: three of them fill a slice.
  for (let i = 0; i < 7; i++) {
    expect(loop.turnstile.enter(() => (loop.work(2), done.push(i)))).toBe(true)
  }
  expect(done).toEqual([])
  const seen: number[] = []
  while (!loop.isIdle) {
    loop.round()
    if (done.length !== seen.at(-1)) seen.push(done.length)
  }
  expect(seen).toEqual([1, 4, 7])
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6])
  loop.turnstile.enter(() => done.push(7))
  loop.round()
  expect(done.at(-1)).toBe(7)
  expect(loop.isIdle).toBe(true)
})

test('whoever comes when is let in, in the order of coming, and no round is longer than a slice and one piece', () => {
  const arrivals = fc.array(fc.record({ before: fc.nat(3), ms: fc.nat(9), brings: fc.nat(2) }), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(arrivals, (crowd) => {
      const loop = madeLoop()
      const entered: number[] = []
      const done: number[] = []
      const enter = (ms: number, brings: number) => {
        const name = entered.push(ms) - 1
        loop.turnstile.enter(() => {
          loop.work(ms)
          done.push(name)
          // Some work brings more of it.
          for (let i = 0; i < brings; i++) enter(1, 0)
        })
      }
      const turn = () => expect(loop.round()).toBeLessThan(5 + 10)
      for (const { before, ms, brings } of crowd) {
        for (let i = 0; i < before; i++) turn()
        enter(ms, brings)
      }
      while (!loop.isIdle) turn()
      expect(done).toEqual(entered.map((_, name) => name))
    }),
  )
})

test('there is an end to those who wait', () => {
  const { turnstile } = madeLoop()
  let taken = 0
  while (turnstile.enter(() => undefined)) taken++
  expect(taken).toBe(10_000)
})
