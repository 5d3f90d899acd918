import type { Millis, UserId } from '@parley/protocol'
import { REVOCATION_LIFE_MS } from '../core/revocations.ts'
import type { RevocationTarget } from '../core/revocations.ts'
import { redisKey } from '../redis/connection.ts'
import type { RedisConnection } from '../redis/connection.ts'

/** Revocation → when it was made, ms since the epoch. */
const REVOKED = redisKey('revoked')

/** Told here while Redis is away; the oldest go first. */
const MOST_UNSENT = 10_000

/** A withdrawal and its time. */
export interface Revocation {
  readonly target: RevocationTarget
  readonly at: Millis
}

export type RevocationListener = (revocations: readonly Revocation[]) => void

/** Brings revocations to all processes: those that run, those that start later, and after outages. */
export interface RevocationFeed {
  share(revocation: Revocation): void
  /** Sets who is told what others have withdrawn, or what was withdrawn before this process began. */
  onRevoked(listener: RevocationListener): void
}

/** By a sorted set that everybody reads when Redis is there, and a channel for what is new. */
export function redisRevocations(redis: RedisConnection): RevocationFeed {
  let unsent: Revocation[] = []
  const send = async (revocation: Revocation) => {
    const member = textOf(revocation.target)
    const oldest = revocation.at - REVOCATION_LIFE_MS
    const sent = await redis.run(async (r) => {
      await r.zadd(REVOKED, 'GT', `${revocation.at}`, member)
      await r.zremrangebyscore(REVOKED, '-inf', `${oldest}`)
      await r.publish(REVOKED, JSON.stringify([member, revocation.at]))
    })
    if (!sent.ok) unsent = [...unsent, revocation].slice(-MOST_UNSENT)
  }
  const load = async (tell: RevocationListener) => {
    const known = await redis.run((r) => r.zrange(REVOKED, '0', '-1', 'WITHSCORES'))
    if (!known.ok) return
    const found: Revocation[] = []
    for (let i = 0; i + 1 < known.data.length; i += 2) {
      const target = targetOf(known.data[i])
      if (target) found.push({ target, at: Number(known.data[i + 1]) })
    }
    tell(found)
  }
  return {
    share: (revocation) => void send(revocation),
    onRevoked(tell) {
      void redis.subscribe(REVOKED, (message) => {
        const revocation = parse(message)
        if (revocation) tell([revocation])
      })
      redis.onState((isUp) => {
        if (!isUp) return
        const waiting = unsent
        unsent = []
        for (const revocation of waiting) void send(revocation)
        void load(tell)
      })
    },
  }
}

function textOf(target: RevocationTarget): string {
  return 'tokenId' in target ? `t:${target.tokenId}` : `u:${target.user}`
}

function targetOf(text: string | undefined): RevocationTarget | undefined {
  if (text?.startsWith('t:')) return { tokenId: text.slice(2) }
  // It was checked by the process that wrote it.
  return text?.startsWith('u:') ? { user: text.slice(2) as UserId } : undefined
}

/** What another process of this version has written; anything else is no revocation. */
function parse(message: string): Revocation | undefined {
  try {
    const [member, at] = JSON.parse(message) as [unknown, unknown]
    const target = typeof member === 'string' ? targetOf(member) : undefined
    return target && typeof at === 'number' ? { target, at } : undefined
  } catch {
    return undefined
  }
}
