import { expect, test } from 'vitest'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { RedisProcess } from './lab/redis-process.ts'
import { freePort } from './lab/service-process.ts'

const CHROMIUM = 0
const FIREFOX = 1
const RUNG_WITH = 'The key is under the flowerpot.'
const MISSED_WITH = 'I will be there at a quarter past nine.'

test.each([
  { encryption: 'required', so: 'and Redis is not told them' },
  { encryption: 'off', so: 'and Redis is told those that wait' },
])(
  'words that go with a ring are read as it rings, and when it was missed; encryption is $encryption, $so',
  async ({ encryption }) => {
    const redis = new RedisProcess(await freePort())
    await redis.start()
    const lab = await openLab(['chromium', 'firefox'], { env: { PARLEY_REDIS_URL: redis.url } })
    try {
      const heard = await redis.overhear()
      await sayTwice(lab, encryption)
      const stored = heard()
      expect(stored).toContain('alice')
      expect(holds(stored, MISSED_WITH)).toBe(encryption === 'off')
    } finally {
      await lab.close()
      await redis.kill()
    }
  },
)

/** Alice says something with a ring that Bob hears, and with one while his page is closed. */
async function sayTwice(lab: Lab, encryption: string): Promise<void> {
  const alice = await lab.arrive(CHROMIUM, 'alice', { encryption })
  const bob = await lab.arrive(FIREFOX, 'bob', { encryption })
  await alice.do('call', 'bob', RUNG_WITH)
  await bob.sees('the words', ({ log }) => log.includes(`rung with: ${RUNG_WITH}`))
  await bob.do('decline')
  await alice.sees('that he declines', ({ state }) => state === 'ended')
  await bob.close()
  // It rings for as long as his page may come back; nobody is there after that. Both are missed.
  await alice.do('call', 'bob', MISSED_WITH).then(
    () => alice.do('hangup'),
    () => undefined,
  )
  const again = await lab.arrive(FIREFOX, 'bob', { encryption })
  await again.sees('the words', ({ log }) => log.includes(`missed alice: ${MISSED_WITH}`))
}

/** Whether words stand there as they are, or as messages carry what is not sealed. */
function holds(text: string, words: string): boolean {
  const carried = Buffer.from(`\0${words}`).toString('base64url')
  return text.includes(words) || text.includes(carried)
}
