import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { growthAsMarkdown, growthAsText, shapesOf } from './growth-shape.ts';
import type { Growth } from './growth-shape.ts';
import { spreadOf } from './numbers.ts';
import { script } from './script-run.ts';
import { slowWire } from './slow-wire.ts';

describe('npm run bench -- --growth', () => {
  test(
    'measures every column over a wire, in its small form, and prints one document',
    { timeout: 300_000 },
    async () => {
      const { code, stdout, stderr } = await script('main.ts', '--growth', 'round-trip', '--small', '--json');
      expect(code, stderr).toBe(0);
      const { growth } = JSON.parse(stdout) as { readonly growth: readonly Growth[] };
      const [wire, ...others] = growth;
      expect(others).toEqual([]);
      expect(wire).toMatchObject({ axis: 'round-trip', rows: [{ at: 10 }] });
      for (const { costs, notes } of wire?.rows ?? []) {
        expect(notes).toEqual([]);
        expect(Object.keys(costs).sort()).toEqual(['answered', 'delegation', 'known', 'script', 'shared']);
      }
    },
  );

  test('refuses what cannot grow, and tells what can', async () => {
    const { code, stdout, stderr } = await script('main.ts', '--growth', 'P1');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('p1: what can grow is tasks, workers, plan, round-trip');
  });
});

describe('a growth', () => {
  const growthOf = (
    scale: Growth['scale'],
    values: readonly (readonly [at: number, ms: number | undefined])[],
  ): Growth => ({
    axis: 'tasks',
    what: 'tasks in the tree',
    scale,
    rows: values.map(([at, ms]) => ({
      at,
      label: String(at),
      costs: ms === undefined ? {} : { delegation: spreadOf([ms]) },
      notes: ms === undefined ? ['not measured'] : [],
    })),
  });
  const wordsOf = (...given: Parameters<typeof growthOf>): readonly string[] =>
    shapesOf(growthOf(...given)).map(({ words }) => words);

  test('is told in words, with the exponent that fits best', () => {
    expect(
      wordsOf('ratio', [
        [10, 5],
        [100, 5],
        [1000, 5],
      ]),
    ).toEqual(['does not grow: × 1 for each tenfold (exponent 0.00)']);
    expect(
      wordsOf('ratio', [
        [10, 5],
        [1000, 500],
      ]),
    ).toEqual(['grows in proportion: × 10 for each tenfold (exponent 1.00)']);
    expect(
      wordsOf('ratio', [
        [10, 1],
        [1000, 10],
      ]),
    ).toEqual(['grows, less than in proportion: × 3.16 for each tenfold (exponent 0.50)']);
  });

  test('along the wire is told in round trips', () => {
    expect(
      wordsOf('difference', [
        [0, 10],
        [20, 70],
        [100, 310],
      ]),
    ).toEqual(['takes 3.0 round trips']);
    expect(
      wordsOf('difference', [
        [0, 10],
        [100, 11],
      ]),
    ).toEqual(['does not wait for the wire']);
  });

  test('has no shape where no line fits, or with a single value', () => {
    expect(
      wordsOf('ratio', [
        [1, 1],
        [10, 100],
        [100, 1],
      ]),
    ).toEqual(['is between 1 and 100 ms, without a simple shape']);
    expect(
      wordsOf('ratio', [
        [1, 1],
        [10, undefined],
      ]),
    ).toEqual([]);
  });

  test('is shown as a table that says what is missing', () => {
    const growth = growthOf('ratio', [
      [10, 5],
      [1000, undefined],
    ]);
    expect(
      growthAsText(growth)
        .split('\n')
        .map((line) => line.split(/ {2,}/).slice(0, 2)),
    ).toEqual([['tasks in the tree', 'delegation (ms)'], ['10', '5'], ['1000'], [''], ['', '1000: not measured']]);
    expect(growthAsMarkdown(growth)).toContain('### tasks in the tree\n\n| tasks in the tree | delegation (ms) |');
  });
});

test('a slow wire passes on what is said in its order, one round trip late at least', async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const wire = await slowWire((echo.address() as AddressInfo).port, 40);
  onTestFinished(() => {
    wire.close();
    echo.close();
  });
  const start = performance.now();
  const socket = connect({ port: wire.port, host: '127.0.0.1', allowHalfOpen: true });
  for (let count = 0; count < 100; count += 1) socket.write(`${count},`);
  socket.end();
  expect(await text(socket)).toBe(Array.from({ length: 100 }, (_, count) => `${count},`).join(''));
  // A timer may come a millisecond early.
  expect(performance.now() - start).toBeGreaterThan(75);
});
