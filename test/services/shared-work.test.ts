import { expect, test } from 'vitest';
import { sharedWork } from '../../src/services/shared-work.ts';

function slowly() {
  const runs: PromiseWithResolvers<number>[] = [];
  const ask = sharedWork(() => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  });
  return { runs, ask };
}

test('those who ask while work is under way share the run that begins after it', async () => {
  const { runs, ask } = slowly();
  const first = ask();
  const others = [ask(), ask(), ask()];
  expect(runs).toHaveLength(1);
  runs[0]?.resolve(1);
  expect(await first).toBe(1);
  await Promise.resolve();
  runs[1]?.resolve(2);
  expect(await Promise.all(others)).toEqual([2, 2, 2]);
  expect(runs).toHaveLength(2);
});

test('a run that fails is its callers’ alone', async () => {
  const { runs, ask } = slowly();
  const first = ask();
  const second = ask();
  runs[0]?.reject(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await Promise.resolve();
  runs[1]?.resolve(2);
  expect(await second).toBe(2);
  const third = ask();
  runs[2]?.resolve(3);
  expect(await third).toBe(3);
});
