import type { Caller } from './caller.ts'
import { until } from './patience.ts'

/** Waits until all are encrypted and show one code. */
export async function areEncrypted(people: readonly Caller[]): Promise<void> {
  await until(
    'all are encrypted, and show one code',
    async () => {
      const sights = await Promise.all(people.map((one) => one.look()))
      return sights.map(({ encrypted, verification }) => ({ encrypted, verification }))
    },
    ([first, ...rest]) =>
      first?.encrypted === true &&
      first.verification !== undefined &&
      rest.every(({ encrypted, verification }) => encrypted && verification === first.verification),
  )
}

/**
 * Waits until all are encrypted; what it answers fails where any of them is told from then on that his
 * call is not. Pages write down each change as they hear of it. To be begun when all see each other:
 * a call that has just shown that it is encrypted takes that back until one's own camera is, too.
 */
export async function encryptedFromNow(people: readonly Caller[]): Promise<() => Promise<void>> {
  await areEncrypted(people)
  const before = await Promise.all(people.map(async (one) => (await one.look()).log.length))
  return async () => {
    await areEncrypted(people)
    for (const [i, one] of people.entries()) {
      const { log } = await one.look()
      const isWrong = log.slice(before[i]).includes('encrypted false')
      if (isWrong) throw new Error(`${one.user} was told: ${log.join(', ')}`)
    }
  }
}
