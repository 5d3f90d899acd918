import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSettled, negotiation, newNegotiation } from './negotiation.ts'
import type {
  Negotiation,
  NegotiationEffect,
  NegotiationEvent,
  NegotiationSignal,
} from './negotiation.ts'

const candidate = { candidate: 'a', sdpMid: '0', sdpMLineIndex: 0 }

describe('negotiation', () => {
  it('lets only the impolite side make the first offer', () => {
    const impolite = negotiation(newNegotiation(false), { type: 'needed' })
    expect(impolite.effects).toEqual([{ type: 'setLocal' }])
    const polite = negotiation(newNegotiation(true), { type: 'needed' })
    expect(polite.effects).toEqual([])
    expect(polite.state.needed).toBe(true)
  })

  it('keeps candidates until the first description is applied', () => {
    let { state, effects } = negotiation(newNegotiation(true), {
      type: 'signal',
      signal: { candidate },
    })
    expect(effects).toEqual([])
    ;({ state } = negotiation(state, { type: 'signal', signal: offer(1) }))
    ;({ state, effects } = negotiation(state, { type: 'remoteDone' }))
    expect(effects).toEqual([{ type: 'addCandidate', candidate }, { type: 'setLocal' }])
    expect(state.early).toEqual([])
  })

  it('keeps candidates that come to an offer of its own until that is answered', () => {
    // Also those of an offer that lost to ours: both describe the same transport.
    const connected = { ...newNegotiation(false), described: true }
    let { state, effects } = negotiation(connected, { type: 'needed' })
    ;({ state } = negotiation(state, { type: 'localDone' }))
    ;({ state, effects } = negotiation(state, { type: 'signal', signal: offer(1) }))
    expect(effects).toEqual([])
    ;({ state, effects } = negotiation(state, { type: 'signal', signal: { candidate } }))
    expect(effects).toEqual([])
    ;({ state, effects } = negotiation(state, { type: 'signal', signal: answer(1) }))
    expect(effects).toMatchObject([{ type: 'setRemote' }])
    ;({ state, effects } = negotiation(state, { type: 'remoteDone' }))
    expect(effects).toEqual([{ type: 'addCandidate', candidate }])
  })

  it('rolls back for an impolite peer and offers again afterwards', () => {
    let { state } = negotiation({ ...newNegotiation(true), described: true }, { type: 'needed' })
    ;({ state } = negotiation(state, { type: 'localDone' }))
    let step = negotiation(state, { type: 'signal', signal: offer(1) })
    expect(step.effects).toMatchObject([{ type: 'setRemote' }])
    step = negotiation(step.state, { type: 'remoteDone' })
    step = negotiation(step.state, { type: 'localDone' })
    expect(step.effects).toEqual([{ type: 'sendLocal', round: 1 }, { type: 'setLocal' }])
    expect(step.state.round).toBe(2)
  })

  it('does not take the answer to an earlier offer for one to the present', () => {
    let { state } = negotiation(newNegotiation(false), { type: 'needed' })
    ;({ state } = negotiation({ ...state, round: 2 }, { type: 'localDone' }))
    const late = negotiation(state, { type: 'signal', signal: answer(1) })
    expect(late.effects).toEqual([])
    expect(late.state.signaling).toBe('have-local-offer')
  })

  it('answers a repeated offer with the answer it gave', () => {
    let { state } = negotiation(newNegotiation(true), { type: 'signal', signal: offer(1) })
    ;({ state } = negotiation(state, { type: 'remoteDone' }))
    ;({ state } = negotiation(state, { type: 'localDone' }))
    const again = negotiation(state, { type: 'signal', signal: offer(1) })
    expect(again.effects).toEqual([{ type: 'sendLocal', round: 1 }])
  })

  it('holds no more signals than its bounds allow', () => {
    let { state } = negotiation(newNegotiation(false), { type: 'needed' })
    for (let n = 0; n < 1_000; n++) {
      ;({ state } = negotiation(state, { type: 'signal', signal: offer(n + 1) }))
    }
    expect(state.inbox.length).toBeLessThanOrEqual(200)
  })

  it('ends stable and in agreement over a wire that loses, repeats and reorders', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 120 }), (steps) => {
        const world = new World()
        for (const step of steps) world.play(step)
        world.heal()
        expect(isSettled(world.peers[0].state)).toBe(true)
        expect(isSettled(world.peers[1].state)).toBe(true)
        expect(world.peers[0].connection.agreed).toBe(world.peers[1].connection.agreed)
      }),
      { numRuns: 500 },
    )
  })

  it('never orders an operation while another is at hand', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 120 }), (steps) => {
        const world = new World()
        for (const step of steps) world.play(step)
        world.heal()
        expect(world.peers.map(({ overlaps }) => overlaps)).toEqual([0, 0])
      }),
      { numRuns: 300 },
    )
  })
})

type WorldStep =
  | { readonly do: 'need' | 'finish' | 'resync'; readonly at: 0 | 1 }
  | { readonly do: 'deliver' | 'lose' | 'repeat'; readonly pick: number }

