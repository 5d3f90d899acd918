import type { ParticipantId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commit, commitsSince, create, left, newDelivery, offer, reset } from './delivery.ts'
import type { Delivery } from './delivery.ts'

const [alice, bob] = ['p-alice', 'p-bob'] as unknown as readonly [ParticipantId, ParticipantId]

describe('the delivery of a group', () => {
  test('[GROUP-1] lets one device begin it, and the others hear that it is there', () => {
    const begun = created()
    const second = create(begun, { from: bob, generation: 0, epoch: 0, groupInfo: 'b' })
    expect(second).toMatchObject({ ok: false, error: { code: 'mls-stale-epoch' } })
  })

  test('[GROUP-2] takes the first commit of an epoch, and no other', () => {
    const state = taken(commit(offer(created(), bob, 'offer'), proposal(0, { added: [bob] })))
    expect(state.group?.epoch).toBe(1)
    expect(state.waiting.size).toBe(0)
    expect(commit(state, proposal(0))).toMatchObject({ error: { code: 'mls-stale-epoch' } })
    expect(commit(state, proposal(2))).toMatchObject({ error: { code: 'mls-stale-epoch' } })
    expect(commit(newDelivery, proposal(0))).toMatchObject({ error: { code: 'mls-no-group' } })
  })

  test('[GROUP-6] keeps what a device has missed, or says that it has to enter anew', () => {
    let state = created()
    for (let epoch = 0; epoch < limits.mlsCommits + 5; epoch++) {
      state = taken(commit(state, proposal(epoch)))
    }
    const { group } = state
    if (!group) throw new Error('no group')
    expect(commitsSince(group, group.epoch - 3).map(({ epoch }) => epoch)).toEqual(
      [3, 2, 1].map((back) => group.epoch - back),
    )
    expect(commitsSince(group, group.epoch)).toEqual([])
    expect(commitsSince(group, 1)).toEqual([])
    expect(group.commits).toHaveLength(limits.mlsCommits)
  })

  test('[GROUP-6] stays small however large the commits are', () => {
    const large = 'a'.repeat(limits.mlsMessageLength)
    let state = created()
    for (let epoch = 0; epoch < 40; epoch++) {
      state = taken(commit(state, { ...proposal(epoch), commit: large }))
    }
    const kept = state.group?.commits.reduce((sum, one) => sum + one.commit.length, 0) ?? 0
    expect(kept).toBeLessThanOrEqual(limits.mlsCommitsLength)
    expect(kept).toBeGreaterThan(0)
  })

  test('[GROUP-7] learns again what it has lost from the one who is furthest ahead', () => {
    const ahead = taken(create(newDelivery, seed(alice, 7)))
    expect(taken(create(ahead, seed(bob, 9))).group?.epoch).toBe(9)
    expect(create(ahead, seed(bob, 6)).ok).toBe(false)
    // Once the group goes on, nobody sets it back or forward.
    const goes = taken(commit(ahead, proposal(7)))
    expect(create(goes, seed(bob, 20)).ok).toBe(false)
  })

  test('[GROUP-8] begins anew in a later generation only', () => {
    const anew = taken(reset(created(), 0))
    expect(anew).toMatchObject({ generation: 1, group: undefined })
    expect(reset(anew, 0)).toMatchObject({ error: { code: 'mls-no-group' } })
    expect(commit(anew, proposal(0)).ok).toBe(false)
  })

  test('forgets the offer of who has left', () => {
    expect(left(offer(newDelivery, bob, 'offer'), bob).waiting.size).toBe(0)
  })

  test('has one winner for each epoch, in whichever order requests come', () => {
    const epochs = fc.array(fc.nat({ max: 6 }), { maxLength: 40 })
    fc.assert(
      fc.property(epochs, (asked) => {
        let state = created()
        const winners: number[] = []
        for (const epoch of asked) {
          const result = commit(state, proposal(epoch))
          if (!result.ok) continue
          winners.push(epoch)
          state = result.data
        }
        expect(winners).toEqual(winners.map((_, index) => index))
      }),
    )
  })
})

function created(): Delivery {
  return taken(create(newDelivery, seed(alice, 0)))
}

function seed(from: ParticipantId, epoch: number) {
  return { from, generation: 0, epoch, groupInfo: 'info' }
}

function proposal(epoch: number, { added = [] }: { added?: readonly ParticipantId[] } = {}) {
  return { from: alice, generation: 0, epoch, commit: `c${epoch}`, groupInfo: 'info', added }
}

function taken(result: ReturnType<typeof commit>): Delivery {
  if (!result.ok) throw new Error(result.error.code)
  return result.data
}
