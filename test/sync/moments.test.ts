import { describe, expect, test } from 'vitest';
import { createGit } from '../../src/adapters/git/git.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import type { WorkTree } from '../../src/ports.ts';
import type { Git } from '../../src/ports-git.ts';
import { createSync } from '../../src/sync/syncer.ts';
import { createSameFiles } from '../../src/workspace/same-files.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { git } from '../support/git.ts';
import { change, makeSolo, openNode, put, see, write } from './workshop.ts';
import type { Node } from './workshop.ts';

const PLANNED = 'shared/projects/p/plan.md';

/** A Leader's solo node on parts that were tampered with. */
async function tampered(dir: string, hand: (tree: WorkTree, git: Git) => { workTree: WorkTree; git: Git }) {
  const told: string[] = [];
  const note = (_: unknown, message: string): number => told.push(message);
  const parts = hand(createWorkTree(dir, { millis: () => Date.now() }), await createGit({ dir }));
  const sync = await createSync({
    ...parts,
    same: createSameFiles(),
    clock: systemClock,
    log: { debug: () => {}, info: () => {}, warn: note, error: note },
    role: 'leader',
    localpart: 'lead',
    writer: 'lead',
    branch: 'main',
    lanePrefix: 'lanes/',
    remote: undefined,
    author: { name: 'lead', email: 'lead@local' },
  });
  const node: Node = { dir, actor: { localpart: 'lead', role: 'leader' }, ...parts, sync, told };
  return node;
}

/** A solo node. While the first look at what a step adopts is under way, a person adds a note to the plan. */
async function editedMeanwhile(dir: string) {
  let looks = 0;
  const node = await tampered(dir, (tree, repository) => ({
    workTree: tree,
    git: {
      ...repository,
      async entries(commit, path) {
        const found = await repository.entries(commit, path);
        looks += 1;
        if (looks === 1) put(dir, PLANNED, `${see(dir, PLANNED)}\nA note by a person.\n`);
        return found;
      },
    },
  }));
  return { node, looks: () => looks };
}

describe('a person who edits at the wrong moment', () => {
  test('is compared with what the draft saw, whoever looked at the disk since', async () => {
    const solo = await makeSolo();
    const tree = createWorkTree(solo.dir, { millis: () => Date.now() });
    const draft = tree.draft();
    const before = draft.view().text(PLANNED);
    put(solo.dir, PLANNED, `${before}\nA person's note.\n`);
    // As any other request, or the watcher, does.
    tree.view();
    expect(Buffer.from(draft.seen(PLANNED) ?? []).toString()).toBe(before);
  });

  test('keeps the edit while a step that adopts is looked at', async () => {
    const { dir } = await makeSolo();
    const { node, looks } = await editedMeanwhile(dir);
    put(dir, 'shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\nSUMMARY: x\n');
    await change(node, (view) => [
      { kind: 'adopt', path: 'shared/tasks/t-ana/result.md' },
      write(PLANNED, (view.text(PLANNED) ?? '').replace('[~] t-ana', '[x] t-ana')),
    ]);
    expect(looks()).toBe(1);
    expect(see(dir, PLANNED)).toContain('[x] t-ana');
    expect(see(dir, PLANNED)).toContain('A note by a person.');
  });

  test('keeps the edit that comes between two steps of one group at the same file', async () => {
    const { dir } = await makeSolo();
    const { node, looks } = await editedMeanwhile(dir);
    await Promise.all([
      change(node, (view) => [write(PLANNED, (view.text(PLANNED) ?? '').replace('[~] t-ana', '[x] t-ana'))]),
      change(node, [{ kind: 'adopt', path: PLANNED }]),
    ]);
    expect(looks()).toBe(1);
    expect(see(dir, PLANNED)).toContain('[x] t-ana');
    expect(see(dir, PLANNED)).toContain('A note by a person.');
  });
});

describe('what was not durable yet', () => {
  test('is made durable before the note of the checkout goes', async () => {
    const { dir } = await makeSolo();
    const asked: string[][] = [];
    let fail = true;
    const node = await tampered(dir, (tree, repository) => ({
      git: repository,
      workTree: {
        ...tree,
        async makeDurable(paths) {
          if (fail) {
            fail = false;
            throw new Error('EIO');
          }
          asked.push([...paths]);
          await tree.makeDurable(paths);
        },
      },
    }));
    await change(node, [write(PLANNED, 'one\n')]);
    expect(git(dir, 'for-each-ref', 'refs/baton/checkout')).not.toBe('');
    await change(node, [write('shared/tasks/t-ana/spec.md', 'two\n')]);
    await node.sync.close();
    expect(git(dir, 'for-each-ref', 'refs/baton/checkout')).toBe('');
    expect(asked.flat()).toContain(PLANNED);
  });

  test.each([
    ['empty', ''],
    ['zeros', '\0'.repeat(300)],
  ])('is brought back when a loss of power left it %s', async (_n, torn) => {
    const { dir } = await makeSolo();
    const node = await tampered(dir, (tree, repository) => ({
      git: repository,
      workTree: { ...tree, makeDurable: () => Promise.reject(new Error('the power went')) },
    }));
    const meta = 'shared/tasks/t-ana/meta.json';
    const plan = (see(dir, PLANNED) ?? '').replace('[~] t-ana', '[x] t-ana');
    const record = (see(dir, meta) ?? '').replace('assigned"', 'completed"');
    await change(node, [write(PLANNED, plan), write(meta, record)]);
    // The name reached the disk, the content did not.
    put(dir, PLANNED, torn);
    put(dir, meta, torn);
    const next = await openNode({ dir, role: 'leader', localpart: 'lead' });
    await next.sync.pull();
    expect(git(dir, 'show', `HEAD:${PLANNED}`) + '\n').toBe(plan);
    expect(see(dir, meta)).toBe(record);
    expect(see(dir, PLANNED)).toBe(plan);
  });
});

test('a step lands in one piece for everybody in the process, however many files it has', async () => {
  const { dir, ...node } = await makeSolo();
  const files = Array.from({ length: 1_500 }, (_, index) =>
    write(`shared/tasks/t-ana/workspace/${String(index).padStart(4, '0')}.md`, `${index}\n`),
  );
  const [first = '', last = ''] = [files[0]?.path, files.at(-1)?.path];
  const seen = new Set<string>();
  let isOver = false;
  const look = (): void => {
    const view = node.workTree.view();
    seen.add(`${view.exists(first)} ${view.exists(last)}`);
    if (!isOver) setImmediate(look);
  };
  look();
  await change({ dir, ...node }, files);
  isOver = true;
  look();
  expect([...seen]).toEqual(['false false', 'true true']);
});
