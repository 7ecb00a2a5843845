import { expect, test } from 'vitest';
import type { Finding } from '../../src/rules/consistency.ts';
import { createCalm } from '../../src/services/calm.ts';

const finding = (key: string, kind = 'orphan-task'): Finding => ({
  key,
  kind,
  severity: 'warning',
  message: key,
  remedy: '',
});
const standing = (...findings: readonly Finding[]): ReadonlyMap<string, Finding> =>
  new Map(findings.map((one) => [one.key, one]));

test('what contradicts itself is told once it has stood for a moment, and a broken file at once', () => {
  const calm = createCalm(1000);
  const [orphan, broken] = [finding('a'), finding('b', 'broken-file')];
  expect(calm.due([orphan, broken], standing(orphan, broken), 0)).toEqual([broken]);
  expect([calm.waits(), calm.due([], standing(orphan, broken), 999)]).toEqual([true, []]);
  expect(calm.due([], standing(orphan, broken), 1000)).toEqual([orphan]);
  expect([calm.waits(), calm.due([], standing(orphan, broken), 5000)]).toEqual([false, []]);
});

test('what is mended within the moment is not told, and begins anew when it returns', () => {
  const calm = createCalm(1000);
  const orphan = finding('a');
  expect(calm.due([orphan], standing(orphan), 0)).toEqual([]);
  expect([calm.due([], standing(), 500), calm.waits()]).toEqual([[], false]);
  expect(calm.due([orphan], standing(orphan), 1500)).toEqual([]);
  expect(calm.due([], standing(orphan), 2500)).toEqual([orphan]);
});

test('without a moment everything is told at once', () => {
  const orphan = finding('a');
  expect(createCalm(0).due([orphan], standing(orphan), 7)).toEqual([orphan]);
});
