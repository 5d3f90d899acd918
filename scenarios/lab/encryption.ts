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
 * The same, and fails where any of them was told since he came that his call is not encrypted. Pages
 * write down each change as they hear of it.
 */
export async function wereEncryptedAllAlong(people: readonly Caller[]): Promise<void> {
  await areEncrypted(people)
  for (const one of people) {
    const { log } = await one.look()
    if (log.includes('encrypted false')) throw new Error(`${one.user} was told: ${log.join(', ')}`)
  }
}
