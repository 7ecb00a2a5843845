import type { Reporter, TestModule } from 'vitest/node';

/** Why tests could not run here is part of the name of the group that was skipped. */
const REASON = /\(skipped: (.+)\)/;

/** Prints the totals alone on the last line, in a form that needs no knowledge of the runner; above it, what was skipped and why. */
class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const reasons = new Map<string, number>();
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') counts[state] += 1;
        const reason = state === 'skipped' ? REASON.exec(test.fullName)?.[1] : undefined;
        if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    const { passed, failed, skipped } = counts;
    // After the runner's own summary, which is printed in the same turn.
    process.once('exit', () => {
      for (const [reason, count] of reasons) process.stdout.write(`${count} skipped: ${reason}\n`);
      process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
}

export default TotalsReporter;
