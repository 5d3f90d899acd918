/** How long anything that a person waits for may take. Generous: browsers share two cores here. */
export const PATIENCE_MS = 45_000

/** How often a condition is looked at. */
export const LOOK_EVERY_MS = 150

/** Looks again and again until `test` accepts what it sees; fails with what it saw last. */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  test: (seen: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const seen = await look()
    if (test(seen)) return seen
    if (Date.now() > deadline) throw new Error(`never: ${what}; last: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
