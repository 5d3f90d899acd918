import { expect, test } from 'vitest'
import { listenTo, sendTone } from './audio.ts'
import { raiseStage, RoomDoor } from './stage.ts'
import { decodeFrames, hearsTone } from './tone.ts'

test('a killed worker costs its rooms only, and is replaced on the same port', async () => {
  const { sfu, node, events } = await raiseStage({ workers: 2 })
  const doomed = new RoomDoor(node, { call: 'doomed' })
  const other = new RoomDoor(node, { call: 'other' })
  await doomed.must('room.open', {})
  await other.must('room.open', {})
  const here = await sendTone(doomed, 'alice', 440)
  const there = await sendTone(other, 'carol', 550)
  const spared = await listenTo(other, 'dave', there.producer)

  const pid = sfu.workerPid(0)
  if (pid === undefined) throw new Error('no worker runs')
  process.kill(pid, 'SIGKILL')

  const lost = await events.next('room.lost')
  expect(lost).toEqual(doomed.at)
  const late = await doomed.ask('consumer.open', { peer: here.peer, producer: here.producer })
  expect(late).toMatchObject({ ok: false, error: { code: 'media-order', field: 'data.call' } })
  expect(hearsTone(550, await decodeFrames(await spared.hear(50)))).toBe(true)

  await events.next('load', ({ workers }) => workers === 2, events.length)
  const ports = sfu.ports[0]
  const again = new RoomDoor(node, { call: 'doomed', epoch: 2 })
  await again.must('room.open', {})
  const speaker = await sendTone(again, 'alice', 440)
  const listener = await listenTo(again, 'bob', speaker.producer)
  expect(hearsTone(440, await decodeFrames(await listener.hear(50)))).toBe(true)
  const { session } = await again.enter('erin')
  expect(session.recv.iceCandidates.map((candidate) => candidate['port'])).toContain(ports?.udp)
})

test('a worker that hangs is found out, ended and replaced', { timeout: 30_000 }, async () => {
  const { sfu, node, events } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const pid = sfu.workerPid(0)
  if (pid === undefined) throw new Error('no worker runs')
  process.kill(pid, 'SIGSTOP')

  const answer = await room.ask('peer.open', { peer: 'alice' as never })
  expect(answer).toMatchObject({ ok: false, error: { retryable: true } })
  expect(await events.next('room.lost')).toEqual(room.at)

  await events.next('load', ({ workers }) => workers === 1, events.length)
  await room.must('room.open', {})
  await room.enter('alice')
  expect(sfu.workerPid(0)).not.toBe(pid)
})
