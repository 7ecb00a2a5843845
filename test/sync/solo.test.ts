import { chmodSync, mkdirSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FlowError } from '../../src/protocol/errors.ts';
import { git } from '../support/git.ts';
import { holdLock } from '../support/lock-holder.ts';
import { PLAN, byHand, change, drop, edit, makeSolo, openNode, put, see, taskMeta, write } from './workshop.ts';

const META = 'shared/tasks/t-ana/meta.json';

describe('a look at the whole tree', () => {
  test('sees what differs from the commit, however often it looked before, and whichever of the two has changed', async () => {
    const { dir } = await makeSolo();
    const settled = { millis: () => Date.now() + 60_000 };
    const { sync } = await openNode({ dir, role: 'leader', localpart: 'lead' }, settled);
    const plan = 'shared/projects/p/plan.md';
    for (let look = 0; look < 3; look += 1) expect(await sync.dirty()).toEqual([]);
    // File systems count in ticks: what is settled is older than one.
    await wait(20);
    const { atime, mtime } = statSync(join(dir, plan));
    put(dir, plan, PLAN.replace('First', 'Fives'));
    utimesSync(join(dir, plan), atime, mtime);
    for (let look = 0; look < 3; look += 1) expect(await sync.dirty()).toEqual([plan]);
    byHand(dir, 'mine');
    for (let look = 0; look < 3; look += 1) expect(await sync.dirty()).toEqual([]);
    git(dir, 'reset', '-q', '--soft', 'HEAD~1');
    for (let look = 0; look < 3; look += 1) expect(await sync.dirty()).toEqual([plan]);
    drop(dir, plan);
    expect(await sync.dirty()).toEqual([plan]);
  });
});

