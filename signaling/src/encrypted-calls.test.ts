import { beforeEach, expect, test } from 'vitest'
import type { Hub } from './hub.ts'
import { testHub, TestPerson } from './testing-hub.ts'
import { ManualEnvironment } from './testing.ts'

const media = { audio: true, video: true }
const encrypted = true
const inRoom = { room: 'standup', media, topology: 'auto' }

let env: ManualEnvironment
let hub: Hub
let alice: Person
let bob: Person
let carol: Person

beforeEach(() => {
  env = new ManualEnvironment()
  hub = testHub({ env })
  ;[alice, bob, carol] = [new Person('alice'), new Person('bob'), new Person('carol')]
})

test('[CALL-5] an encrypted call takes in those who encrypt, and tells the others what to do', async () => {
  await alice.ask('call.start', { call: 'c1', users: ['bob'], media, encrypted })
  const plain = await bob.ask('call.accept', { call: 'c1', media })
  expect(plain).toMatchObject(refused('encryption-required'))
  expect(JSON.stringify(plain)).toContain('`encryption` option')
  // It rings on, for another device of his.
  expect(await bob.ask('call.accept', { call: 'c1', media, encrypted })).toMatchObject({
    data: { call: { encrypted } },
  })
  await alice.ask('call.invite', { call: 'c1', users: ['carol'], media })
  const joined = await carol.ask('call.join', { call: 'c1', media })
  expect(joined).toMatchObject(refused('encryption-required'))
})

test('[CALL-5] a call that is not encrypted takes in nobody who is', async () => {
  await alice.ask('room.join', inRoom)
  expect(await bob.ask('room.join', { ...inRoom, encrypted })).toMatchObject(
    refused('call-not-encrypted'),
  )
  expect(await bob.ask('room.join', inRoom)).toMatchObject({ ok: true })
})

test('[CALL-5] two who call each other, one of them without, do not meet', async () => {
  await alice.ask('call.start', { call: 'c1', users: ['bob'], media, encrypted })
  const crossing = await bob.ask('call.start', { call: 'c2', users: ['alice'], media })
  expect(crossing).toMatchObject(refused('encryption-required'))
})

test('[CALL-5] an encrypted call is not merged into another one', async () => {
  await alice.ask('call.start', { call: 'c1', users: ['bob'], media, encrypted })
  await bob.ask('call.accept', { call: 'c1', media, encrypted })
  await alice.ask('call.start', { call: 'c2', users: ['carol'], media })
  await carol.ask('call.accept', { call: 'c2', media })
  const merge = await alice.ask('call.merge', { call: 'c1', into: 'c2' })
  expect(merge).toMatchObject(refused('call-not-encrypted'))
})

test('[CALL-5] a call brought back by tickets is as it was', async () => {
  await alice.ask('room.join', { ...inRoom, encrypted })
  await bob.ask('room.join', { ...inRoom, encrypted })
  const { ticket } = bob.socket.heard('call.ticket').at(-1) as { ticket: string }
  hub = testHub({ env })
  const back = await new Person('bob').ask('call.resume', { ticket })
  expect(back).toMatchObject({ data: { call: { encrypted } } })
  expect(await new Person('carol').ask('room.join', inRoom)).toMatchObject(
    refused('encryption-required'),
  )
})

function refused(code: string) {
  return { ok: false, error: { code, retryable: false } }
}

class Person extends TestPerson {
  constructor(user: string) {
    super(hub, { user, device: 'laptop' })
  }
}
