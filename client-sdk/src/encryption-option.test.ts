import { expect, test } from 'vitest'
import { CallClient } from './client.ts'
import type { CallClientOptions } from './client-options.ts'
import { CallError } from './errors.ts'
import { bareEnvironment, settle, welcomeData } from './testing.ts'

test('calls are encrypted where the app does not say, and not where it says so', async () => {
  const usual = await connect({})
  void usual.client.call('bob')
  await settle()
  expect(usual.asked('call.start')).toMatchObject([{ encrypted: true }])
  const plain = await connect({ encryption: 'off' })
  void plain.client.call('bob')
  await settle()
  expect(plain.asked('call.start')).toMatchObject([{ encrypted: false }])
})

test('a browser that cannot encrypt enters no call, and says so before it opens anything', async () => {
  const old = await connect({}, () => Promise.reject(new CallError('encryption-unsupported')))
  const refused = { code: 'encryption-unsupported', retryable: false }
  await expect(old.client.call('bob', { audio: true })).rejects.toMatchObject(refused)
  await expect(old.client.join('standup', { video: true })).rejects.toMatchObject(refused)
  expect([...old.asked('call.start'), ...old.asked('room.join')]).toEqual([])
})

test('a server that seats one among others who do not encrypt is not believed', async () => {
  const { client, environment } = await connect({})
  const joining = client.join('standup')
  await settle()
  const join = environment.link.last.requests.findLast(({ type }) => type === 'room.join')
  const view = { id: 'c1', startedBy: 'bob', answered: true, participants: [], invites: [] }
  const call = { ...view, topology: { path: 'p2p', epoch: 0 } }
  join?.answer({ ok: true, data: { call, participant: 'p-alice' } })
  expect(await joining).toMatchObject({ state: 'ended', endReason: 'failed' })
})

/** A connected client; `check` is what its browser can do. */
async function connect(
  options: Partial<CallClientOptions>,
  check: () => Promise<void> = () => Promise.resolve(),
) {
  const bare = bareEnvironment()
  const environment = { ...bare, frames: { ...bare.frames, check } }
  const url = 'http://example.org'
  const client = new CallClient({ url, token: () => 't', ...options }, environment)
  const connecting = client.connect()
  await settle()
  environment.link.last.listener.event({ seq: 0, type: 'welcome', data: welcomeData({}) })
  await connecting
  const asked = (name: string) =>
    environment.link.last.requests.flatMap(({ type, data }) => (type === name ? [data] : []))
  return { client, environment, asked }
}
