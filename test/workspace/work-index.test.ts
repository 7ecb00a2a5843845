import * as fc from 'fast-check';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { WorkIndex, WorkTree } from '../../src/ports.ts';
import { workFacts } from '../../src/protocol/work/facts.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { createWorkIndex } from '../../src/workspace/work-index.ts';
import { testFolder } from '../support/folders.ts';

/** Long enough after every change for time stamps to tell the next one apart. */
const later = (): number => Date.now() + 60_000;

interface Bench {
  readonly root: string;
  readonly put: (path: string, text: string) => void;
  /** A new process on the folder, with how often it reads a record. */
  readonly open: (millis?: () => number) => { readonly index: WorkIndex; readonly reads: string[] };
}

function bench(): Bench {
  const root = testFolder('index');
  mkdirSync(join(root, '.baton'));
  return {
    root,
    put(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    open(millis = later) {
      const workTree = createWorkTree(root, { millis });
      const reads: string[] = [];
      const counting: WorkTree = {
        ...workTree,
        invalidate(paths) {
          reads.push(...(paths ?? ['everything']));
          workTree.invalidate(paths);
        },
      };
      return { index: createWorkIndex(root, { workTree: counting, millis }), reads };
    },
  };
}

const task = (id: string, status = 'assigned', title = id): string =>
  JSON.stringify({ task_id: id, project_id: 'p', task_title: title, assigned_to: 'ana', status });
const META = 'shared/projects/p/meta.json';
const PLAN = 'shared/projects/p/plan.md';

function filled(): Bench {
  const made = bench();
  made.put(META, JSON.stringify({ project_id: 'p', title: 'P', status: 'active' }));
  made.put(PLAN, '- [~] a — A (assigned: ana)\n- [ ] b — B (assigned: bo)\n');
  made.put('shared/tasks/a/meta.json', task('a'));
  made.put('shared/tasks/broken/meta.json', '{');
  return made;
}

describe('the index of all work', () => {
  test('is written once, and read by the next process without opening what did not change', () => {
    const { root, open, put } = filled();
    const first = open();
    const facts = first.index.facts();
    first.index.save();
    const second = open();
    expect(second.index.facts()).toEqual(facts);
    expect(second.reads).toEqual([]);

    put('shared/tasks/a/meta.json', task('a', 'in_progress'));
    expect(second.index.facts().tasks.map(({ status }) => status)).toEqual(['in_progress']);
    expect(second.reads).toEqual(['shared/tasks/a/meta.json']);
    const { index } = JSON.parse(readFileSync(join(root, '.baton/index.json'), 'utf8')) as {
      index: { entries: unknown };
    };
    expect(index.entries).toMatchObject([
      { id: 'a', status: 'IN_PROGRESS' },
      { id: 'b', status: 'APPROVED' },
    ]);
  });

  test.each([
    ['is gone', (file: string) => rmSync(file)],
    ['is empty', (file: string) => writeFileSync(file, '')],
    ['is no JSON', (file: string) => writeFileSync(file, '{"schema":1')],
    ['is of another version', (file: string) => writeFileSync(file, '{"schema":99,"digest":"","index":\n{}}\n')],
    [
      'was changed by hand to say something else',
      (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll('assigned', 'completed')),
    ],
    [
      'was cut off',
      (file: string) => {
        const text = readFileSync(file, 'utf8');
        writeFileSync(file, text.slice(0, text.length / 2));
      },
    ],
    [
      'is a directory',
      (file: string) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
  ])('answers the same when its file %s', (_, damage) => {
    const { root, open } = filled();
    const first = open();
    const facts = first.index.facts();
    first.index.save();
    damage(join(root, '.baton/index.json'));
    const { index } = open();
    expect(index.facts()).toEqual(facts);
    expect(() => index.save()).not.toThrow();
  });

  test('trusts no file that was changed a moment ago', () => {
    const { open } = filled();
    const first = open(() => Date.now());
    first.index.facts();
    first.index.save();
    const second = open();
    second.index.facts();
    expect(second.reads).toContain('shared/tasks/a/meta.json');
  });

  test('tells on request what it found and why it left something out (S002-31)', () => {
    const { root, open } = filled();
    expect(open().index.rebuild()).toEqual({
      found: 3,
      rebuilt: 2,
      skipped: [{ path: 'shared/tasks/broken/meta.json', reason: expect.stringContaining('invalid JSON') as string }],
    });
    expect(existsSync(join(root, '.baton/index.json'))).toBe(true);
  });

  test('always says what the files say, however they change between its readers', () => {
    const status = fc.constantFrom('assigned', 'in_progress', 'completed');
    const step = fc.oneof(
      fc.record({ what: fc.constant('task' as const), id: fc.constantFrom('a', 'b', 'c'), status }),
      fc.record({ what: fc.constant('gone' as const), id: fc.constantFrom('a', 'b', 'p') }),
      fc.record({ what: fc.constant('plan' as const), id: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ what: fc.constant('project' as const), id: fc.constantFrom('p', 'q') }),
      fc.record({ what: fc.constantFrom('save' as const, 'reopen' as const, 'delete' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { root, open, put: write } = bench();
        let process = open();
        for (const [at, one] of steps.entries()) {
          // No two texts of a file are of one length: time stamps alone may not tell them apart so quickly.
          const put = (path: string, text: string): void => write(path, text + '\n'.repeat(at + 1));
          if (one.what === 'task') put(`shared/tasks/${one.id}/meta.json`, task(one.id, one.status));
          else if (one.what === 'plan') put(PLAN, `- [ ] ${one.id} — ${one.id} (assigned: -)\n`);
          else if (one.what === 'project')
            put(
              `shared/projects/${one.id}/meta.json`,
              JSON.stringify({ project_id: one.id, title: 'T', status: 'active' }),
            );
          else if (one.what === 'gone')
            for (const kind of ['tasks', 'projects'])
              rmSync(join(root, 'shared', kind, one.id), { recursive: true, force: true });
          else if (one.what === 'save') process.index.save();
          else if (one.what === 'reopen') process = open();
          else rmSync(join(root, '.baton/index.json'), { force: true });
          expect(process.index.facts()).toEqual(workFacts(createWorkTree(root).view()));
        }
      }),
      { numRuns: 60 },
    );
  });
});
