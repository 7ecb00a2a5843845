import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { byHand, change, makeTeam, published, put, see, write } from './workshop.ts';
import type { Team } from './workshop.ts';

const WHO = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };

/** Plumbing with an index of its own: makes what no work tree could hold. */
function plumb(dir: string, input: string, ...parameters: string[]): string {
  const env = { ...process.env, ...WHO, GIT_INDEX_FILE: join(dir, '.git', 'rogue-index') };
  return execFileSync('git', parameters, { cwd: dir, encoding: 'utf8', input, env }).trim();
}

/** Pushes a commit with these files to the lane of `ana`. */
function pushPaths({ ana }: Team, paths: readonly string[]): void {
  plumb(ana.dir, '', 'read-tree', 'HEAD');
  const blob = plumb(ana.dir, 'x', 'hash-object', '-w', '--stdin');
  const lines = paths.map((path) => `100644 ${blob}\t${path}\0`).join('');
  plumb(ana.dir, lines, 'update-index', '-z', '--index-info');
  pushCommit(ana.dir, plumb(ana.dir, '', 'write-tree'));
}

function pushCommit(dir: string, tree: string): void {
  const commit = plumb(dir, 'rogue', 'commit-tree', tree, '-p', 'HEAD');
  git(dir, 'push', '-q', 'origin', `${commit}:refs/heads/lanes/ana`);
}

/** The tree with `subtree` put at a path. */
function withSubtree(dir: string, tree: string, [name = '', ...rest]: readonly string[], subtree: string): string {
  const lines = plumb(dir, '', 'ls-tree', tree).split('\n');
  const found = lines.find((line) => line.endsWith(`\t${name}`));
  const child = rest.length === 0 ? subtree : withSubtree(dir, found?.split(/[ \t]/)[2] ?? '', rest, subtree);
  const others = lines.filter((line) => line !== found && line !== '');
  return plumb(dir, `${[...others, `040000 tree ${child}\t${name}`].join('\n')}\n`, 'mktree');
}

describe('a lane made by plumbing', () => {
  test('brings no path that a file system could not hold, so that everybody can still clone', async () => {
    const team = await makeTeam();
    const paths = [
      `shared/tasks/t-ana/${'x'.repeat(256)}`,
      `shared/tasks/t-ana/${'ü'.repeat(200)}`,
      `shared/tasks/t-ana/${'d/'.repeat(600)}f`,
    ];
    pushPaths(team, [...paths, `shared/tasks/t-ana/${'y'.repeat(255)}`]);
    const { refusals, changed } = await team.lead.sync.pull();
    expect(refusals.map(({ reason }) => reason)).toEqual(paths.map(() => 'reserved-name'));
    expect(changed.filter((path) => !path.startsWith('shared/events/'))).toEqual([
      `shared/tasks/t-ana/${'y'.repeat(255)}`,
    ]);
    await team.lead.sync.push();
    git(team.folder, 'clone', '-q', team.remote, 'fresh');
    expect(git(join(team.folder, 'fresh'), 'status', '--porcelain')).toBe('');
  });

  test('that stands for millions of files is given up in time, and stops no other lane', async () => {
    const team = await makeTeam();
    const { ana, bo, lead } = team;
    let [entry, id] = ['100644 blob', plumb(ana.dir, 'x', 'hash-object', '-w', '--stdin')];
    for (let level = 0; level < 8; level += 1) {
      id = plumb(ana.dir, Array.from({ length: 10 }, (_, index) => `${entry} ${id}\tn${index}\n`).join(''), 'mktree');
      entry = '040000 tree';
    }
    const bomb = withSubtree(ana.dir, git(ana.dir, 'rev-parse', 'HEAD^{tree}'), ['shared', 'tasks', 't-ana', 'b'], id);
    pushCommit(ana.dir, bomb);
    await change(bo, [write('shared/tasks/t-bo/result.md', 'mine\n')]);
    const { refusals } = await lead.sync.pull();
    expect(refusals).toMatchObject([{ lane: 'lanes/ana', reason: 'broken-lane' }]);
    expect(see(lead.dir, 'shared/tasks/t-bo/result.md')).toBe('mine\n');
    // It is not looked at again before it has moved.
    expect((await lead.sync.pull()).refusals).toEqual([]);
  });
});

describe('what a clone keeps for itself', () => {
  test('is not brought by main, neither new nor over what is there', async () => {
    const { lead, ana, bo, remote } = await makeTeam();
    put(ana.dir, 'baton.json', '{ "mine": true }\n');
    put(lead.dir, 'baton.json', '{ "worker": { "exec": "evil" } }\n');
    put(lead.dir, '.baton/outbox.json', '{}\n');
    git(lead.dir, 'add', '-f', 'baton.json', '.baton/outbox.json');
    git(lead.dir, 'commit', '-q', '-m', 'oops');
    git(lead.dir, 'push', '-q', 'origin', 'main');
    expect(published(remote, 'main', 'baton.json')).toContain('evil');
    await ana.sync.pull();
    await bo.sync.pull();
    expect(see(ana.dir, 'baton.json')).toBe('{ "mine": true }\n');
    expect(see(bo.dir, 'baton.json')).toBeUndefined();
    expect(existsSync(join(ana.dir, '.baton'))).toBe(false);
    git(lead.dir, 'rm', '-q', '--cached', 'baton.json');
    byHand(lead.dir, 'mended');
    git(lead.dir, 'push', '-q', 'origin', 'main');
    await ana.sync.pull();
    expect(see(ana.dir, 'baton.json')).toBe('{ "mine": true }\n');
  });
});
