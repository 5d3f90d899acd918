import type { DeviceId, ParticipantId, UserId } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { group, groupDeadline, newGroupState } from './group.ts'
import type { GroupEvent, GroupState } from './group-state.ts'

const SELF = participant(0)

const epoch = fc.nat(5)
const commit = fc.record({
  epoch,
  from: fc.nat(3).map(participant),
  commit: fc.constantFrom('a', 'b', 'c'),
})
const device = fc.nat(3).map((n) => ({ user: `u-${n}` as UserId, device: 'd' as DeviceId }))
const seats = fc.uniqueArray(fc.nat(3), { maxLength: 4 }).chain((numbers) =>
  fc.tuple(
    ...numbers.map((n) =>
      fc.record({
        participant: fc.constant(participant(n)),
        user: fc.constant(`u-${n}` as UserId),
        device: fc.constant('d' as DeviceId),
        connected: fc.boolean(),
      }),
    ),
  ),
)
const view = fc.record({
  epoch,
  ownLeaf: fc.constant(0),
  leaves: fc.uniqueArray(fc.nat(3), { maxLength: 3 }).map((others) =>
    [0, ...others.filter((leaf) => leaf !== 0)].map((leaf) => ({
      leaf,
      user: `u-${leaf}` as UserId,
      device: 'd' as DeviceId,
    })),
  ),
})
const generation = fc.nat(2)
const type = <T extends GroupEvent['type']>(name: T) => fc.constant(name)

/** Any event, in any state: the server may be anybody's. */
const event: fc.Arbitrary<GroupEvent> = fc.oneof(
  fc.record({ type: type('roster'), roster: seats }),
  fc.record({
    type: type('waiting'),
    participant: fc.nat(400).map(participant),
    offer: device.map((name) => ({ ...name, keyPackage: 'kp' })),
  }),
  fc.record({ type: type('created'), generation }),
  fc.record({ type: type('commit'), generation, commit }),
  fc.record({
    type: type('welcome'),
    generation,
    welcome: fc.record({ epoch, welcome: fc.constant('w'), groupInfo: fc.constant('g') }),
  }),
  fc.record({ type: type('reset'), generation }),
  fc.record({
    type: type('status'),
    generation,
    epoch: fc.option(epoch),
    commits: fc.array(commit, { maxLength: 200, size: 'max' }),
    other: fc.boolean(),
  }),
  fc.record({ type: type('sent'), epoch, commit: fc.constantFrom('a', 'b') }),
  fc.record({ type: type('moved'), view, added: fc.array(device, { maxLength: 2 }) }),
  fc.record({ type: fc.constantFrom('removed', 'done', 'resync', 'behind', 'renew', 'tick') }),
  fc.record({ type: type('refused'), what: fc.constantFrom('create', 'commit', 'reseed') }),
  fc.record({ type: type('failed'), hopeless: fc.boolean(), unasked: fc.boolean() }),
)

test('whatever happens, in any order: one piece of work at a time, bounded, and never stuck', () => {
  const happening = fc.tuple(event, fc.constantFrom(0, 1, 150, 400, 2_000, 600_000))
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60, size: 'max' }), (happenings) => {
      let state: GroupState = newGroupState(SELF)
      let now = 1_000
      for (const [next, passed] of happenings) {
        now += passed
        const step = group(state, next, now)
        const [effect, ...more] = step.effects
        expect(more).toEqual([])
        if (effect) expect(step.state.busy).toBe(effect.type)
        // A commit is made for those who are here, and never to put oneself out.
        if (effect?.type === 'commit') {
          const { roster, view: seen } = step.state
          const here = roster.map((seat) => seat.participant)
          expect(effect.needs.add.every((id) => here.includes(id))).toBe(true)
          expect(effect.needs.remove).not.toContain(seen?.ownLeaf)
        }
        state = step.state
        expectSound(state)
      }
    }),
    { numRuns: 300 },
  )
})

test('offers without end take no memory without end', () => {
  let state: GroupState = newGroupState(SELF)
  for (let n = 0; n < 1_000; n++) {
    const offer = { user: `u-${n}` as UserId, device: 'd' as DeviceId, keyPackage: 'kp' }
    state = group(state, { type: 'waiting', participant: participant(n), offer }, n).state
  }
  expectSound(state)
})

function expectSound(state: GroupState): void {
  const { phase, view: seen, inbox, waiting, busy, roster } = state
  expect(phase === 'member').toBe(seen !== undefined)
  const epochs = inbox.map((one) => one.epoch)
  expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b))
  expect(inbox.length).toBeLessThanOrEqual(128)
  expect(waiting.size).toBeLessThanOrEqual(128)
  const isSeated = roster.some((seat) => seat.participant === SELF)
  const deadline = groupDeadline(state)
  if (busy !== undefined || !isSeated) expect(deadline).toBeUndefined()
  // Somebody who waits looks again by himself.
  else expect(Number.isFinite(deadline)).toBe(true)
}

function participant(n: number): ParticipantId {
  return `p-${n}` as ParticipantId
}
