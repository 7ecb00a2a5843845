import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstCommit } from '../../src/services/first-commit.ts';

/** Commits by number, each with the numbers of its parents, the oldest first. */
type History = readonly (readonly number[])[];

const graph = (history: History) => {
  let asked = 0;
  const resolve = (names: readonly string[]): Promise<(string | undefined)[]> =>
    Promise.resolve(
      names.map((name) => {
        asked += 1;
        const [, id = '', kind, count = ''] = /^(\d+)([~^])(\d+)$/.exec(name) ?? [];
        let at: number | undefined = Number(id);
        if (kind === '^') at = history[at]?.[Number(count) - 1];
        else for (let step = Number(count); step > 0 && at !== undefined; step -= 1) at = history[at]?.[0];
        return at === undefined ? undefined : String(at);
      }),
    );
  return { git: { resolve }, asked: () => asked };
};

/** The commits that have `origin` among their ancestors, or are it. */
function holders(history: History, origin: number): ReadonlySet<number> {
  const found = new Set([origin]);
  for (const [commit, parents] of history.entries()) if (parents.some((parent) => found.has(parent))) found.add(commit);
  return found;
}

const histories = fc
  .array(fc.tuple(fc.nat(3), fc.oneof(fc.constant([]), fc.array(fc.nat(40), { maxLength: 20 }))), {
    minLength: 1,
    maxLength: 120,
  })
  .map((steps): History => [
    [],
    ...steps.map(([back, others], index) => [
      ...new Set([back, ...others].map((distance) => Math.max(0, index - distance))),
    ]),
  ]);

test('the first commit that holds something is the one that brought it, over whatever merges it came', async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.nat(200), async (history, chosen) => {
      const tip = history.length - 1;
      const origin = chosen % history.length;
      const holding = holders(history, origin);
      const { git } = graph(history);
      const found = await firstCommit(git, String(tip), (commit) => Promise.resolve(holding.has(Number(commit))));
      expect(found).toBe(holding.has(tip) ? String(origin) : undefined);
    }),
    { numRuns: 300 },
  );
});

test('a search in a long history asks little', async () => {
  const history: History = Array.from({ length: 100_000 }, (_, index) => (index === 0 ? [] : [index - 1]));
  const { git, asked } = graph(history);
  expect(await firstCommit(git, '99999', (commit) => Promise.resolve(Number(commit) >= 777))).toBe('777');
  expect(asked()).toBeLessThan(50);
});
