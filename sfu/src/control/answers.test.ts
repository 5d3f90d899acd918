import { limits, ok } from '@parley/protocol'
import { expect, test } from 'vitest'
import { Answers } from './answers.ts'

test('an id is answered once, and again after the answer is forgotten', async () => {
  const answers = new Answers()
  let given = 0
  const give = () => {
    given += 1
    return Promise.resolve(ok(given))
  }
  const first = answers.once('a', give, 0)
  expect(answers.once('a', give, 1)).toBe(first)
  expect(answers.once('a', give, limits.answerCacheMs - 1)).toBe(first)
  expect(await answers.once('b', give, 2)).toEqual(ok(2))
  expect(await answers.once('a', give, limits.answerCacheMs)).toEqual(ok(3))
})

test('a flood of ids takes a bounded space', () => {
  const answers = new Answers()
  const answer = Promise.resolve(ok({}))
  for (let id = 0; id < 10_000; id++) void answers.once(String(id), () => answer, 0)
  expect(answers.size).toBeLessThanOrEqual(4_096)
})
