import { expect, test } from 'vitest'
import { listenTo, sendTone } from './audio.ts'
import { raiseStage, RoomDoor } from './stage.ts'
import { decodeFrames, hearsTone } from './tone.ts'

test('a tone that one participant sends is the tone that another one hears', async () => {
  const { node, events } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const speaker = await sendTone(room, 'alice', 440)
  const listener = await listenTo(room, 'bob', speaker.producer)

  const samples = await decodeFrames(await listener.hear(100))

  expect(hearsTone(440, samples)).toBe(true)
  expect(hearsTone(660, samples)).toBe(false)

  const { peer } = await events.next('speaker', (data) => data.peer !== null)
  expect(peer).toBe('alice')

  const before = events.length
  speaker.stop()
  const quiet = await events.next('speaker', (data) => data.peer === null, before)
  expect(quiet.peer).toBeNull()
})
