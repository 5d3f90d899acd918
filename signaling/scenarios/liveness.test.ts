import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startStage, token } from './stage.ts'

const ADMIN = 'only operators know this one'
const PATIENCE = { timeout: 45_000, interval: 100 }

test('[LIVE-1] a client that falls silent without a word is noticed', async () => {
  const stage = await startStage({ PARLEY_LIVENESS: '6', PARLEY_ADMIN_SECRET: ADMIN })
  onTestFinished(() => stage.close())
  const file = fileURLToPath(new URL('silent-client.ts', import.meta.url))
  const bob = fork(file, [stage.url, 'bob', await token('bob')])
  onTestFinished(async () => {
    const gone = once(bob, 'exit')
    bob.kill('SIGKILL')
    await gone
  })
  await once(bob, 'message')
  expect(await connected(stage.url)).toEqual([true])

  // Stopped, it answers nothing; its kernel goes on to acknowledge what comes.
  bob.kill('SIGSTOP')
  await vi.waitFor(async () => expect(await connected(stage.url)).toEqual([false]), PATIENCE)
})

test('[LIVE-1] that takes fifteen seconds at most where nothing else is set', async () => {
  const stage = await startStage()
  onTestFinished(() => stage.close())
  const socket = new WebSocket(
    `${stage.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
  )
  onTestFinished(() => socket.close())
  const opening = await new Promise<string>((resolve) => {
    socket.onmessage = ({ data }) => resolve(String(data))
  })
  const { pingInterval, pingTimeout } = JSON.parse(opening.slice(1)) as Record<string, number>
  // Silence that begins just after a pong lasts for both.
  expect(Number(pingInterval) + Number(pingTimeout)).toBeLessThanOrEqual(15_000)
})

/** For each session of Bob's, whether it has a socket. */
async function connected(url: string): Promise<readonly boolean[]> {
  const response = await fetch(`${url}/admin/v1/users/bob`, {
    headers: { authorization: `Bearer ${ADMIN}` },
  })
  const { sessions } = (await response.json()) as { sessions: { connected: boolean }[] }
  return sessions.map((session) => session.connected)
}
