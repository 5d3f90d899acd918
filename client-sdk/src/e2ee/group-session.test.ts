import type { ParticipantId, ServerEvent } from '@parley/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { CALL, CallRoom, inOneGroup } from '../../endurance/call-room.ts'
import type { Guest } from '../../endurance/call-room.ts'
import { race } from '../../endurance/commit-race.ts'
import { until } from '../../endurance/patience.ts'

let room = new CallRoom()
afterEach(() => {
  for (const { session } of room.guests.values()) session.close()
  room = new CallRoom()
})

describe('a call', () => {
  test('[GROUP-2] keeps its people in one group as they come and go', async () => {
    const alice = await room.enter('alice')
    await room.settled()
    await room.enter('bob')
    await Promise.all(['carol', 'dave', 'erin'].map((name) => room.enter(name)))
    await room.settled()
    room.leave(alice)
    await room.settled()
    await room.enter('alice')
    await room.settled()
    expect(alarms()).toEqual([])
  })

  test('[GROUP-3] agrees after five have come and gone at the same moment, again and again', async () => {
    expect(await race({ rounds: 6, mostLagMs: 10, seed: 3 })).toHaveLength(6)
  })

  test('[GROUP-6] agrees though messages were lost, doubled and out of turn while five raced', async () => {
    expect(await race({ rounds: 5, mostLagMs: 10, seed: 7, lossy: true })).toHaveLength(5)
  })

  test('[GROUP-7] goes on when the server has forgotten its group', async () => {
    const alice = await room.enter('alice')
    await room.enter('bob')
    await room.settled()
    const epoch = alice.session.group?.epoch
    room.forget()
    await room.enter('carol')
    await room.settled()
    // The same group, one commit further: nobody had to begin again.
    expect(alice.session.group?.epoch).toBe((epoch ?? 0) + 1)
  })

  test.each([
    ['as far as each other', 0, 0],
    ['further at the server that they come back to', 2, 0],
    ['further at the one that they come from', 0, 2],
  ])(
    '[GROUP-7] finds together again after two servers had it, %s',
    async (_how, renewals, renewalsApart) => {
      const [alice, bob] = await both()
      const [carol, dave] = [await room.enter('carol'), await room.enter('dave')]
      await room.settled()
      const [here, apart] = [
        [alice, bob],
        [carol, dave],
      ] as const
      room.part(apart)
      await until(() => inOneGroup(here) && inOneGroup(apart))
      await renew(here, renewals)
      await renew(apart, renewalsApart)
      room.meet()
      await room.settled()
      expect(alarms()).toEqual([])
    },
  )

  test('[GROUP-5] lets one in who is not asked in', async () => {
    await room.enter('alice')
    await room.settled()
    room.tamper = (event) => (event.type === 'mls.waiting' ? undefined : event)
    await room.enter('bob')
    await room.settled()
  })

  test('[GROUP-6] catches up on commits that were lost on the way', async () => {
    const [, bob] = await both()
    room.tamper = (event, to) => (isCommit(event) && to === bob ? undefined : event)
    await room.enter('carol')
    await until(() => room.guests.size === 3 && epochsOf('alice') > epochsOf('bob'))
    room.tamper = (event) => event
    bob.session.resync()
    await room.settled()
  })

  test('[GROUP-4] renews its keys when asked to', async () => {
    const [alice] = await both()
    const epoch = alice.session.group?.epoch ?? 0
    alice.session.renew()
    await until(() => epochsOf('alice') > epoch && room.agrees)
  })
})

describe('a hostile server', () => {
  test('that adds a ghost with a certificate of its own making is refused', async () => {
    const [alice] = await both()
    const stranger = new CallRoom()
    const ghost = await stranger.enter('mallory')
    await until(() => ghost.session.group !== undefined)
    let offer = ''
    stranger.tamper = (event) => {
      if (event.type === 'mls.waiting') offer = event.data.keyPackage
      return event
    }
    const second = await stranger.enter('mallory2')
    await until(() => offer !== '')
    const participant = alice.participant
    // In the name of somebody who sits here: the certificate says another name.
    room.tell(alice, { type: 'mls.waiting', data: { call: CALL, participant, keyPackage: offer } })
    await room.enter('carol')
    await room.settled()
    expect(alice.session.group?.members.map(({ user }) => user).sort()).toEqual([
      'alice',
      'bob',
      'carol',
    ])
    for (const guest of [ghost, second]) guest.session.close()
  })

  test('that injects a key package without a certificate raises an alarm', async () => {
    const [alice] = await both()
    const participant = 'p-9' as ParticipantId
    room.tell(alice, { type: 'mls.waiting', data: { call: CALL, participant, keyPackage: 'AAAA' } })
    await until(() => alice.alarms.some(({ kind }) => kind === 'bad-offer'))
  })

  test('that replays a commit changes nothing', async () => {
    const [alice, bob] = await both()
    const seen: ServerEvent[] = []
    room.tamper = (event) => {
      if (isCommit(event)) seen.push(event)
      return event
    }
    await room.enter('carol')
    await room.settled()
    const epoch = alice.session.group?.epoch
    room.tamper = (event) => event
    for (const event of seen) for (const guest of [alice, bob]) room.tell(guest, event)
    await room.enter('dave')
    await room.settled()
    expect(alice.session.group?.epoch).toBe((epoch ?? 0) + 1)
    expect(alarms()).toEqual([])
  })

  test('that replays an old commit as a new one is found out', async () => {
    const [alice] = await both()
    let old: ServerEvent | undefined
    room.tamper = (event) => {
      if (isCommit(event)) old = event
      return event
    }
    await room.enter('carol')
    await room.settled()
    if (old?.type !== 'mls.commit') throw new Error('no commit was seen')
    const epoch = alice.session.group?.epoch ?? 0
    room.tell(alice, { type: 'mls.commit', data: { ...old.data, epoch } })
    await until(() => alice.alarms.some(({ kind }) => kind === 'bad-commit'))
    await room.settled()
  })

  test('that keeps commits from one member is found out', async () => {
    const [alice, bob] = await both()
    room.tamper = (event, to) => (isCommit(event) && to === bob ? undefined : event)
    room.hideFrom = bob.participant
    await room.enter('carol')
    await until(() => (alice.session.group?.members.length ?? 0) === 3)
    // The others talk on: what they say is of an epoch that bob is not shown.
    await alice.session.send(new Uint8Array([1]))
    await until(() => bob.alarms.some(({ kind }) => kind === 'withheld-commit'))
  })
})

/** Has them go on by so many commits. */
async function renew(guests: readonly Guest[], times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const [first] = guests
    const epoch = first?.session.group?.epoch ?? 0
    first?.session.renew()
    await until(() => inOneGroup(guests) && (first?.session.group?.epoch ?? 0) > epoch)
  }
}

async function both(): Promise<readonly [Guest, Guest]> {
  const alice = await room.enter('alice')
  const bob = await room.enter('bob')
  await room.settled()
  return [alice, bob]
}

function isCommit({ type }: ServerEvent): boolean {
  return type === 'mls.commit'
}

function epochsOf(user: string): number {
  const guest = [...room.guests.values()].find((one) => one.user === user)
  return guest?.session.group?.epoch ?? -1
}

function alarms() {
  return [...room.guests.values()].flatMap((guest) => guest.alarms)
}
