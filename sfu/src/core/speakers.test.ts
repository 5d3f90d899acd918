import type { ParticipantId } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noSpeakers, SILENCE_MS, speakers } from './speakers.ts'
import type { SpeakerEvent, Speakers } from './speakers.ts'

const [alice, bob] = ['alice', 'bob'] as [ParticipantId, ParticipantId]

describe('speakers', () => {
  test('whom the observer chooses speaks', () => {
    expect(after([{ type: 'dominant', peer: alice }]).speaking).toBe(alice)
  })

  test('a pause for breath changes nothing', () => {
    const paused = after([{ type: 'dominant', peer: alice }, { type: 'quiet' }])
    expect(speakers(paused, { type: 'tick' }, SILENCE_MS - 1).speaking).toBe(alice)
    const resumed = speakers(paused, { type: 'loud', peers: [alice] }, SILENCE_MS - 1)
    expect(speakers(resumed, { type: 'tick' }, 10 * SILENCE_MS).speaking).toBe(alice)
  })

  test('after a lasting silence nobody speaks', () => {
    const paused = after([{ type: 'dominant', peer: alice }, { type: 'quiet' }])
    expect(speakers(paused, { type: 'tick' }, SILENCE_MS).speaking).toBeUndefined()
  })

  test('the same person speaks again without being chosen again', () => {
    const silent = after([{ type: 'dominant', peer: alice }, { type: 'quiet' }])
    const over = speakers(silent, { type: 'tick' }, SILENCE_MS)
    const again = speakers(over, { type: 'loud', peers: [bob, alice] }, SILENCE_MS)
    expect(again.speaking).toBe(alice)
  })

  test('the loudest speaks when the one chosen is silent', () => {
    expect(after([{ type: 'loud', peers: [bob, alice] }]).speaking).toBe(bob)
  })

  test('who leaves speaks no longer', () => {
    expect(
      after([
        { type: 'dominant', peer: alice },
        { type: 'left', peer: alice },
      ]),
    ).toEqual(noSpeakers)
  })

  test('whoever speaks was heard and has not left, and silence is due only while someone speaks', () => {
    const peer = fc.constantFrom(alice, bob)
    const event: fc.Arbitrary<SpeakerEvent> = fc.oneof(
      peer.map((one) => ({ type: 'dominant' as const, peer: one })),
      fc
        .subarray([alice, bob], { minLength: 1 })
        .map((peers) => ({ type: 'loud' as const, peers })),
      fc.constant({ type: 'quiet' as const }),
      peer.map((one) => ({ type: 'left' as const, peer: one })),
      fc.constant({ type: 'tick' as const }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(2_000))), (steps) => {
        let state = noSpeakers
        let now = 0
        for (const [next, elapsedMs] of steps) {
          now += elapsedMs
          state = speakers(state, next, now)
          if (next.type === 'left') {
            expect([state.speaking, state.dominant]).not.toContain(next.peer)
          }
          if (state.speaking === undefined) expect(state.silentAt).toBeUndefined()
        }
        const quiet = speakers(state, { type: 'quiet' }, now)
        const over = speakers(quiet, { type: 'tick' }, now + SILENCE_MS)
        expect(over.speaking).toBeUndefined()
      }),
    )
  })
})

function after(events: readonly SpeakerEvent[]): Speakers {
  return events.reduce((state, event) => speakers(state, event, 0), noSpeakers)
}
