import { defineConfig } from 'vitest/config';
import TotalsReporter from './totals-reporter.ts';

/** Real git and real processes take their time on two cores; the limits only catch what hangs. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/scratch.ts', 'test/support/synapse/shared.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', new TotalsReporter()],
  },
});
