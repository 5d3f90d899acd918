import type { DeviceAddress, ParticipantId, SeatTicket } from '@parley/protocol'
import { limits } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ticketSeal } from './ticket.ts'

const seal = ticketSeal('a secret of these tests')
const alice = { user: 'alice', device: 'phone' } as DeviceAddress
const bob = { user: 'bob', device: 'laptop' } as DeviceAddress

const ticket: SeatTicket = {
  seat: 'p1' as ParticipantId,
  issuer: 'node-1',
  issuedAt: 1_000,
  call: {
    id: 'c1',
    room: undefined,
    startedBy: 'alice',
    sfuOnly: false,
    answered: true,
    seats: [
      {
        id: 'p1',
        ...alice,
        sending: { microphone: true, camera: false, screen: false },
        onHold: false,
      },
      {
        id: 'p2',
        ...bob,
        sending: { microphone: true, camera: true, screen: false },
        onHold: true,
      },
    ],
    topology: { path: 'sfu', epoch: 2, next: { path: 'sfu', epoch: 3 } },
    pinned: true,
    policy: {
      locked: true,
      lobby: false,
      encrypted: true,
      moderators: ['alice'],
      removed: ['carol'],
      silenced: [{ user: 'bob', sources: ['microphone'] }],
    },
  } as unknown as SeatTicket['call'],
  nodes: [{ epoch: 2, node: 'node.example:4443' }],
}

describe('[TICKET-1] a ticket', () => {
  test('comes back as it was written', () => {
    expect(seal.open(seal.seal(ticket), alice, 1_000)).toEqual({ ok: true, data: ticket })
  })

  test('of another key is invalid', () => {
    const forged = ticketSeal('another secret').seal(ticket)
    expect(seal.open(forged, alice, 1_000)).toMatchObject({
      ok: false,
      error: { code: 'ticket-invalid', field: 'data.ticket' },
    })
  })

  test('of another device or user is foreign', () => {
    const text = seal.seal(ticket)
    for (const bearer of [bob, { ...alice, device: 'tablet' } as DeviceAddress]) {
      expect(seal.open(text, bearer, 1_000)).toMatchObject({ error: { code: 'ticket-foreign' } })
    }
  })

  test('is good for a day', () => {
    const text = seal.seal(ticket)
    const end = ticket.issuedAt + limits.ticketLifetimeMs
    expect(seal.open(text, alice, end - 1)).toMatchObject({ ok: true })
    expect(seal.open(text, alice, end)).toMatchObject({ error: { code: 'ticket-expired' } })
  })

  test('whose seat is nobody’s is foreign', () => {
    const nobody = seal.seal({ ...ticket, seat: 'p9' as ParticipantId })
    expect(seal.open(nobody, alice, 1_000)).toMatchObject({ error: { code: 'ticket-foreign' } })
  })

  test('with one character changed, cut, or made up is invalid, and never throws', () => {
    const text = seal.seal(ticket)
    const changed = fc
      .tuple(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
      .map(([at, other]) => text.slice(0, at) + other + text.slice(at + 1))
    const cut = fc.nat(text.length - 1).map((length) => text.slice(0, length))
    const sealedJunk = fc.json().map((json) => signed(json))
    fc.assert(
      fc.property(fc.oneof(changed, cut, fc.string(), sealedJunk), (bytes) => {
        // The last character of base64url carries spare bits, which decoding drops.
        fc.pre(bytes.slice(0, -1) !== text.slice(0, -1))
        expect(seal.open(bytes, alice, 1_000)).toMatchObject({ error: { code: 'ticket-invalid' } })
      }),
      { numRuns: 1_000 },
    )
  })

  test('that names as many as a call may have fits the limit', () => {
    const seats = Array.from({ length: limits.participantsPerCall }, (_, i) => ({
      ...ticket.call.seats[0],
      id: `${i}`.padStart(16, 'p'),
      user: 'ü'.repeat(limits.userIdLength),
      device: 'd'.repeat(22),
    }))
    const full = { ...ticket, call: { ...ticket.call, seats } } as unknown as SeatTicket
    expect(seal.seal(full).length).toBeLessThan(limits.ticketLength)
  })
})

/** Any JSON under our own seal, as an older or newer version of us might have written it. */
function signed(json: string): string {
  return seal.seal(JSON.parse(json) as SeatTicket)
}
