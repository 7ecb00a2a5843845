import { defineConfig } from 'vitest/config';
import TotalsReporter from './totals-reporter.ts';

const root = new URL('..', import.meta.url).pathname;

/**
 * Pure: these files share one copy of all modules, as to load them anew takes longer than most of them. Not among them is
 * what weighs the heap (`recent`), and what has repositories that go with their file (`prepared.ts`).
 */
const SHARED = 'test/{protocol,rules,dialects,flows}/**/!(recent|durability|executor).test.ts';

/** Real git and real processes take their time on two cores; the limits only catch what hangs. */
export default defineConfig({
  test: {
    root,
    globalSetup: [
      'test/support/scratch.ts',
      'test/support/compiled.ts',
      'test/support/program.ts',
      'test/support/synapse/shared.ts',
    ],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', new TotalsReporter()],
    // In the order of their names: what is short comes last, so that no core is idle for long.
    projects: [
      { test: { root, name: 'own', include: ['test/**/*.test.ts'], exclude: [SHARED] } },
      { test: { root, name: 'shared', include: [SHARED], isolate: false } },
    ],
  },
});
