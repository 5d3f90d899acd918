import type { CallId, NodeEvent, ParticipantId } from '@parley/protocol'
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

test('[NODE-11] the rooms of a node that stays out of reach go to another, and are closed there once it is back', async () => {
  const { media, nodes, lost } = await setUpOnFirst()
  nodes[0].emit(load(0))
  await vi.advanceTimersByTimeAsync(4_000)
  expect(lost).toEqual([])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(lost).toEqual([1])
  media.open(call, 2)
  await vi.advanceTimersByTimeAsync(0)
  expect(media.nodeOf(call, 2)).toBe('two')
  nodes[0].emit(load(1))
  await vi.advanceTimersByTimeAsync(0)
  expect(nodes[0].orders.at(-1)).toEqual({ type: 'room.close', data: { call, epoch: 1 } })
  expect(media.nodeOf(call, 2)).toBe('two')
  media.stop()
})

test('[NODE-11] they stay while there is no other, or the node is back in time', async () => {
  const { media, nodes, lost } = await setUpOnFirst()
  nodes[0].emit(load(0))
  nodes[1].emit(load(0))
  await vi.advanceTimersByTimeAsync(20_000)
  for (const node of nodes) node.emit(load(1))
  await vi.advanceTimersByTimeAsync(20_000)
  expect(lost).toEqual([])
  expect(media.nodeOf(call, 1)).toBe('one')
  media.stop()
})

test('[NODE-11] a node that comes back without a room has lost it', async () => {
  const { media, nodes, lost } = await setUpOnFirst()
  nodes[0].emit(load(0))
  nodes[0].published = undefined
  nodes[0].emit(load(1))
  await vi.advanceTimersByTimeAsync(0)
  expect(lost).toEqual([1])
  media.stop()
})

/** A room of the first of two nodes, and the epochs that are told to be lost. */
async function setUpOnFirst() {
  const { media, nodes } = setUp('one', 'two')
  for (const node of nodes) node.emit(load(1))
  const lost: number[] = []
  media.onEvent((event) => {
    if (event.type === 'room.lost') lost.push(event.data.epoch)
  })
  media.open(call, 1)
  await vi.advanceTimersByTimeAsync(0)
  expect(media.nodeOf(call, 1)).toBe('one')
  return { media, nodes, lost }
}

/** What a node tells of itself: once it has no workers it is out of reach. */
function load(workers: number): NodeEvent {
  return { type: 'load', data: { cpu: workers === 0 ? 1 : 0, rooms: 0, peers: 0, workers } }
}

function setUp(...ids: readonly [string, string]) {
  const nodes = [new FakeSfuNode(ids[0]), new FakeSfuNode(ids[1])] as const
  const media = new Media({ log: createLog('test', { level: 'silent' }), nodes })
  return { media, nodes }
}

function ask(media: Media) {
  return media.request('peer.open', { call, epoch: 1, peer })
}
