const LOOK_EVERY_MS = 2
const PATIENCE_MS = 45_000

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  const began = performance.now()
  while (!isSo()) {
    if (performance.now() - began > PATIENCE_MS) throw new Error(`never so: ${String(isSo)}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
