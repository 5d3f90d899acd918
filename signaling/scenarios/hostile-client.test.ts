import { limits } from '@parley/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, heard, startStage } from './stage.ts'

let stage: Awaited<ReturnType<typeof startStage>>
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

describe.each(['json', 'msgpack'] as const)('over %s', (format) => {
  test('[REQ-4] a payload of a megabyte is refused in words, and the connection lives', async () => {
    const mallory = await connect(stage.url, 'mallory', format)
    const frame = { id: '1', type: 'ice.get', data: { padding: 'x'.repeat(1_000_000) } }
    expect(await mallory.emitWithAck('request', frame)).toMatchObject({
      ok: false,
      error: { code: 'too-large', limit: limits.messageBytes },
    })
    expect(
      await mallory.emitWithAck('request', { id: '2', type: 'ice.get', data: {} }),
    ).toMatchObject({
      ok: true,
    })
    mallory.close()
  })

  test('a payload beyond all reason ends that connection and no other', async () => {
    const alice = await connect(stage.url, 'alice', format)
    const mallory = await connect(stage.url, 'mallory', format)
    mallory.emit('request', { id: '1', type: 'ice.get', data: 'x'.repeat(3_000_000) })
    await heard(mallory, 'disconnect')
    expect(
      await alice.emitWithAck('request', { id: '1', type: 'ice.get', data: {} }),
    ).toMatchObject({
      ok: true,
    })
    alice.close()
  })

  test('an event that is not a request is told so', async () => {
    const mallory = await connect(stage.url, 'mallory', format)
    expect(await mallory.emitWithAck('admin', { drop: 'tables' })).toMatchObject({
      ok: false,
      error: { code: 'unknown-request', field: 'event' },
    })
    mallory.close()
  })

  test('a request without an acknowledgement, and arguments of any kind, do no harm', async () => {
    const mallory = await connect(stage.url, 'mallory', format)
    mallory.emit('request')
    mallory.emit('request', null, 7, [])
    mallory.emit('request', Buffer.from([1, 2, 3]))
    expect(
      await mallory.emitWithAck('request', { id: '9', type: 'ice.get', data: {} }),
    ).toMatchObject({
      ok: true,
    })
    mallory.close()
  })
})
