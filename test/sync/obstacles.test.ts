import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { WorkTree } from '../../src/ports.ts';
import type { Git } from '../../src/ports-git.ts';
import { git } from '../support/git.ts';
import { PLAN, change, makeTeam, openNode, published, put, see, write } from './workshop.ts';
import type { Node, Team } from './workshop.ts';

const PLANNED = 'shared/projects/p/plan.md';
const SPEC = 'shared/tasks/t-ana/spec.md';

/** The Leader's node once more, on a work tree or a git that a test has its hand in. */
function reopened(
  { lead: { dir }, remote }: Team,
  hand: (tree: WorkTree, git: Git) => { workTree: WorkTree; git: Git },
): Promise<Node> {
  return openNode({ dir, role: 'leader', localpart: 'lead', remote }, { hand });
}

const mark = (node: Node, task: string) =>
  change(node, (view) => [write(PLANNED, (view.text(PLANNED) ?? '').replace(`[~] ${task}`, `[x] ${task}`))]);

const markers = (text: string | undefined): string | undefined => text?.match(/\[.\]/g)?.join('');

describe('a file that cannot be written', () => {
  test('never undoes what was published: steps on it are refused, and it is brought up to date later', async () => {
    const team = await makeTeam();
    const { lead, remote } = team;
    let full = true;
    const node = await reopened(team, (tree, repository) => ({
      git: repository,
      workTree: {
        ...tree,
        writeBytes(path, bytes) {
          if (full && path === PLANNED) throw new Error('ENOSPC');
          tree.writeBytes(path, bytes);
        },
      },
    }));
    expect(await mark(node, 't-ana')).toMatchObject({ durability: 'replicated' });
    expect([markers(published(remote, 'main', PLANNED)), markers(see(lead.dir, PLANNED))]).toEqual([
      '[x][~][ ]',
      '[~][~][ ]',
    ]);
    await expect(mark(node, 't-bo')).rejects.toMatchObject({ code: 'bad-workspace', retryable: true });
    await change(node, [write('shared/projects/p/result.md', 'something else goes on\n')]);
    expect(await node.sync.dirty()).toEqual([]);
    expect(await node.sync.adopt([PLANNED])).toEqual({ adopted: [], foreign: [] });
    // Not even the next process takes the old text for an edit.
    const next = await openNode({ dir: lead.dir, role: 'leader', localpart: 'lead', remote });
    expect([markers(see(lead.dir, PLANNED)), await next.sync.dirty()]).toEqual(['[x][~][ ]', []]);

    full = false;
    await mark(node, 't-bo');
    expect(markers(published(remote, 'main', PLANNED))).toBe('[x][x][ ]');
    expect([markers(see(lead.dir, PLANNED)), git(lead.dir, 'status', '--porcelain')]).toEqual(['[x][x][ ]', '']);
    expect(node.told.filter((line) => line.includes('could not be brought'))).toHaveLength(1);
  });

  test('is brought up to date once what was in its way is gone; edits made meanwhile elsewhere stay', async () => {
    const { ana, lead, folder } = await makeTeam();
    renameSync(join(ana.dir, 'shared/tasks'), join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(ana.dir, 'shared/tasks'));
    await change(lead, [write(SPEC, '# Changed\n'), write('shared/projects/p/result.md', 'one\ntwo\n')]);
    await ana.sync.pull();
    expect(see(folder, 'elsewhere/t-ana/spec.md')).toBe('# First\n');
    put(ana.dir, 'shared/projects/p/result.md', 'mine\ntwo\n');
    await ana.sync.pull();
    rmSync(join(ana.dir, 'shared/tasks'));
    renameSync(join(folder, 'elsewhere'), join(ana.dir, 'shared/tasks'));
    await ana.sync.pull();
    expect([see(ana.dir, SPEC), see(ana.dir, 'shared/projects/p/result.md')]).toEqual(['# Changed\n', 'mine\ntwo\n']);
    expect(git(ana.dir, 'for-each-ref', 'refs/baton/')).toBe('');
  });
});

