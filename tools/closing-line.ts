import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with one plain line that people and scripts can read. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1
      // A file that does not even load has no tests to count.
      if (module.state() === 'failed' && counts.failed === 0) counts.failed += 1
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed`)
  }
}
