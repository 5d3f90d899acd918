import type { DeviceId, Millis, ParticipantId, UserId } from '@parley/protocol'
import { describe, expect, test } from 'vitest'
import { group, newGroupState } from './group.ts'
import { MOST_EXPLAINED } from './group-resets.ts'
import type { GroupEvent, GroupState } from './group-state.ts'

const NOW: Millis = 1_000

describe('[GROUP-8] a group that is given up', () => {
  test.for<[why: string, events: readonly GroupEvent[]]>([
    ['while all who are here are in it', []],
    ['while somebody seems to be further', [{ type: 'behind' }]],
    [
      'after messages were lost, and it was found to be the same',
      [{ type: 'resync' }, found(0, 0)],
    ],
    ['after messages were lost, and it went on', [{ type: 'resync' }, memberOf(1, 'alice', 'bob')]],
    ['after somebody has left', [roster('alice')]],
  ])('%s, is given up for nothing', ([, events]) => {
    const state = reset(run(member(), events), 1)
    expect(state.resets).toEqual({ explained: 0, unexplained: 1 })
    expect(state.phase).not.toBe('member')
  })

  test.for<[why: string, events: readonly GroupEvent[]]>([
    ['while somebody who is here has no part in it', [roster('alice', 'bob', 'carol')]],
    ['while this device was away', [{ type: 'resync' }]],
    [
      'while this device was away, and its server had lost it',
      [{ type: 'resync' }, found(0, null)],
    ],
  ])('%s, may have been of no use to somebody', ([, events]) => {
    const state = reset(run(member(), events), 1)
    expect(state.resets).toEqual({ explained: 1, unexplained: 0 })
  })

  test('is no loss to who was not in it', () => {
    const alone = run(newGroupState(idOf('alice')), [roster('alice', 'bob')])
    expect(reset(alone, 1).resets).toEqual({ explained: 0, unexplained: 0 })
    const waiting = run(alone, [found(0, 3)])
    expect(reset(waiting, 1).resets).toEqual({ explained: 0, unexplained: 0 })
  })

  test('is told of by whatever names a later one', () => {
    const later: readonly GroupEvent[] = [
      { type: 'reset', generation: 1 },
      { type: 'created', generation: 1 },
      found(1, 0),
    ]
    for (const event of later) expect(run(member(), [event]).resets.unexplained).toBe(1)
    expect(run(member(), [{ type: 'reset', generation: 0 }]).resets.unexplained).toBe(0)
  })

  test('again and again, is given up for nothing, whoever is shown', () => {
    let state = member()
    for (let generation = 1; generation <= MOST_EXPLAINED + 2; generation++) {
      state = run(state, [roster('alice', 'bob', 'carol'), memberOf(0, 'alice', 'bob')])
      state = reset(state, generation)
    }
    expect(state.resets).toEqual({ explained: MOST_EXPLAINED, unexplained: 2 })
  })
})

/** Alice, in a group with Bob. */
function member(): GroupState {
  const outside = newGroupState(idOf('alice'))
  return run(outside, [roster('alice', 'bob'), memberOf(0, 'alice', 'bob')])
}

function reset(state: GroupState, generation: number): GroupState {
  return run(state, [{ type: 'reset', generation }])
}

function run(state: GroupState, events: readonly GroupEvent[]): GroupState {
  return events.reduce((before, event) => group(before, event, NOW).state, state)
}

function roster(...users: readonly string[]): GroupEvent {
  const seats = users.map((user) => ({
    ...nameOf(user),
    participant: idOf(user),
    connected: true,
  }))
  return { type: 'roster', roster: seats }
}

function memberOf(epoch: number, ...users: readonly string[]): GroupEvent {
  const leaves = users.map((user, leaf) => ({ ...nameOf(user), leaf }))
  return { type: 'moved', view: { epoch, ownLeaf: 0, leaves }, added: [] }
}

function found(generation: number, epoch: number | null): GroupEvent {
  return { type: 'status', generation, epoch, commits: [] }
}

function nameOf(user: string) {
  return { user: user as UserId, device: 'd' as DeviceId }
}

function idOf(user: string): ParticipantId {
  return `p-${user}` as ParticipantId
}
