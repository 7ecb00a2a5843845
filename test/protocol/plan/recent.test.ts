import { expect, test } from 'vitest';
import { parsePlan } from '../../../src/protocol/plan/parse.ts';
import { aliveBytes } from '../../support/memory.ts';

const NODES = 4_000;

/** A plan of half a megabyte, of which the first `done` nodes are done. */
const planText = (done: number): string =>
  `# Team Project: Long\n\n## DAG Task Plan\n\n${Array.from(
    { length: NODES },
    (_, index) =>
      `- [${index < done ? 'x' : ' '}] t-${index} — ${'A title that takes its room '.repeat(3)} (assigned: @ana:local)\n`,
  ).join('')}`;

test('a plan that changes a line at a time holds none of the texts that it had before the last few', () => {
  for (let done = 0; done < 20; done += 1) parsePlan(planText(done));
  const before = aliveBytes();
  for (let done = 20; done < 120; done += 1)
    expect(parsePlan(planText(done)).nodes[done - 1]?.status).toBe('completed');
  // Each of the hundred texts has more than half a million characters.
  expect(aliveBytes() - before).toBeLessThan(20 * planText(0).length);
});