describe('a folder that is published as a whole', () => {
  const adopt = (node: Node, path: string): Promise<unknown> => change(node, [{ kind: 'adopt', path }]);

  test("leaves out, by a Leader's hand, what its Workers own", async () => {
    const { lead, ana, remote } = await makeTeam();
    await change(ana, [write('shared/tasks/t-ana/notes.md', 'begun\n')]);
    await lead.sync.pull();
    put(lead.dir, 'shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n');
    put(lead.dir, SPEC, '# Clearer\n');
    await adopt(lead, 'shared/tasks/');
    expect(git(remote, 'diff', '--name-only', 'main~1', 'main')).toBe(SPEC);
    expect(lead.told.filter((line) => line.includes('shared/tasks/t-ana/result.md'))).toHaveLength(1);
  });

  test("leaves out, by a Worker's hand, what steers git and what looks like a file of the Leader", async () => {
    const { ana, remote } = await makeTeam();
    for (const name of ['.gitattributes', 'workspace/.gitattributes', 'META.json', 'Spec.md', 'spec.md', 'mine.md'])
      put(ana.dir, `shared/tasks/t-ana/${name}`, 'text\n');
    await adopt(ana, 'shared/tasks/t-ana/');
    expect(git(remote, 'diff', '--name-only', 'main', 'lanes/ana')).toBe('shared/tasks/t-ana/mine.md');
  });
});

describe('what people do by hand', () => {
  test('is published but for links and pipes, which keep back nothing else', async () => {
    const { ana, remote } = await makeTeam();
    const at = (name: string): string => join(ana.dir, 'shared/tasks/t-ana', name);
    mkdirSync(at('workspace'));
    symlinkSync('/etc/passwd', at('link'));
    symlinkSync('/etc', at('workspace/etc'));
    execFileSync('mkfifo', [at('pipe')]);
    put(ana.dir, 'shared/tasks/t-ana/key.pem', '-----BEGIN PRIVATE KEY-----\n');
    put(ana.dir, 'shared/tasks/t-ana/workspace/good.txt', 'good\n');
    const names = ['link', 'workspace/etc', 'workspace/etc/passwd', 'pipe', 'key.pem', 'workspace/good.txt'];
    const paths = names.map((name) => `shared/tasks/t-ana/${name}`);
    expect(await ana.sync.adopt(paths)).toEqual({
      adopted: ['shared/tasks/t-ana/workspace/good.txt'],
      foreign: [],
      unfit: [expect.objectContaining({ path: 'shared/tasks/t-ana/key.pem', line: 1 })],
    });
    expect(git(remote, 'diff', '--name-only', 'main', 'lanes/ana')).toBe('shared/tasks/t-ana/workspace/good.txt');
    expect(ana.told.map((line) => /"path":"([^"]*)"/.exec(line)?.[1])).toEqual(
      [0, 1, 2, 4].map((index) => paths[index]),
    );
  });

  test("to another's file stays in the clone, is told, and holds up no pull", async () => {
    const { ana, lead, remote } = await makeTeam();
    put(ana.dir, PLANNED, PLAN.replace('[ ] t-last', '[x] t-last'));
    expect(await ana.sync.adopt([PLANNED])).toEqual({ adopted: [], foreign: [PLANNED] });
    expect(await ana.sync.unfit()).toEqual([
      {
        path: PLANNED,
        why: "is not this node's to change",
        remedy: `undo it with \`git checkout HEAD -- ${PLANNED}\``,
        foreign: true,
      },
    ]);
    await change(lead, [write(PLANNED, PLAN.replace('[~] t-ana', '[x] t-ana')), write(SPEC, '# New\n')]);
    expect([...(await ana.sync.pull()).changed].sort()).toEqual([PLANNED, SPEC]);
    expect([see(ana.dir, SPEC), markers(see(ana.dir, PLANNED))]).toEqual(['# New\n', '[x][~][x]']);
    await change(ana, [write('shared/tasks/t-ana/result.md', 'x\n')]);
    expect(markers(published(remote, 'lanes/ana', PLANNED))).toBe('[x][~][ ]');
  });

  test('while their last edit is being merged with what came is merged as well', async () => {
    const team = await makeTeam();
    const { lead, ana } = team;
    const LINES = 'shared/tasks/t-ana/workspace/notes.md';
    const lines = (...changed: readonly string[]): string =>
      Array.from({ length: 9 }, (_, index) => `${changed.find((text) => text.startsWith(`${index}`)) ?? index}\n`).join(
        '',
      );
    await change(ana, [write(LINES, lines())]);
    await lead.sync.pull();
    let edits = 0;
    const node = await reopened(team, (workTree, repository) => ({
      workTree,
      git: {
        ...repository,
        async mergeText(...texts) {
          const merged = await repository.mergeText(...texts);
          edits += 1;
          if (edits === 1) put(lead.dir, LINES, lines('4 by hand', '8 and again'));
          return merged;
        },
      },
    }));
    put(lead.dir, LINES, lines('4 by hand'));
    await change(ana, [write(LINES, lines('0 by ana'))]);
    await node.sync.pull();
    expect(see(lead.dir, LINES)).toBe(lines('0 by ana', '4 by hand', '8 and again'));
  });
});
