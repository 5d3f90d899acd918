import type { CallId, CallView, DeviceId, ParticipantId, UserId } from '@parley/protocol'
import { expect, test, vi } from 'vitest'
import type { Request } from '../signaling.ts'
import { ManualClock } from '../testing.ts'
import { CallEncryption } from './call-encryption.ts'
import type { SecurityAlarm } from './call-encryption.ts'
import type { Group, GroupKeyAgreement, GroupMember } from './group-key-agreement.ts'
import { Identity, memoryIdentityStore, trustOnFirstUse } from './identity/identity.ts'
import { toText } from './octets.ts'

const CALL = 'the-call' as CallId
const PEOPLE = ['alice', 'bob', 'mallory', 'carol']

test('[IDENT-3] an epoch with somebody in it who has changed is not used, the one before goes on', async () => {
  const { alice, told, alarms, commit } = await aliceWhoKnowsAnotherCarol()
  await commit(1, ['alice', 'bob'])
  await vi.waitFor(() => expect(told).toEqual(['epoch 0', 'epoch 1']), WAIT)
  await commit(2, ['alice', 'bob', 'carol'])
  await vi.waitFor(() => expect(alarms).toEqual(['identity-changed p-carol']), WAIT)
  expect(alice.assessmentOf(seat('carol'))).toMatchObject({ state: 'changed', decision: 'hold' })
  expect(told).toEqual(['epoch 0', 'epoch 1'])
  await alice.accept(seat('carol'))
  expect(told).toEqual(['epoch 0', 'epoch 1', 'epoch 2'])
  alice.close()
})

test('[IDENT-3] once somebody has left who knows the epoch in use, nothing goes on with it', async () => {
  const { alice, told, alarms, commit } = await aliceWhoKnowsAnotherCarol()
  await commit(1, ['alice', 'bob', 'mallory'])
  await commit(2, ['alice', 'bob', 'mallory', 'carol'])
  await vi.waitFor(() => expect(alarms).toEqual(['identity-changed p-carol']), WAIT)
  // Else a server that brings in somebody whom nobody trusts could keep a removed member listening.
  await commit(3, ['alice', 'bob', 'carol'])
  await vi.waitFor(() => expect(told).toEqual(['epoch 0', 'epoch 1', 'stopped']), WAIT)
  await commit(4, ['alice', 'bob'])
  await vi.waitFor(() => expect(told.at(-1)).toBe('epoch 4'), WAIT)
  alice.close()
})

/** A machine that is three times slower than ours still makes it. */
const WAIT = { timeout: 45_000 }

/** Alice in a call whose group changes as the test says; she has met Carol with another key. */
async function aliceWhoKnowsAnotherCarol() {
  const request = ((type: string) =>
    Promise.resolve(
      type === 'mls.offer' ? { generation: 0, epoch: null, waiting: [] } : { entries: [] },
      // What else is asked for here needs no answer.
    )) as unknown as Request
  const identity = await Identity.open({
    store: memoryIdentityStore(),
    request,
    trust: trustOnFirstUse,
    user: 'alice' as UserId,
    now: () => 0,
  })
  await identity.assess({ ...memberOf('carol', 0), deviceKey: new Uint8Array(65).fill(99) })
  const script = new Map<number, readonly string[]>([[0, ['alice']]])
  const groupAt = (epoch: number) => scriptedGroup(epoch, script)
  const agreement = {
    offer: () => Promise.resolve(new Uint8Array(1)),
    create: () => Promise.resolve(groupAt(0)),
    // The group is begun here, and nobody is taken in by this device.
  } as unknown as GroupKeyAgreement
  const alice = new CallEncryption({
    call: CALL,
    self: seat('alice'),
    clock: new ManualClock(),
    request,
    identity: Promise.resolve(identity),
    hears: () => true,
    agreement: Promise.resolve(agreement),
  })
  const told: string[] = []
  alice.listen({
    epoch: ({ epoch }) => told.push(`epoch ${epoch}`),
    allReady: () => undefined,
    stopped: () => told.push('stopped'),
  })
  const alarms: string[] = []
  alice.on('alarm', ({ kind, participant }: SecurityAlarm) => alarms.push(`${kind} ${participant}`))
  const participants = PEOPLE.map((user) => {
    return { id: seat(user), user, device: `d-${user}`, connected: true }
  })
  // The rest of a view is of no interest to keys.
  alice.update({ participants } as unknown as CallView)
  await vi.waitFor(() => expect(told).toEqual(['epoch 0']), WAIT)
  return {
    alice,
    told,
    alarms,
    /** Somebody's commit begins `epoch` with these members. */
    commit: async (epoch: number, users: readonly string[]) => {
      script.set(epoch, users)
      const bytes = toText(Uint8Array.of(epoch))
      const data = { call: CALL, generation: 0, epoch: epoch - 1, from: seat('bob'), commit: bytes }
      alice.handle({ type: 'mls.commit', data })
      const last = users.at(-1) ?? ''
      await vi.waitFor(() => expect(alice.memberOf(seat(last))).toBeDefined(), WAIT)
    },
  }
}

function scriptedGroup(epoch: number, script: ReadonlyMap<number, readonly string[]>): Group {
  const users = script.get(epoch) ?? []
  const group = {
    epoch,
    ownLeaf: 0,
    members: users.map((user) => memberOf(user, PEOPLE.indexOf(user))),
    authenticator: new Uint8Array(32),
    exportSecret: () => Promise.resolve(new Uint8Array(16)),
    publicState: () => Promise.resolve(new Uint8Array(1)),
    process: ([next = 0]: Uint8Array) =>
      Promise.resolve({ group: scriptedGroup(next, script), added: [] }),
    seal: () => Promise.resolve({ sealed: new Uint8Array(1), group }),
  }
  // This device prepares nothing, and nobody sends it messages.
  return group as unknown as Group
}

function memberOf(user: string, leaf: number): GroupMember {
  const deviceKey = new Uint8Array(65).fill(leaf)
  return { user: user as UserId, device: `d-${user}` as DeviceId, deviceKey, leaf }
}

function seat(user: string): ParticipantId {
  return `p-${user}` as ParticipantId
}
