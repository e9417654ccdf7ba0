import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/**
 * Prints, after vitest's own summary, every test that could not run with its reason, and the count of the run on one
 * plain line: `N passed, N failed, N skipped`.
 */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], _reason: TestRunEndReason): void {
    let passed = 0;
    let failed = errors.length;
    const skipped: string[] = [];
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') passed++;
        else if (result.state === 'failed') failed++;
        else skipped.push(`${test.fullName}${result.state === 'skipped' && result.note ? `: ${result.note}` : ''}`);
      }
    }
    // The default reporter prints its summary in the same hook; ours comes last.
    setImmediate(() => {
      if (skipped.length > 0) {
        process.stdout.write(`\nCould not run here (${skipped.length}):\n`);
        for (const name of skipped) process.stdout.write(`  ${name}\n`);
      }
      process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
    });
  }
}
