import { clientRequests } from '@parley/protocol'
import type { ClientRequestType, Grants } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultGrants, matchesRoom, mayModerate, readGrants, refusal } from './grants.ts'

const all: Grants = { ...defaultGrants, moderate: ['*'] }
const none: Grants = {
  ring: false,
  rooms: [],
  publish: [],
  moderate: [],
  host: false,
  presence: [],
}
const both = { audio: true, video: true }
const sends = (what: object) => ({
  call: 'c',
  sending: { microphone: false, camera: false, screen: false, ...what },
})

/** What each request is refused for, by the grants that it lacks. Absent: nobody is refused it. */
const table: Partial<Record<ClientRequestType, readonly [data: object, lacking: string][]>> = {
  'presence.subscribe': [[{}, 'presence']],
  'call.start': [
    [{ call: 'c', users: ['bob'], media: { audio: false, video: false } }, 'ring'],
    [{ call: 'c', users: ['bob'], media: { audio: true, video: false } }, 'publish.audio'],
    [{ call: 'c', users: ['bob'], media: { audio: false, video: true } }, 'publish.video'],
  ],
  'call.invite': [[{ call: 'c', users: ['bob'], media: both }, 'ring']],
  'call.transfer': [[{ call: 'c', to: 'bob' }, 'ring']],
  'call.resume': [
    [{ ticket: 't', fresh: { audio: true, video: false } }, 'publish.audio'],
    [{ ticket: 't', fresh: { audio: false, video: true } }, 'publish.video'],
  ],
  'call.join': [
    [{ call: 'c', media: { audio: true, video: false } }, 'publish.audio'],
    [{ call: 'c', media: { audio: false, video: true } }, 'publish.video'],
  ],
  'call.accept': [
    [{ call: 'c', media: { audio: true, video: false } }, 'publish.audio'],
    [{ call: 'c', media: { audio: false, video: true } }, 'publish.video'],
  ],
  'room.join': [
    [{ room: 'r', media: { audio: false, video: false }, topology: 'auto' }, 'rooms'],
    [{ room: 'r', media: { audio: true, video: false }, topology: 'auto' }, 'publish.audio'],
    [{ room: 'r', media: { audio: false, video: true }, topology: 'auto' }, 'publish.video'],
  ],
  'call.sending': [
    [sends({ microphone: true }), 'publish.audio'],
    [sends({ camera: true }), 'publish.video'],
    [sends({ screen: true }), 'publish.screen'],
  ],
  'call.signal': [
    [{}, 'publish.audio'],
    [{}, 'publish.video'],
    [{}, 'publish.screen'],
  ],
  'call.send': [[{}, 'publish.data']],
  'call.react': [[{}, 'publish.data']],
  'sfu.produce': [
    [{ source: 'microphone' }, 'publish.audio'],
    [{ source: 'camera' }, 'publish.video'],
    [{ source: 'screen' }, 'publish.screen'],
    [{ source: 'screen-audio' }, 'publish.screen'],
  ],
}

describe('[GRANT-1] each request is checked', () => {
  const types = Object.keys(clientRequests) as ClientRequestType[]
  const guarded = types.flatMap((type) =>
    (table[type] ?? []).map(([data, lacking]) => ({ type, data, lacking })),
  )

  test.each(guarded)('$type without $lacking is refused, and with it let in', (each) => {
    const { type, data, lacking } = each
    expect(ask(all, type, data)).toBeUndefined()
    expect(ask(without(lacking), type, data)).toMatchObject({
      error: { code: 'not-permitted', message: `The token does not grant "${lacking}".` },
    })
  })

  test('who is granted nothing may still answer with nothing, listen and leave', () => {
    const free = types.filter((type) => !table[type])
    expect(free.filter((type) => ask(none, type, {}) !== undefined)).toEqual([])
    const quiet = { call: 'c', media: { audio: false, video: false } }
    expect(ask(none, 'call.accept', quiet)).toBeUndefined()
  })
})

describe('the claim', () => {
  test('[GRANT-2] that is absent, or leaves a field out, gives everything but moderation', () => {
    expect(readGrants(undefined)).toEqual({ ok: true, data: defaultGrants })
    expect(readGrants({})).toEqual({ ok: true, data: defaultGrants })
    expect(readGrants({ ring: false })).toMatchObject({
      data: { ...defaultGrants, ring: false },
    })
  })

  test('takes true and false for all and none', () => {
    expect(readGrants({ rooms: false, publish: false, moderate: true })).toMatchObject({
      data: { rooms: [], publish: [], moderate: ['*'] },
    })
  })

  test.each([
    [{ publsh: false }, 'token.grants'],
    [{ rooms: 'standup' }, 'token.grants.rooms'],
    [{ rooms: ['a b'] }, 'token.grants.rooms'],
    [{ publish: ['sound'] }, 'token.grants.publish'],
    [{ rooms: Array.from({ length: 65 }, () => 'a') }, 'token.grants.rooms'],
    ['all', 'token.grants'],
    [null, 'token.grants'],
  ])('[GRANT-3] that cannot be read is refused: %j', (claim, field) => {
    const read = readGrants(claim)
    expect(read).toMatchObject({ ok: false, error: { code: 'unauthorized' } })
    expect(read.ok ? '' : read.error.field).toContain(field)
  })

  test('of any shape is read or refused', () => {
    fc.assert(fc.property(fc.anything(), (claim) => void readGrants(claim)))
  })
})

describe('room patterns', () => {
  test.each([
    ['standup', 'standup', true],
    ['standup', 'standup2', false],
    ['team-*', 'team-red', true],
    ['team-*', 'steam-red', false],
    ['*-team', 'red-team', true],
    ['a*b*c', 'abc', true],
    ['a*a', 'a', false],
    ['a*bc*c', 'abc', false],
    ['*', 'anything', true],
    ['**', 'anything', true],
  ])('%s and %s: %s', (pattern, room, matches) => {
    expect(matchesRoom([pattern], room)).toBe(matches)
  })

  test('agree with the regular expression that they stand for', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    fc.assert(
      fc.property(
        text,
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }),
        (p, name) => {
          const expected = new RegExp(`^${p.replaceAll('*', '.*')}$`).test(name)
          expect(matchesRoom([p], name)).toBe(expected)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('a call without a name is moderated by who may moderate everything', () => {
    expect(mayModerate({ ...none, moderate: ['*'] }, undefined)).toBe(true)
    expect(mayModerate({ ...none, moderate: ['team-*'] }, undefined)).toBe(false)
  })
})

function ask(grants: Grants, type: ClientRequestType, data: object) {
  // The table's data are of their request's type as far as grants look at them.
  return refusal(grants, type, data as never)
}

function without(lacking: string): Grants {
  const [name, item] = lacking.split('.')
  if (name === 'publish') return { ...all, publish: all.publish.filter((what) => what !== item) }
  return { ...all, [name ?? '']: name === 'rooms' ? ['other'] : false }
}