describe('a step in solo mode', () => {
  test('is committed with its trailers, stands in the work tree, and leaves git clean', async () => {
    const node = await makeSolo();
    const committed = await change(node, (view) => [edit(view, META, { status: 'in_progress' })], {
      actor: { localpart: 'ana', role: 'worker' },
      label: 'taskflow(ack_task): t-ana',
    });
    expect(committed).toEqual({
      output: 'done',
      commit: git(node.dir, 'rev-parse', 'main'),
      durability: 'committed',
      synced: true,
    });
    expect(git(node.dir, 'log', '-1', '--format=%B')).toBe(
      'taskflow(ack_task): t-ana\n\nActor: worker:ana\nOp: ack_task\nProject: p\nTask: t-ana',
    );
    expect(git(node.dir, 'log', '-1', '--format=%an <%ae> %cn')).toBe('lead <lead@local> lead');
    expect(see(node.dir, META)).toBe(taskMeta('t-ana', 'ana', { status: 'in_progress' }));
    expect(git(node.dir, 'status', '--porcelain')).toBe('');
    // The note of the checkout goes after the caller was answered, and before the next turn.
    await node.sync.pull();
    expect(git(node.dir, 'for-each-ref', 'refs/baton')).toBe('');
    expect(git(node.dir, 'fsck', '--strict')).not.toMatch(/error|missing/);
  });

  test('that changes nothing commits nothing', async () => {
    const node = await makeSolo();
    const before = git(node.dir, 'rev-parse', 'main');
    const same = await change(node, (view) => [write(META, view.text(META) ?? '')]);
    const none = await change(node, []);
    expect([same, none]).toEqual([
      { output: 'done', commit: undefined, durability: 'committed', synced: true },
      { output: 'done', commit: undefined, durability: 'committed', synced: true },
    ]);
    expect(git(node.dir, 'rev-parse', 'main')).toBe(before);
  });

  test('may remove files and put files where directories were', async () => {
    const node = await makeSolo();
    await change(node, [{ kind: 'remove', path: 'shared/tasks/t-ana/base/input.txt' }]);
    await change(node, [write('shared/tasks/t-ana/base', 'now a file\n')]);
    expect(see(node.dir, 'shared/tasks/t-ana/base')).toBe('now a file\n');
    expect(git(node.dir, 'status', '--porcelain')).toBe('');
  });

  test('refuses alone: the rest of its group is committed together', async () => {
    const node = await makeSolo();
    const results = await Promise.allSettled([
      change(node, [write('shared/projects/p/result.md', 'one\n')], {
        label: 'taskflow(a): one',
        subject: { task: 'one' },
      }),
      change(node, () => {
        throw new FlowError('paused', 'project is paused');
      }),
      change(
        node,
        (view) => [write('shared/projects/p/result.md', `${view.text('shared/projects/p/result.md')}two\n`)],
        {
          label: 'taskflow(b): two',
          subject: { task: 'two' },
        },
      ),
      change(node, [write('shared/projects/p/.git/config', 'x')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(see(node.dir, 'shared/projects/p/result.md')).toBe('one\ntwo\n');
    expect(git(node.dir, 'rev-list', '--count', 'main')).toBe('2');
    expect(git(node.dir, 'log', '-1', '--format=%B')).toBe(
      'taskflow: a, b\n\nActor: leader:lead\nOp: a\nTask: one\n\nActor: leader:lead\nOp: b\nTask: two',
    );
  });

  test('keeps what a person has staged and edited elsewhere', async () => {
    const node = await makeSolo();
    put(node.dir, 'notes.txt', 'staged\n');
    git(node.dir, 'add', 'notes.txt');
    put(node.dir, 'shared/projects/p/plan.md', `${PLAN}\nedited by hand\n`);
    await change(node, (view) => [edit(view, META, { status: 'in_progress' })]);
    expect(
      git(node.dir, 'status', '--porcelain')
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['A  notes.txt', 'M shared/projects/p/plan.md']);
    expect(await node.sync.dirty()).toEqual(['shared/projects/p/plan.md']);
  });

  test('that was decided on a hand edit takes it along', async () => {
    const node = await makeSolo();
    put(node.dir, 'shared/projects/p/plan.md', `${PLAN}\nby hand\n`);
    await change(node, (view) => [
      write('shared/projects/p/plan.md', (view.text('shared/projects/p/plan.md') ?? '').replace('[ ]', '[~]')),
    ]);
    expect(see(node.dir, 'shared/projects/p/plan.md')).toBe(`${PLAN.replace('[ ]', '[~]')}\nby hand\n`);
    expect(await node.sync.dirty()).toEqual([]);
  });

  test('goes on after a person committed with plain git', async () => {
    const node = await makeSolo();
    put(node.dir, 'shared/projects/p/result.md', 'by hand\n');
    byHand(node.dir, 'mine');
    await change(node, (view) => [edit(view, META, { status: 'in_progress' })]);
    expect(git(node.dir, 'log', '--format=%s', '-2')).toBe('taskflow(test): t-ana\nmine');
  });
});

describe('adopting files from the disk', () => {
  test('commits deliverables, binary and deleted ones too, but not the files of the Leader', async () => {
    const node = await makeSolo();
    const actor = { localpart: 'ana', role: 'worker' } as const;
    const bytes = Uint8Array.from([0, 255, 10, 13, 10]);
    put(node.dir, 'shared/tasks/t-ana/workspace/a.bin', bytes);
    put(node.dir, 'shared/tasks/t-ana/workspace/old.txt', 'old\n');
    await change(node, [{ kind: 'adopt', path: 'shared/tasks/t-ana/' }], { actor });
    drop(node.dir, 'shared/tasks/t-ana/workspace/old.txt');
    put(node.dir, 'shared/tasks/t-ana/spec.md', 'rewritten\n');
    put(node.dir, 'shared/tasks/t-ana/base/input.txt', 'rewritten\n');
    await change(node, [{ kind: 'adopt', path: 'shared/tasks/t-ana/' }, write('shared/tasks/t-ana/result.md', 'R\n')], {
      actor,
    });
    expect(git(node.dir, 'ls-tree', '-r', '--name-only', 'main', 'shared/tasks/t-ana').split('\n')).toEqual([
      'shared/tasks/t-ana/base/input.txt',
      'shared/tasks/t-ana/meta.json',
      'shared/tasks/t-ana/result.md',
      'shared/tasks/t-ana/spec.md',
      'shared/tasks/t-ana/workspace/a.bin',
    ]);
    expect(await node.sync.dirty()).toEqual(['shared/tasks/t-ana/base/input.txt', 'shared/tasks/t-ana/spec.md']);
    expect(git(node.dir, 'hash-object', '--no-filters', 'shared/tasks/t-ana/workspace/a.bin')).toBe(
      git(node.dir, 'rev-parse', 'main:shared/tasks/t-ana/workspace/a.bin'),
    );
  });

  test.each([
    ['a symbolic link', (dir: string) => symlinkSync('/etc/passwd', join(dir, 'shared/tasks/t-ana/workspace/x'))],
    ['a repository of its own', (dir: string) => mkdirSync(join(dir, 'shared/tasks/t-ana/workspace/.git'))],
    ['an oversize file', (dir: string) => put(dir, 'shared/tasks/t-ana/workspace/x', 'x'.repeat(100_001))],
    ['a reserved name', (dir: string) => put(dir, 'shared/tasks/t-ana/workspace/nul', 'x')],
    [
      'a private key',
      (dir: string) => put(dir, 'shared/tasks/t-ana/workspace/x', ['-----BEGIN RSA', 'PRIVATE', 'KEY-----'].join(' ')),
    ],
  ])('refuses %s, and commits nothing', async (_, make) => {
    const node = await makeSolo();
    put(node.dir, 'shared/tasks/t-ana/workspace/fine.txt', 'fine\n');
    make(node.dir);
    const before = git(node.dir, 'rev-parse', 'main');
    await expect(change(node, [{ kind: 'adopt', path: 'shared/tasks/t-ana/workspace/' }])).rejects.toMatchObject({
      code: 'broken-file',
    });
    expect(git(node.dir, 'rev-parse', 'main')).toBe(before);
  });

  test('takes hand edits of everybody in solo mode, and leaves alone what is half edited', async () => {
    const node = await makeSolo();
    put(node.dir, 'shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n');
    put(node.dir, 'shared/projects/p/plan.md', PLAN.replace('[ ]', '[!]'));
    put(node.dir, 'shared/tasks/t-bo/meta.json', '{ "task_id": ');
    put(node.dir, 'shared/events/2026-11/ana.jsonl', '{}\n');
    const answer = await node.sync.adopt([
      'shared/tasks/',
      'shared/projects/p/plan.md',
      'shared/events/',
      'baton.json',
    ]);
    expect(answer).toEqual({
      adopted: ['shared/tasks/t-ana/result.md', 'shared/projects/p/plan.md'],
      foreign: ['shared/events/2026-11/ana.jsonl'],
    });
    expect(git(node.dir, 'log', '-1', '--format=%s')).toBe('workspace(hand_edit)');
    expect(await node.sync.dirty()).toEqual(['shared/events/2026-11/ana.jsonl', 'shared/tasks/t-bo/meta.json']);
  });
});

test('what the node wrote itself is no hand edit, even when a watcher reports it', async () => {
  const node = await makeSolo();
  await change(node, (view) => [edit(view, META, { status: 'in_progress' })]);
  const before = git(node.dir, 'rev-parse', 'main');
  expect(await node.sync.adopt([META])).toEqual({ adopted: [], foreign: [] });
  expect(git(node.dir, 'rev-parse', 'main')).toBe(before);
  put(node.dir, META, taskMeta('t-ana', 'ana', { status: 'submitted' }));
  expect(await node.sync.adopt([META])).toEqual({ adopted: [META], foreign: [] });
});

describe('a crash', () => {
  test('between moving the branch and writing the files is made good at the next start', async () => {
    const node = await makeSolo();
    const before = git(node.dir, 'rev-parse', 'main');
    await change(node, (view) => [
      edit(view, META, { status: 'in_progress' }),
      write('shared/projects/p/result.md', 'R\n'),
    ]);
    await node.sync.close();
    // As the crash leaves it: the branch is at the new commit, files and index still at the old one.
    git(node.dir, 'read-tree', before);
    git(node.dir, 'checkout-index', '-a', '-f');
    drop(node.dir, 'shared/projects/p/result.md');
    git(node.dir, 'update-ref', 'refs/baton/checkout', before);
    const again = await openNode({ dir: node.dir, role: 'leader', localpart: 'lead' });
    expect(see(node.dir, META)).toBe(taskMeta('t-ana', 'ana', { status: 'in_progress' }));
    expect(see(node.dir, 'shared/projects/p/result.md')).toBe('R\n');
    expect(git(node.dir, 'status', '--porcelain')).toBe('');
    expect(git(node.dir, 'for-each-ref', 'refs/baton')).toBe('');
    expect(await again.sync.published(META)).toBe(true);
  });

  test('while another git held the index is made good by the next step', async () => {
    const node = await makeSolo();
    put(node.dir, '.git/index.lock', '');
    await change(node, (view) => [edit(view, META, { status: 'in_progress' })]);
    expect(see(node.dir, META)).toBe(taskMeta('t-ana', 'ana', { status: 'in_progress' }));
    drop(node.dir, '.git/index.lock');
    await node.sync.pull();
    expect(git(node.dir, 'status', '--porcelain')).toBe('');
  });
});

describe('what another git is about to write', () => {
  const plan = 'shared/projects/p/plan.md';

  test('is not taken for an edit: what it has removed so far stays', async () => {
    const node = await makeSolo();
    const before = git(node.dir, 'rev-parse', 'main');
    const { release } = await holdLock(join(node.dir, '.git/index.lock'));
    drop(node.dir, plan);
    const adopting = node.sync.adopt([plan]);
    const step = change(node, (view) => [edit(view, META, { status: 'in_progress' })]);
    await wait(200);
    expect(git(node.dir, 'rev-parse', 'main')).toBe(before);
    put(node.dir, plan, PLAN);
    release();
    await Promise.all([adopting, step]);
    expect(git(node.dir, 'diff', '--name-only', before, 'main')).toBe(META);
  });

  test('is not taken for an edit on the way to another branch either', async () => {
    const node = await makeSolo();
    const before = git(node.dir, 'rev-parse', 'main');
    const { release } = await holdLock(join(node.dir, '.git/index.lock'));
    drop(node.dir, plan);
    const adopting = node.sync.adopt([plan]).catch((error: unknown) => error);
    await wait(100);
    git(node.dir, 'update-ref', 'refs/heads/elsewhere', before);
    git(node.dir, 'symbolic-ref', 'HEAD', 'refs/heads/elsewhere');
    release();
    expect(await adopting).toMatchObject({ code: 'bad-workspace' });
    expect(git(node.dir, 'rev-parse', 'main')).toBe(before);
  });

  test('is waited for, but not for ever', async () => {
    const node = await makeSolo();
    await holdLock(join(node.dir, '.git/index.lock'));
    const refused = change(node, (view) => [edit(view, META, { status: 'in_progress' })]);
    await expect(refused).rejects.toMatchObject({ code: 'bad-workspace', retryable: true });
    expect(see(node.dir, META)).toBe(taskMeta('t-ana', 'ana'));
  });
});

test('an edit that a person makes again after a reset is taken up again', async () => {
  const node = await makeSolo();
  const notes = 'shared/projects/p/notes.md';
  const adopt = async (): Promise<readonly string[]> => (await node.sync.adopt([notes])).adopted;
  put(node.dir, notes, 'N\n');
  expect(await adopt()).toEqual([notes]);
  git(node.dir, 'reset', '-q', '--hard', 'HEAD~1');
  expect(await adopt()).toEqual([]);
  put(node.dir, notes, 'N\n');
  expect(await adopt()).toEqual([notes]);
  expect(git(node.dir, 'status', '--porcelain')).toBe('');
});

describe('a workspace that cannot be worked in', () => {
  test('is refused with a sentence and a remedy, and works again afterwards', async () => {
    const node = await makeSolo();
    const refusal = async (): Promise<unknown> => change(node, []).catch((error: unknown) => error);
    git(node.dir, 'switch', '-q', '-c', 'elsewhere');
    expect(await refusal()).toMatchObject({
      code: 'bad-workspace',
      message: 'the workspace is on branch elsewhere, but this node works on main',
      remedy: 'git switch main',
    });
    git(node.dir, 'switch', '-q', '--detach', 'main');
    expect(await refusal()).toMatchObject({
      message: 'the workspace is on no branch (detached head), but this node works on main',
    });
    git(node.dir, 'switch', '-q', 'main');
    put(node.dir, '.git/MERGE_HEAD', `${git(node.dir, 'rev-parse', 'main')}\n`);
    expect(await refusal()).toMatchObject({
      message: 'a merge is in progress in this workspace',
      remedy: 'finish it, or drop it with `git merge --abort`',
    });
    drop(node.dir, '.git/MERGE_HEAD');
    expect(await refusal()).toMatchObject({ output: 'done' });
  });

  test('an unwritable folder refuses nothing that is committed: the file follows later', async () => {
    const node = await makeSolo();
    if (process.getuid?.() === 0) {
      // Rights do not stop root; a directory in the file's place does.
      drop(node.dir, 'shared/projects/p/meta.json');
      mkdirSync(join(node.dir, 'shared/projects/p/meta.json/x'), { recursive: true });
    } else {
      chmodSync(join(node.dir, 'shared/projects/p'), 0o500);
    }
    await change(node, [write('shared/projects/p/meta.json', '{}\n')]);
    chmodSync(join(node.dir, 'shared/projects/p'), 0o700);
    expect(git(node.dir, 'show', 'main:shared/projects/p/meta.json')).toBe('{}');
    expect(node.told.join('\n')).toContain('a file could not be brought into the work tree');
  });

  test('status tells where it stands', async () => {
    const node = await makeSolo();
    expect(await node.sync.status()).toEqual({
      mode: 'solo',
      branch: 'main',
      head: git(node.dir, 'rev-parse', 'main'),
      remote: undefined,
      ahead: 0,
      behind: 0,
      online: true,
      lastPullAt: undefined,
      lastPushAt: undefined,
      conflicts: [],
      lanes: [],
      problem: undefined,
    });
  });
});
