import type { ErrorCode } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { CallError } from '../errors.ts'
import { settle } from '../testing.ts'
import { Receivers } from './receivers.ts'
import type { ReceiversOptions } from './receivers.ts'

describe('a stream that the node was not told to send', () => {
  it('is asked for again, and not left frozen', async () => {
    const node = nodeThat(['store-unavailable', 'ok'])
    node.receivers.receive([camera])
    // A path that still waits for its first stream does not pass for one that carries all it should.
    expect(node.receivers.settled).toBe(false)
    await settle()
    expect(node.receivers.settled).toBe(true)
    expect(node.did).toEqual(['consume', 'resume', 'resume'])
    expect(node.receivers.size).toBe(1)
  })

  it('is taken anew where the node does not know of it any more', async () => {
    const node = nodeThat(['media-order', 'ok'])
    node.receivers.receive([camera])
    await settle()
    expect(node.did).toEqual(['consume', 'resume', 'close', 'consume', 'resume'])
  })

  it('is given up in the end, and tried again once that may help', async () => {
    const node = nodeThat([])
    node.receivers.receive([camera])
    await settle()
    const given = node.did.length
    expect(node.receivers.settled).toBe(true)
    node.receivers.show(new Map())
    await settle()
    expect(node.did).toHaveLength(given)
    node.outcomes.push('ok')
    node.receivers.retry()
    await settle()
    expect(node.did.slice(given)).toEqual(['resume'])
  })
})

const camera = {
  ...{ participant: 'you', producer: 'p1', source: 'camera', kind: 'video' },
  ...{ paused: false, epoch: 1 },
} as never

/** A node that answers `resume` as told, and else with an error that may pass. */
function nodeThat(first: readonly (ErrorCode | 'ok')[]) {
  const outcomes = [...first]
  const did: string[] = []
  const transport = {
    closed: false,
    consume: () =>
      Promise.resolve({ id: 'c1', kind: 'video', track: {}, close: () => did.push('close') }),
  }
  const receivers = new Receivers({
    transport: transport as unknown as ReceiversOptions['transport'],
    guard: undefined,
    consume: () => {
      did.push('consume')
      return Promise.resolve({ consumer: 'c1', producer: 'p1', kind: 'video' } as never)
    },
    resume: () => {
      did.push('resume')
      const outcome = outcomes.shift() ?? 'internal'
      return outcome === 'ok' ? Promise.resolve() : Promise.reject(new CallError(outcome))
    },
    view: () => Promise.resolve(),
    changed: () => undefined,
  })
  return { receivers, did, outcomes }
}
