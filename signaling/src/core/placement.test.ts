import { expect, test } from 'vitest'
import { rankNodes } from './placement.ts'
import type { Candidate } from './placement.ts'

test('the least loaded node comes first', () => {
  expect(order([node('a', 0.5), node('b', 0.1), node('c', 0.3)])).toEqual(['b', 'c', 'a'])
})

test('people who joined since the last report count as the load that they will be', () => {
  expect(order([node('crowded', 0.1, 60), node('idle', 0.2)])).toEqual(['idle', 'crowded'])
})

test('a node without workers takes nothing', () => {
  expect(order([{ ...node('dead', 0), load: { ...node('dead', 0).load, workers: 0 } }])).toEqual([])
})

function node(id: string, cpu: number, peers = 0): Candidate {
  return { id, load: { cpu, peers, rooms: 0, workers: 2 } }
}

function order(candidates: readonly Candidate[]): string[] {
  return rankNodes(candidates).map(({ id }) => id)
}
