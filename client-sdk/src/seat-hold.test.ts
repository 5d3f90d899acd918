import type { ErrorCode } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { CallError } from './errors.ts'
import { SeatHold } from './seat-hold.ts'
import type { Request } from './signaling.ts'
import { ManualClock, settle } from './testing.ts'

describe('a request about media', () => {
  it('that the holder of the call could not be reached with is made until his heir answers', async () => {
    const { seat, asked, clock } = hold(['store-unavailable', 'store-unavailable', 'ok'])
    const told = watch(seat.request('sfu.resume', { ...room, consumer: 'c1' as never }))
    await settle()
    expect([asked, told.outcome]).toEqual([['sfu.resume'], 'pending'])
    await clock.advance(5_000)
    expect([asked.length, told.outcome]).toEqual([3, 'answered'])
  })

  it('that was lost with its session is made again once the seat is taken', async () => {
    for (const type of ['sfu.connect', 'sfu.produce', 'sfu.resume'] as const) {
      const { seat, asked } = hold(['session-gone', 'ok', 'ok'])
      seat.keep('t1')
      const told = watch(seat.request(type, room as never))
      await settle()
      expect([asked, told.outcome]).toEqual([[type, 'call.resume', type], 'answered'])
    }
  })

  it('is not made for ever', async () => {
    const { seat, clock } = hold([])
    const told = watch(seat.request('sfu.resume', { ...room, consumer: 'c1' as never }))
    await clock.advance(120_000)
    expect(told.outcome).toBe('store-unavailable')
  })

  it('that would do something twice is not repeated', async () => {
    const { seat, asked, clock } = hold(['store-unavailable', 'ok'])
    const told = watch(seat.request('call.hangup', { call: room.call }))
    await clock.advance(120_000)
    expect([asked, told.outcome]).toEqual([['call.hangup'], 'store-unavailable'])
  })
})

const room = { call: 'c', epoch: 1 } as { call: never; epoch: number }

/** A seat whose server answers as told, and then cannot reach the holder of the call. */
function hold(outcomes: readonly (ErrorCode | 'ok')[]) {
  const clock = new ManualClock()
  const asked: string[] = []
  const ask: Request = (type) => {
    const outcome = outcomes[asked.length] ?? 'store-unavailable'
    asked.push(type)
    return outcome === 'ok' ? Promise.resolve({} as never) : Promise.reject(new CallError(outcome))
  }
  return { seat: new SeatHold(ask, clock), asked, clock }
}

function watch(work: Promise<unknown>): { outcome: string } {
  const told = { outcome: 'pending' }
  work.then(
    () => (told.outcome = 'answered'),
    (error: unknown) => (told.outcome = error instanceof CallError ? error.code : 'bug'),
  )
  return told
}
