import { expect, test } from 'vitest';
import { createProcessMemory } from '../../src/adapters/process-memory.ts';

test('what a burst has left behind is returned to the system', () => {
  const memory = createProcessMemory();
  memory.giveBack();
  const rest = memory.held();
  // Kept until all of it is there, so that no collection before takes it.
  const burst: { numbers: number[] } = { numbers: [] };
  for (let count = 0; count < 4_000_000; count += 1) burst.numbers.push(count + 0.5);
  const highest = memory.held();
  burst.numbers = [];
  memory.giveBack();
  expect(highest - rest).toBeGreaterThan(20_000_000);
  expect(memory.held() - rest).toBeLessThan((highest - rest) / 2);
});
