import type { CallView, InviteState, ParticipantId } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callState, changeFacts, hangupReason, newFacts } from './call-state.ts'
import type { CallFacts, MediaState } from './call-state.ts'

const self = 'me' as ParticipantId

describe('the state of a call', () => {
  it('is dialing until the app holds an outgoing call, then ringing', () => {
    const dialled = changeFacts(newFacts('outgoing'), { self, view: view(['me'], ['ringing']) })
    expect(callState(dialled)).toBe('dialing')
    expect(callState(changeFacts(dialled, { announced: true }))).toBe('ringing')
  })

  it('is ringing for the callee until he has a seat', () => {
    const incoming = newFacts('incoming', view(['you'], ['ringing']))
    expect(callState(incoming)).toBe('ringing')
    const accepted = changeFacts(incoming, { self, view: view(['you', 'me']) })
    expect(callState(accepted)).toBe('connecting')
  })

  it('is connected when media is, and reconnecting when it was', () => {
    let facts = talking('connecting')
    expect(callState(facts)).toBe('connecting')
    facts = changeFacts(facts, { media: 'connected' })
    expect(callState(facts)).toBe('connected')
    for (const media of ['interrupted', 'connecting'] as const) {
      expect(callState(changeFacts(facts, { media }))).toBe('reconnecting')
    }
  })

  it('is connected for who is alone in a room, once the app holds it', () => {
    const room = changeFacts(newFacts('room'), { self, view: view(['me']) })
    expect(callState(room)).toBe('connecting')
    expect(callState(changeFacts(room, { announced: true }))).toBe('connected')
  })

  it('is connecting, not reconnecting, with somebody new after having been alone', () => {
    let facts = changeFacts(talking('connected'), { view: view(['me']) })
    facts = changeFacts(facts, { view: view(['me', 'carol']), media: 'connecting' })
    expect(callState(facts)).toBe('connecting')
  })

  it('keeps its first end, whatever comes later', () => {
    const change = fc.record(
      {
        announced: fc.boolean(),
        media: fc.constantFrom<MediaState>('idle', 'connecting', 'connected', 'interrupted'),
        endReason: fc.constantFrom('busy' as const, 'failed' as const),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const ended = changeFacts(talking('connected'), { endReason: 'hangup' })
        const later = changes.reduce<CallFacts>((facts, each) => changeFacts(facts, each), ended)
        expect(callState(later)).toBe('ended')
        expect(later.endReason).toBe('hangup')
      }),
    )
  })
})

describe('the reason of an own hang-up', () => {
  it('says whether the call was declined, cancelled or over', () => {
    expect(hangupReason(newFacts('incoming', view(['you'], ['ringing'])))).toBe('declined')
    expect(hangupReason(changeFacts(newFacts('outgoing'), { self }))).toBe('cancelled')
    expect(hangupReason(talking('connected'))).toBe('hangup')
    expect(hangupReason(newFacts('room'))).toBe('hangup')
  })
})

function talking(media: MediaState): CallFacts {
  return changeFacts(newFacts('outgoing'), {
    self,
    view: { ...view(['me', 'you']), answered: true },
    announced: true,
    media,
  })
}

function view(people: readonly string[], invites: readonly InviteState[] = []): CallView {
  return {
    id: 'c',
    startedBy: 'me',
    answered: false,
    participants: people.map((id) => ({
      id,
      user: id,
      device: id,
      connected: true,
      onHold: false,
      sending: { microphone: true, camera: true, screen: false },
      publications: [],
    })),
    invites: invites.map((state) => ({ user: 'you', state })),
    topology: { path: 'p2p', epoch: 0 },
  } as unknown as CallView
}
