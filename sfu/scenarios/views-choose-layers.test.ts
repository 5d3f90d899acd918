import { expect, test } from 'vitest'
import { sendCamera, watch } from './camera.ts'
import { raiseStage, RoomDoor, simulcastCamera } from './stage.ts'

test('what subscribers show decides what the publisher is asked for', async () => {
  const { node, events } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const alice = await room.enter('alice')
  const { producer } = await room.must('producer.open', {
    peer: alice.id,
    transport: alice.session.send.id,
    source: 'camera',
    rtpParameters: simulcastCamera,
    paused: false,
  })

  const unwatched = await events.next('demand')
  expect(unwatched).toMatchObject({ peer: 'alice', producer, maxSpatialLayer: -1 })
  expect(unwatched.reason).toBe('not-watched')

  const bob = await room.enter('bob')
  const { consumer } = await room.consume(bob.id, producer)
  const opened = await events.next('demand', ({ maxSpatialLayer }) => maxSpatialLayer >= 0)
  expect(opened).toMatchObject({ maxSpatialLayer: 1, reason: 'tile-size' })

  await room.must('consumer.resume', { peer: bob.id, consumer })
  const large = [{ consumer, width: 1_280, height: 720, visible: true }]
  await room.must('peer.view', { peer: bob.id, views: large })
  const full = await events.next('demand', ({ maxSpatialLayer }) => maxSpatialLayer === 2)
  expect(full.reason).toBe('full')

  const hidden = [{ consumer, width: 0, height: 0, visible: false }]
  await room.must('peer.view', { peer: bob.id, views: hidden })
  const layer = await events.next('layer')
  expect(layer).toMatchObject({ peer: 'bob', consumer, spatialLayer: null, reason: 'not-watched' })
})

test('a subscriber gets the layer of its tile, and hears which and why', async () => {
  const { node, events } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const { producer } = await sendCamera(room, 'alice', { packetsPerFrame: [1, 1, 1] })
  const { peer, consumer } = await watch(room, 'bob', producer)
  const at = (width: number, height: number) =>
    room.must('peer.view', { peer, views: [{ consumer, width, height, visible: true }] })

  await events.next('layer', (data) => data.spatialLayer === 1 && data.reason === 'tile-size')

  await at(1_280, 720)
  await events.next('layer', (data) => data.spatialLayer === 2 && data.reason === 'full')

  await at(160, 90)
  await events.next('layer', (data) => data.spatialLayer === 0 && data.reason === 'tile-size')
})

test('a layer that the bandwidth does not carry is held back, and the subscriber hears so', async () => {
  const { node, events } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  // The best layer takes 3.2 Mbit/s, where a new receiver is trusted with 1 Mbit/s.
  const { producer } = await sendCamera(room, 'alice', { packetsPerFrame: [1, 1, 20] })
  const { peer, consumer } = await watch(room, 'bob', producer)
  const views = [{ consumer, width: 1_280, height: 720, visible: true }]
  await room.must('peer.view', { peer, views })

  const held = await events.next('layer', ({ reason }) => reason === 'bandwidth')
  expect(held.spatialLayer).toBeLessThan(2)
})
