import { expect, test } from 'vitest'
import { Turnstile } from './turnstile.ts'

test('tasks of one key run one after the other, also after one that fails', async () => {
  const turns = new Turnstile<string>()
  const order: string[] = []
  let finishFirst: () => void = () => undefined
  const first = turns.take('a', async () => {
    await new Promise<void>((resolve) => (finishFirst = resolve))
    order.push('first')
    throw new Error('broken')
  })
  const second = turns.take('a', () => Promise.resolve(order.push('second')))
  await turns.take('b', () => Promise.resolve(order.push('elsewhere')))
  finishFirst()
  await expect(first).rejects.toThrow('broken')
  await second
  expect(order).toEqual(['elsewhere', 'first', 'second'])
})

test('a key with too many tasks takes no more', async () => {
  const turns = new Turnstile<string>()
  let finish: () => void = () => undefined
  const tasks = [turns.take('a', () => new Promise<void>((resolve) => (finish = resolve)))]
  while (tasks.length < 1_000) tasks.push(turns.take('a', () => Promise.resolve()))
  let ran = false
  const refused = await turns.take('a', () => {
    ran = true
    return Promise.resolve(true)
  })
  expect([refused, ran]).toEqual([undefined, false])
  finish()
  await Promise.all(tasks)
  expect(await turns.take('a', () => Promise.resolve(true))).toBe(true)
})
