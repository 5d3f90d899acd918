import type { ParticipantId } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { microphone, raiseStage, RoomDoor, simulcastCamera } from './stage.ts'

const nobody = 'nobody' as ParticipantId
const nothing = 'nothing' as never

test('an order about what does not exist, or out of order, names the field at fault', async () => {
  const { node } = await raiseStage()
  const room = new RoomDoor(node)
  const unopened = await room.ask('peer.open', { peer: nobody })
  expect(unopened).toMatchObject(refused('media-order', 'data.call'))
  await room.must('room.open', {})
  await room.must('room.open', {})
  const { id: peer, session } = await room.enter('alice')
  const { send, recv } = session
  const audio = { source: 'microphone', rtpParameters: microphone, paused: false } as const

  const answers = [
    await room.ask('peer.view', { peer: nobody, views: [] }),
    await room.ask('transport.restart-ice', { peer, transport: nothing }),
    await room.ask('producer.open', { ...audio, peer, transport: recv.id }),
    await room.ask('producer.pause', { peer, producer: nothing, paused: true }),
    await room.ask('producer.close', { peer, producer: nothing }),
    await room.ask('consumer.open', { peer, producer: nothing }),
    await room.ask('consumer.resume', { peer, consumer: nothing }),
  ]
  expect(answers).toMatchObject([
    refused('media-order', 'data.peer'),
    refused('media-order', 'data.transport'),
    refused('media-order', 'data.transport'),
    refused('media-order', 'data.producer'),
    refused('media-order', 'data.producer'),
    refused('media-order', 'data.producer'),
    refused('media-order', 'data.consumer'),
  ])

  const { producer } = await room.must('producer.open', { ...audio, peer, transport: send.id })
  await room.must('peer.open', { peer: 'bob' as ParticipantId })
  const deaf = await room.ask('consumer.open', { peer: 'bob' as ParticipantId, producer })
  expect(deaf).toMatchObject(refused('media-order', 'data.peer'))
})

test('a second stream of one source takes the place of the first', async () => {
  const { sfu, node } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const { id: peer, session } = await room.enter('alice')
  const order = { peer, transport: session.send.id, source: 'camera', paused: false } as const
  const first = await room.must('producer.open', { ...order, rtpParameters: simulcastCamera })
  const encodings = [{ ssrc: 3_001 }, { ssrc: 3_002 }, { ssrc: 3_003 }]
  const rtpParameters = { ...simulcastCamera, mid: 'v2', encodings }
  const second = await room.must('producer.open', { ...order, rtpParameters })
  expect(second.producer).not.toBe(first.producer)
  expect(sfu.hub.counts().producers).toBe(1)
  const bob = await room.enter('bob')
  expect((await room.ask('consumer.open', { peer: bob.id, ...first })).ok).toBe(false)
  expect((await room.ask('consumer.open', { peer: bob.id, ...second })).ok).toBe(true)
})

test('opening a peer again gives it new transports and forgets the old ones', async () => {
  const { sfu, node } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const first = await room.enter('alice')
  const { rtpParameters, source } = { rtpParameters: microphone, source: 'microphone' } as const
  const audio = { peer: first.id, source, rtpParameters, paused: false }
  await room.must('producer.open', { ...audio, transport: first.session.send.id })
  const second = await room.enter('alice')
  expect(second.session.send.id).not.toBe(first.session.send.id)
  const stale = await room.ask('producer.open', { ...audio, transport: first.session.send.id })
  expect(stale).toMatchObject(refused('media-order', 'data.transport'))
  await room.must('producer.open', { ...audio, transport: second.session.send.id })
  expect(sfu.hub.counts()).toMatchObject({ peers: 1, producers: 1 })
})

test('media parameters that make no sense are refused, and harm nobody else', async () => {
  const { node, events } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const { id: peer, session } = await room.enter('alice')
  const transport = session.send.id
  const order = { peer, transport, source: 'camera', paused: false } as const
  // An object that throws when it is read as a number; as a payload type it breaks the channel.
  const trap = { toString: 1, valueOf: 1 }
  const codec = simulcastCamera.codecs[0]
  const wrong: readonly Record<string, unknown>[] = [
    {},
    { codecs: 'all' },
    { ...simulcastCamera, codecs: [] },
    { ...simulcastCamera, codecs: [{ ...codec, mimeType: 'video/unheard-of' }] },
    { ...simulcastCamera, codecs: [{ ...codec, parameters: { list: [trap] } }] },
    { ...simulcastCamera, encodings: [{ ssrc: trap }] },
    { ...simulcastCamera, encodings: [{ ssrc: 1, codecPayloadType: trap }] },
    { ...simulcastCamera, encodings: Array(4).fill({ ssrc: 1 }) },
    microphone,
  ]
  for (const rtpParameters of wrong) {
    const answer = await room.ask('producer.open', { ...order, rtpParameters })
    expect(answer, JSON.stringify(rtpParameters)).toMatchObject(refused('bad-media-parameters'))
  }
  const dtls = [{}, { fingerprints: [] }, { fingerprints: [{ algorithm: 'md5', value: '00' }] }]
  for (const dtlsParameters of dtls) {
    const answer = await room.ask('transport.connect', { peer, transport, dtlsParameters })
    expect(answer).toMatchObject(refused('bad-media-parameters'))
  }
  const capabilities = await room.ask('peer.capabilities', {
    peer,
    rtpCapabilities: { codecs: [null] },
  })
  expect(capabilities).toMatchObject(refused('bad-media-parameters'))

  await room.must('producer.open', { ...order, rtpParameters: simulcastCamera })
  const from = events.length
  expect(await events.next('load', () => true, from)).toMatchObject({ workers: 1 })
})

test('no mutation of good parameters breaks the worker', { timeout: 60_000 }, async () => {
  const { node } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const { id: peer, session } = await room.enter('alice')
  const bob = await room.enter('bob')
  const { send } = session
  const codes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(mutated(simulcastCamera), async (rtpParameters) => {
      const order = { peer, transport: send.id, source: 'camera', rtpParameters, paused: false }
      const opened = await room.ask('producer.open', order as never)
      codes.add(opened.ok ? 'ok' : opened.error.code)
      if (!opened.ok) return
      const { producer } = opened.data
      const taken = await room.ask('consumer.open', { peer: bob.id, producer })
      codes.add(taken.ok ? 'ok' : taken.error.code)
    }),
    { numRuns: 300, seed: 7 },
  )
  expect([...codes].sort()).toEqual(['bad-media-parameters', 'ok'])
  await room.enter('carol')
})

function refused(code: string, field?: string) {
  return { ok: false, error: { code, ...(field !== undefined && { field }) } }
}

/** Good JSON with one value at any depth replaced by another. */
function mutated(good: object): fc.Arbitrary<Record<string, unknown>> {
  const paths = pathsOf(good)
  return fc
    .tuple(fc.constantFrom(...paths), fc.oneof(fc.jsonValue(), fc.constant({ valueOf: 1 })))
    .map(([path, value]) => {
      const copy = structuredClone(good) as Record<string, unknown>
      const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as never)[key], copy)
      ;(holder as Record<string, unknown>)[path.at(-1) ?? ''] = value
      return copy
    })
}

function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const below = Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))
  return path.length === 0 ? below : [path, ...below]
}
