import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { initWorkspace, startNode } from '../../src/app.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { absolute, against, asMarkdown, asText, unmeasured } from './figure.ts';
import type { Figure } from './figure.ts';
import { limitOf, within } from './limit.ts';
import { percentile, spreadOf } from './numbers.ts';
import { script } from './script-run.ts';
import { makeTree } from './tree.ts';

/** Only catches what hangs: the small form starts about thirty programs. */
const PATIENCE = 600_000;

describe('npm run bench', () => {
  test(
    'measures every figure in its small form, and prints one document',
    async () => {
      const run = await script('main.ts', '--small', '--json');
      expect(run.code, run.stderr).toBe(0);
      const { figures } = JSON.parse(run.stdout) as { readonly figures: readonly Figure[] };
      expect(figures.map(({ id }) => id)).toEqual('P1 P2 P3 P3 P4 P4 P5 P5 P5 P6 P7 P9 P9 P12'.split(' '));
      for (const { id, value, floor, ratio, limit, unit, ok, notes } of figures) {
        expect(typeof ok, id).toBe('boolean');
        expect([value, limit].every(Number.isFinite), `${id}: ${notes.join('; ')}`).toBe(true);
        expect(unit, id).toMatch(/\S/);
        expect(floor === null ? ratio : value! / floor, id).toBe(ratio);
      }
      const lost = figures.flatMap(({ notes }) => notes).filter((note) => note.includes(' lost'));
      expect(lost.filter((note) => !note.startsWith('0 lost'))).toEqual([]);
    },
    PATIENCE,
  );

  test('refuses what is no figure, and tells which there are', async () => {
    const { code, stdout, stderr } = await script('main.ts', 'P1', 'P99');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('P99: the figures are P1, P2, P3, P4, P5, P6, P7, P9, P12');
  });

  test('writes only a whole and real run into the docs', async () => {
    const { code, stderr } = await script('main.ts', '--write', '--small');
    expect(code).toBe(2);
    expect(stderr).toContain('--write is for a whole run');
  });
});

describe('a figure', () => {
  const base = { id: 'P0', what: 'something', unit: 'ms' };

  test('is reached by its ratio where it has a floor, and by its value where it has none', () => {
    expect(against({ ...base, limit: 1.5 }, 30, 20)).toMatchObject({ value: 30, floor: 20, ratio: 1.5, ok: true });
    expect(against({ ...base, limit: 1.5 }, 31, 20).ok).toBe(false);
    expect(against({ ...base, limit: 3, bound: 'least' }, 60, 20).ok).toBe(true);
    expect(against({ ...base, limit: 3, bound: 'least' }, 59, 20).ok).toBe(false);
    expect(absolute({ ...base, limit: 30 }, 30)).toMatchObject({ floor: null, ratio: null, ok: true });
    expect(absolute({ ...base, limit: 30 }, 31).ok).toBe(false);
  });

  test('is not reached, however fast, when what was measured was not right', () => {
    expect(absolute({ ...base, limit: 30, sound: false }, 1).ok).toBe(false);
  });

  test('is not reached when its time was over before all of it was measured', () => {
    const figure = absolute({ ...base, limit: 30, cut: '3 of 10 calls' }, 1);
    expect(figure).toMatchObject({ value: 1, ok: false, notes: ['the time was over: 3 of 10 calls'] });
  });

  test('of which nothing could be measured is short, with the reason', () => {
    const figure = unmeasured('P0', 'something', 'the node did not start');
    expect(figure).toMatchObject({ value: null, floor: null, ratio: null, limit: null, ok: false });
    const [, row = '', ...notes] = asText([figure]).split('\n');
    expect(row.split(/ +/)).toEqual(['P0', 'something', 'nothing', 'SHORT']);
    expect(notes).toEqual(['', 'P0  something', '    the node did not start']);
  });

  test('is shown with its spread and with what else was seen', () => {
    const figure = against({ ...base, limit: 2, notes: ['and more'] }, spreadOf([3, 1, 2]), spreadOf([4]));
    expect(asText([figure]).split('\n')).toEqual([
      '    what       measured      floor  ratio  must reach',
      'P0  something  2 ms (1 … 3)  4 ms   0.5    ≤ 2 × floor  ok',
      '',
      'P0  something',
      '    and more',
    ]);
    expect(asMarkdown([figure]).split('\n').at(-1)).toBe(
      '| P0 | something | 2 ms (1 … 3) | 4 ms | 0.5 | ≤ 2 × floor | ok |',
    );
  });

  test('takes percentiles by nearest rank', () => {
    const values = [5, 1, 4, 2, 3];
    expect([0, 0.5, 0.9, 1].map((share) => percentile(values, share))).toEqual([1, 3, 5, 5]);
    expect(() => percentile([], 0.5)).toThrow('nothing was measured');
  });
});

describe('a limit', () => {
  test('ends what takes too long, and leaves the rest alone', async () => {
    expect(await within(Promise.resolve('done'), 1000)).toBe('done');
    expect(await within(new Promise(() => undefined), 1)).toBe(undefined);
    await expect(within(Promise.reject(new Error('failed')), 1000)).rejects.toThrow('failed');
  });

  test('gives no more than is left of it', () => {
    const limit = limitOf(100);
    expect(limit.part(1000).seconds).toBeLessThanOrEqual(100);
    expect(limit.part(10).seconds).toBe(10);
    expect([limit.over(), limitOf(0).over()]).toEqual([false, true]);
  });
});

describe('a made tree', () => {
  test('has the wanted size, and leaves a node nothing to mend', async () => {
    const folder = testFolder('tree');
    const remote = join(folder, 'team.git');
    const env = cleanEnvironment();
    await makeTree(remote, { tasks: 40, projects: 4, workers: 3 }, env);
    const root = join(folder, 'lead');
    await initWorkspace({ dir: root, env, role: 'leader', as: 'lead', remote });
    const before = git(root, 'rev-parse', 'HEAD');
    const problems: string[] = [];
    const quiet = (): void => undefined;
    const note = (fields: object, message: string): void => void problems.push(`${message} ${JSON.stringify(fields)}`);
    const node = await startNode({ root, env, log: { debug: quiet, info: quiet, warn: note, error: note } });
    const synced = await node.sync();
    await node.stop();
    expect({ synced: synced.ok, problems }).toEqual({ synced: true, problems: [] });
    expect(git(root, 'rev-parse', 'HEAD')).toBe(before);
    const named = git(root, 'ls-tree', '-r', '--name-only', 'HEAD').split('\n');
    const count = (pattern: RegExp): number => named.filter((path) => pattern.test(path)).length;
    expect({
      tasks: count(/^shared\/tasks\/[^/]+\/meta\.json$/),
      projects: count(/^shared\/projects\/[^/]+\/plan\.md$/),
      workers: count(/^shared\/agents\/w\d+\.json$/),
    }).toEqual({ tasks: 40, projects: 4, workers: 3 });
  });

  test('is not put where something is already', async () => {
    const folder = testFolder('tree');
    git(folder, 'init', '--quiet');
    const { code, stderr } = await script('make-tree.ts', folder);
    expect(code).toBe(1);
    expect(stderr).toContain('not empty');
  });
});
