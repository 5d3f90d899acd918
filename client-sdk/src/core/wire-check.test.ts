import { clientRequests, serverEvents } from '@parley/protocol'
import type { ClientRequestType, ServerEventType } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnswer, readEvent, readRefusal } from './wire-check.ts'

const view = {
  id: 'c1',
  startedBy: 'alice',
  answered: true,
  participants: [
    {
      id: 'p1',
      user: 'alice',
      device: 'd1',
      connected: true,
      onHold: false,
      sending: { microphone: true, camera: false, screen: false },
      publications: [{ producer: 'x1', source: 'camera', kind: 'video', paused: false, epoch: 1 }],
    },
  ],
  invites: [{ user: 'bob', state: 'ringing' }],
  topology: { path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } },
}
const ice = { iceServers: [{ urls: ['stun:example.org'] }], expiresAt: 1 }
const grants = {
  ring: true,
  rooms: ['*'],
  publish: ['audio'],
  moderate: [],
  host: false,
  presence: ['*'],
}
const signal = {
  description: { type: 'offer', sdp: 'v=0' },
  sources: { '0': 'microphone' },
  round: 1,
}

/** One honest message of every type; the protocol's own schemas say so below. */
const honest: Readonly<Record<ServerEventType, object>> = {
  welcome: {
    session: 's1',
    resumeKey: 'k',
    user: 'alice',
    device: 'd1',
    resumed: 'new',
    calls: [view],
    ice,
    grants,
  },
  presence: { users: [{ user: 'bob', status: 'online' }] },
  'call.incoming': {
    call: view,
    from: 'alice',
    media: { audio: true, video: true },
    offer: { by: 'p1', how: 'transferred' },
  },
  'mailbox.missed': {
    missed: [
      {
        seq: 1,
        call: 'c1',
        from: 'alice',
        media: { audio: true, video: true },
        reason: 'no-answer',
        at: 5,
      },
    ],
  },
  'call.updated': { call: view },
  'call.ticket': { call: 'c1', ticket: 't' },
  'call.ended': { call: 'c1', reason: 'hangup' },
  'call.transferred': { from: 'c0', call: view, participant: 'p1' },
  'call.elsewhere': { call: view },
  'call.signal': { call: 'c1', from: 'p1', epoch: 0, signal },
  'call.message': { call: 'c1', from: 'p1', direct: false, message: { text: 'hello' } },
  'call.reaction': { call: 'c1', from: 'p1', reaction: '👍' },
  'sfu.speaker': { call: 'c1', participant: null },
  'sfu.demand': { call: 'c1', producer: 'x1', maxSpatialLayer: -1, reason: 'not-watched' },
  'sfu.layer': { call: 'c1', consumer: 'y1', spatialLayer: null, reason: 'bandwidth' },
  'mls.waiting': { call: 'c1', participant: 'p1', keyPackage: 'AA' },
  'mls.created': { call: 'c1', generation: 0, epoch: 0, from: 'p1' },
  'mls.commit': { call: 'c1', generation: 0, epoch: 3, from: 'p1', commit: 'AA' },
  'mls.welcome': { call: 'c1', generation: 0, epoch: 4, welcome: 'AA', groupInfo: 'AA' },
  'mls.message': { call: 'c1', generation: 0, from: 'p1', message: 'AA' },
  'mls.reset': { call: 'c1', generation: 1 },
  'devices.changed': { user: 'alice' },
  'session.closed': { code: 'shutting-down' },
  'session.expiring': { expiresAt: 1 },
  'call.mute-requested': { call: 'c1', sources: ['microphone'], by: 'bob' },
  'call.admitted': { call: view, participant: 'p1' },
  'call.muted': { call: 'c1', sources: ['microphone'], reason: 'moderator', by: 'bob' },
}
const types = Object.keys(honest) as ServerEventType[]

describe('events of the server', () => {
  it.each(types)('reads an honest %s', (type) => {
    const data = honest[type]
    expect(serverEvents[type].safeParse(data).success).toBe(true)
    expect(readEvent({ seq: 1, type, data })).toEqual({ seq: 1, event: { type, data } })
  })

  it.each(types)('refuses %s with any of its fields missing or of another type', (type) => {
    for (const field of Object.keys(honest[type])) {
      for (const value of [undefined, 7.5, 'x', [], {}]) {
        const data = { ...honest[type], [field]: value }
        if (serverEvents[type].safeParse(data).success) continue
        const read = readEvent({ seq: 1, type, data })
        // An id or an enumeration is taken as any text: it is compared, never trusted.
        if (typeof value !== 'string') expect(read, `${type}.${field}`).toBeUndefined()
      }
    }
  })

  it('never throws, whatever comes', () => {
    const type = fc.oneof(fc.constantFrom<string>(...types, 'toString', '__proto__'), fc.string())
    fc.assert(
      fc.property(fc.anything(), type, fc.anything(), (seq, name, data) => {
        readEvent({ seq, type: name, data })
        readEvent(data)
        readAnswer('room.join', data)
        readRefusal(data)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('answers of the server', () => {
  it('reads what the protocol promises for joining', () => {
    const data = { call: view, participant: 'p1' }
    for (const type of ['call.start', 'call.accept', 'call.join', 'room.join'] as const) {
      expect(clientRequests[type].result.safeParse(data).success).toBe(true)
      expect(readAnswer(type, { ok: true, data })).toEqual({ ok: true, data })
      expect(readAnswer(type, { ok: true, data: {} })).toBeUndefined()
    }
  })

  it('passes typed errors on and refuses others', () => {
    const error = { code: 'busy', message: 'm', retryable: true }
    const type: ClientRequestType = 'call.hangup'
    expect(readAnswer(type, { ok: false, error })).toEqual({ ok: false, error })
    expect(readAnswer(type, { ok: false, error: 'no' })).toBeUndefined()
    expect(readAnswer(type, { ok: 'yes' })).toBeUndefined()
  })
})