const side = fc.constantFrom(0 as const, 1 as const)
const stepArbitrary: fc.Arbitrary<WorldStep> = fc.oneof(
  fc.record({ do: fc.constantFrom('need' as const, 'resync' as const), at: side }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), at: side }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'deliver' as const,
        'deliver' as const,
        'lose' as const,
        'repeat' as const,
      ),
      pick: fc.nat(7),
    }),
  },
)

/** What a peer connection would be: rejects what is out of order, rolls back by itself. */
class FakeConnection {
  signaling: 'stable' | 'have-local-offer' | 'have-remote-offer' = 'stable'
  local: { type: 'offer' | 'answer'; label: string } = { type: 'offer', label: '' }
  /** The offer that both descriptions belong to. */
  agreed = 'none'
  #pending = ''
  #offers = 0
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  setLocal(): void {
    if (this.signaling === 'have-remote-offer') {
      this.agreed = this.#pending
      this.local = { type: 'answer', label: this.#pending }
      this.signaling = 'stable'
      return
    }
    if (this.signaling !== 'stable') throw new Error('offer out of order')
    this.#pending = `${this.#name}${++this.#offers}`
    this.local = { type: 'offer', label: this.#pending }
    this.signaling = 'have-local-offer'
  }

  setRemote(type: string, label: string): void {
    if (type === 'offer') {
      this.#pending = label
      this.signaling = 'have-remote-offer'
      return
    }
    if (this.signaling !== 'have-local-offer' || label !== this.#pending) {
      throw new Error('answer out of order')
    }
    this.agreed = label
    this.signaling = 'stable'
  }
}

interface Peer {
  state: Negotiation
  readonly connection: FakeConnection
  /** Operations that were ordered and not finished. */
  operations: (() => void)[]
  overlaps: number
}

class World {
  readonly peers: readonly [Peer, Peer] = [peer('a', false), peer('b', true)]
  #wire: { readonly to: 0 | 1; readonly signal: NegotiationSignal }[] = []

  constructor() {
    // As in a call: both have something to say from the start.
    this.#feed(0, { type: 'needed' })
    this.#feed(1, { type: 'needed' })
  }

  play(step: WorldStep): void {
    switch (step.do) {
      case 'need':
        this.#feed(step.at, { type: 'needed' })
        return
      case 'resync':
        this.#feed(step.at, { type: 'resync' })
        return
      case 'finish':
        this.peers[step.at].operations.shift()?.()
        return
      case 'deliver':
      case 'lose':
      case 'repeat':
        this.#carry(step.do, step.pick)
    }
  }

  /** From here on the wire is good, and offers without answer are repeated. */
  heal(): void {
    for (let round = 0; round < 60; round++) {
      while (this.#wire.length > 0 || this.peers.some(({ operations }) => operations.length > 0)) {
        for (const { operations } of this.peers) operations.shift()?.()
        if (this.#wire.length > 0) this.#carry('deliver', 0)
      }
      this.#feed(0, { type: 'resync' })
      this.#feed(1, { type: 'resync' })
    }
  }

  #carry(how: 'deliver' | 'lose' | 'repeat', pick: number): void {
    const message = this.#wire[pick % Math.max(1, this.#wire.length)]
    if (!message) return
    if (how !== 'repeat') this.#wire = this.#wire.filter((other) => other !== message)
    if (how !== 'lose') this.#feed(message.to, { type: 'signal', signal: message.signal })
  }

  #feed(at: 0 | 1, event: NegotiationEvent): void {
    const { state, effects } = negotiation(this.peers[at].state, event)
    this.peers[at].state = state
    for (const effect of effects) this.#run(at, effect)
  }

  #run(at: 0 | 1, effect: NegotiationEffect): void {
    const self = this.peers[at]
    const { connection, operations } = self
    const order = (work: () => void, done: 'localDone' | 'remoteDone') => {
      if (operations.length > 0) self.overlaps++
      operations.push(() => {
        try {
          work()
        } catch {
          this.#feed(at, { type: 'operationFailed' })
          return
        }
        this.#feed(at, { type: done })
      })
    }
    switch (effect.type) {
      case 'setLocal':
        order(() => connection.setLocal(), 'localDone')
        return
      case 'setRemote': {
        const { type, sdp } = effect.description.description
        order(() => connection.setRemote(type, sdp), 'remoteDone')
        return
      }
      case 'sendLocal': {
        const { type, label } = connection.local
        const description = { type, sdp: label }
        const to = at === 0 ? 1 : 0
        this.#wire.push({ to, signal: { description, sources: {}, round: effect.round } })
        return
      }
      case 'addCandidate':
    }
  }
}

function peer(name: string, polite: boolean): Peer {
  return {
    state: newNegotiation(polite),
    connection: new FakeConnection(name),
    operations: [],
    overlaps: 0,
  }
}

function offer(round: number): NegotiationSignal {
  return { description: { type: 'offer', sdp: `offer ${round}` }, sources: {}, round }
}

function answer(round: number): NegotiationSignal {
  return { description: { type: 'answer', sdp: `answer ${round}` }, sources: {}, round }
}
