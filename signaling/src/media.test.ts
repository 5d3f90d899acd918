import type { CallId, ParticipantId } from '@parley/protocol'
import { createLog } from '@parley/service'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Media } from './media.ts'
import { FakeSfuNode } from './testing.ts'

// Made here, so they have the shapes that the brands stand for.
const call = 'c1' as CallId
const peer = 'p1' as ParticipantId

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a room goes to the next node when the preferred one takes none', async () => {
  const { media, nodes } = setUp('away', 'here')
  nodes[0].takesRooms = false
  media.open(call, 1)
  await vi.runAllTimersAsync()
  expect(await ask(media)).not.toMatchObject({ error: { code: 'no-media-node' } })
  expect(nodes[1].orders.map(({ type }) => type)).toEqual(['room.open', 'peer.open'])
})

test('while no node takes a room its people are told to ask again, and later they get one', async () => {
  const { media, nodes } = setUp('one', 'two')
  for (const node of nodes) node.takesRooms = false
  media.open(call, 1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await ask(media)).toMatchObject({ error: { code: 'no-media-node', retryable: true } })
  for (const node of nodes) node.takesRooms = true
  await vi.runAllTimersAsync()
  expect(await ask(media)).not.toMatchObject({ error: { code: 'no-media-node' } })
})

test('a room that was closed meanwhile is not sought any longer', async () => {
  const { media, nodes } = setUp('one', 'two')
  for (const node of nodes) node.takesRooms = false
  media.open(call, 1)
  media.close(call, 1)
  await vi.runAllTimersAsync()
  expect(vi.getTimerCount()).toBe(0)
  expect(await ask(media)).toMatchObject({ error: { code: 'media-order', field: 'epoch' } })
})

function setUp(...ids: readonly [string, string]) {
  const nodes = [new FakeSfuNode(ids[0]), new FakeSfuNode(ids[1])] as const
  const media = new Media({ log: createLog('test', { level: 'silent' }), nodes })
  return { media, nodes }
}

function ask(media: Media) {
  return media.request('peer.open', { call, epoch: 1, peer })
}
