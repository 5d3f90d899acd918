import { roomNameSchema, userIdSchema } from '@parley/protocol'
import { expect, test } from 'vitest'
import { expectedPairs, planGroup } from './plan.ts'
import type { GroupScenario } from './plan.ts'

const small: GroupScenario = {
  rooms: 2,
  participants: 3,
  holdMs: 20_000,
  joinsPerSecond: 10,
  video: true,
  silence: false,
}

test('people come one after the other, room by room, each with a tone of his own', () => {
  const { seats } = planGroup(small, 'abc')
  expect(seats.map(({ startAtMs }) => startAtMs)).toEqual([0, 100, 200, 300, 400, 500])
  expect(new Set(seats.map(({ room }) => room))).toEqual(new Set(['load-abc-1', 'load-abc-2']))
  expect(new Set(seats.map(({ user }) => user)).size).toBe(6)
  expect(new Set(seats.map(({ toneHz }) => toneHz)).size).toBe(6)
})

test('the names are names that the protocol takes', () => {
  const { seats } = planGroup({ ...small, rooms: 1_000, participants: 50 }, 'ffffffff')
  for (const { room, user } of seats) {
    expect(roomNameSchema.safeParse(room).success).toBe(true)
    expect(userIdSchema.safeParse(user).success).toBe(true)
  }
})

test('everybody should receive everybody else in his room', () => {
  const pairs = expectedPairs(planGroup(small, 'abc'))
  expect(pairs).toHaveLength(2 * 3 * 2)
  expect(pairs.every(({ from, to }) => from.room === to.room && from !== to)).toBe(true)
})

test('a small run is heard every second, a large one less, each stream at least twice', () => {
  expect(planGroup(small, 'abc').listenEveryMs).toBe(1_000)
  const large = { ...small, rooms: 1, participants: 50 }
  expect(planGroup({ ...large, holdMs: 60_000 }, 'abc').listenEveryMs).toBeCloseTo(14_700)
  expect(planGroup({ ...large, holdMs: 10_000 }, 'abc').listenEveryMs).toBe(5_000)
})
