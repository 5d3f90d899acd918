import type { UserId } from '@parley/protocol'
import { describe, expect, test } from 'vitest'
import { oldToken, soon, useCluster } from './testing.ts'
import type { TestNode } from './testing.ts'

const cluster = useCluster()

const isRefused = async (at: TestNode, user: string) => {
  const answer = await at.hub.admit(await oldToken(user))
  return !answer.ok && answer.error.code === 'revoked'
}

describe('a revocation by one signaling process', { timeout: 60_000 }, () => {
  test('[REVOKE-1] ends the sessions of another one, which refuses the tokens from then on', async () => {
    const a = await cluster.node()
    const b = await cluster.node()
    const bob = b.connect('bob')
    const carol = b.connect('carol')
    a.hub.revoke({ user: 'bob' as UserId })
    await soon(() => bob.socket.closed)
    expect(bob.socket.heard('session.closed')).toEqual([{ code: 'revoked' }])
    expect(carol.socket.closed).toBe(false)
    expect([await isRefused(b, 'bob'), await isRefused(b, 'carol')]).toEqual([true, false])
  })

  test('[REVOKE-1] is known to one that starts later', async () => {
    const a = await cluster.node()
    const b = await cluster.node()
    a.hub.revoke({ user: 'dave' as UserId })
    await soon(() => isRefused(b, 'dave'))
    const c = await cluster.node()
    await soon(() => isRefused(c, 'dave'))
  })

  test('[REVOKE-1] reaches the others after an outage of Redis', async () => {
    const a = await cluster.node()
    const b = await cluster.node()
    await cluster.redis.kill()
    await soon(() => !a.isUp() && !b.isUp())
    a.hub.revoke({ user: 'erin' as UserId })
    expect([await isRefused(a, 'erin'), await isRefused(b, 'erin')]).toEqual([true, false])
    await cluster.redis.start()
    await soon(() => isRefused(b, 'erin'))
  })
})
