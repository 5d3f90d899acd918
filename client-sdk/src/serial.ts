/** Returns a function that runs `work`, once more if asked again meanwhile, never twice at a time. */
export function serial(work: () => Promise<void>): () => void {
  let running = false
  let asked = false
  const run = async () => {
    running = true
    try {
      while (asked) {
        asked = false
        await work()
      }
    } finally {
      running = false
    }
  }
  return () => {
    asked = true
    if (!running) void run()
  }
}
