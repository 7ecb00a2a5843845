import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createGit } from '../../src/adapters/git/git.ts';
import { initWorkspace } from '../../src/app.ts';
import { mayWrite } from '../../src/protocol/ownership.ts';
import { mergeCommits } from '../../src/sync/merge.ts';
import type { MergePolicy } from '../../src/sync/merge.ts';
import { driverSettings } from '../../src/services/merge-wiring.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { cli } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { prepared } from '../support/prepared.ts';
import { PAIRS } from './merge-pairs.ts';
import { PLAN, see, taskMeta } from './workshop.ts';

type Files = Readonly<Record<string, string | undefined>>;

/** Commits these files on top of what is checked out, as a person does. */
function commit(dir: string, files: Files, message = 'by hand'): string {
  for (const [path, text] of Object.entries(files)) {
    const target = join(dir, path);
    if (text === undefined) rmSync(target, { force: true });
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
  }
  git(dir, 'add', '-A');
  git(dir, 'commit', '-q', '--allow-empty', '-m', message);
  return git(dir, 'rev-parse', 'HEAD');
}

const side = (of: 'base' | 'ours' | 'theirs'): Files => Object.fromEntries(PAIRS.map((pair) => [pair.path, pair[of]]));

const NOBODY: MergePolicy = { ownerOf: () => undefined, leaderSide: undefined, agent: 'lead' };
const workerPolicy = (localpart: string): MergePolicy => ({
  ownerOf: (path) => (mayWrite({ localpart, role: 'worker' }, path, () => 'ana').allowed ? 'local' : 'remote'),
  leaderSide: 'remote',
  agent: localpart,
});

/** The tree that Baton itself makes of the two commits. */
async function ownTree(dir: string, local: string, remote: string, policy: MergePolicy): Promise<string> {
  const repository = await createGit({ dir });
  const { tree, edits } = await mergeCommits(repository, local, remote, policy);
  const author = { name: 'b', email: 'b' };
  const id = await repository.commit({ parents: [local, remote], tree, edits, message: 'm\n', author, at: 0 });
  return git(dir, 'rev-parse', `${id}^{tree}`);
}

const treeOf = (dir: string): string => git(dir, 'rev-parse', 'HEAD^{tree}');

/** What differs between two trees, so that a failure names its pair. */
const differences = (dir: string, wanted: string, found: string): string =>
  git(dir, 'diff-tree', '-r', '-p', wanted, found);

interface Clones {
  readonly folder: string;
  readonly remote: string;
  readonly lead: string;
}

const clones = prepared('driver', async (folder) => {
  const place = { dir: join(folder, 'le ad'), remote: join(folder, 'team.git') };
  await initWorkspace({ ...place, env: cleanEnvironment(), role: 'leader', as: 'lead' });
});

async function makeClones(): Promise<Clones> {
  const folder = await clones();
  return { folder, remote: join(folder, 'team.git'), lead: join(folder, 'le ad') };
}

const PLAN_PATH = 'shared/projects/p/plan.md';
const META_PATH = 'shared/tasks/t-ana/meta.json';
const LOG_PATH = 'shared/events/2026-11/lead.jsonl';
const agent = (status: string, enabled: boolean): string =>
  `${JSON.stringify({ agent_id: 'ana', role: 'worker', status, enabled }, undefined, 2)}\n`;
const PROJECT_META: Files = {
  'shared/projects/p/meta.json': '{ "project_id": "p", "title": "P", "status": "active", "source": "x" }\n',
};
const START: Files = {
  [PLAN_PATH]: PLAN,
  [META_PATH]: taskMeta('t-ana', 'ana'),
  'shared/tasks/t-ana/spec.md': '# First\n',
  'shared/agents/ana.json': agent('IDLE', true),
};

describe("a person's own merge", () => {
  test(`ends in the tree of Baton's own for ${PAIRS.length} pairs of edits, pulled into the Leader's clone`, async () => {
    const { folder, remote, lead } = await makeClones();
    const base = commit(lead, side('base'));
    git(lead, 'push', '-q', 'origin', 'main');
    git(folder, 'clone', '-q', remote, 'pat');
    const theirs = commit(join(folder, 'pat'), side('theirs'));
    git(join(folder, 'pat'), 'push', '-q', 'origin', 'main');
    const ours = commit(lead, side('ours'));
    git(lead, 'fetch', '-q');
    const wanted = await ownTree(lead, ours, theirs, NOBODY);

    git(lead, 'pull', '-q', '--no-rebase', 'origin', 'main');
    expect(git(lead, 'rev-list', '--parents', '-1', 'HEAD').split(' ').slice(1)).toEqual([ours, theirs]);
    expect(git(lead, 'merge-base', ours, theirs)).toBe(base);
    expect(differences(lead, wanted, 'HEAD')).toBe('');
    expect(treeOf(lead)).toBe(wanted);
    expect(git(lead, 'status', '--porcelain')).toBe('');
  });

  test("speaks for whoever owns the clone: in a Worker's the Leader has the last word on what is the Leader's", async () => {
    const { folder, remote, lead } = await makeClones();
    const ana = join(folder, 'ana');
    commit(lead, { ...START, 'shared/tasks/t-ana/result.md': 'begun\n' });
    git(lead, 'push', '-q', 'origin', 'main');
    await initWorkspace({ dir: ana, env: cleanEnvironment(), role: 'worker', as: 'ana', remote });
    const theirs = commit(lead, {
      [PLAN_PATH]: PLAN.replace('First', 'The first'),
      [META_PATH]: taskMeta('t-ana', 'ana', { task_title: 'The first', status: 'cancelled', summary: 'no' }),
      'shared/tasks/t-ana/result.md': 'theirs\n',
      'shared/tasks/t-ana/spec.md': '# The first\n',
      'shared/agents/ana.json': agent('OFFLINE', false),
    });
    git(lead, 'push', '-q', 'origin', 'main');
    const ours = commit(ana, {
      [PLAN_PATH]: PLAN.replace('First', 'Mine'),
      [META_PATH]: taskMeta('t-ana', 'ana', { task_title: 'Mine', status: 'submitted', summary: 'done' }),
      'shared/tasks/t-ana/result.md': 'mine\n',
      'shared/tasks/t-ana/spec.md': '# Mine\n',
      'shared/agents/ana.json': agent('ACTIVE', true),
    });
    git(ana, 'pull', '-q', '--no-rebase', 'origin', 'main');
    const wanted = await ownTree(ana, ours, theirs, workerPolicy('ana'));
    expect(differences(ana, wanted, 'HEAD')).toBe('');

    // A lane that the Leader merges by hand is merged like one that the node integrates.
    git(ana, 'push', '-q', 'origin', `${ours}:refs/heads/lanes/ana`);
    git(lead, 'fetch', '-q');
    git(lead, 'merge', '-q', '-m', 'by hand', 'origin/lanes/ana');
    expect(differences(lead, await ownTree(lead, ours, theirs, workerPolicy('ana')), 'HEAD')).toBe('');
    expect(see(lead, PLAN_PATH)).toContain('The first');
    expect(see(lead, 'shared/tasks/t-ana/result.md')).toBe('mine\n');
  });

  test('ends alike in either direction, and when it is rebased, as far as no side has the last word', async () => {
    const { lead } = await makeClones();
    const base = commit(lead, START);
    const first = commit(lead, { [PLAN_PATH]: PLAN.replace('[~] t-ana', '[x] t-ana'), [LOG_PATH]: '{"id":"1"}\n' });
    git(lead, 'switch', '-q', '-c', 'side', base);
    const second = commit(lead, {
      [PLAN_PATH]: PLAN.replace('First', 'The first').replace('[~] t-bo', '[!] t-bo'),
    });
    git(lead, 'merge', '-q', '-m', 'm', 'main');
    const merged = treeOf(lead);
    expect(merged).toBe(await ownTree(lead, second, first, NOBODY));
    git(lead, 'switch', '-q', '-C', 'other', first);
    git(lead, 'merge', '-q', '-m', 'm', second);
    expect(treeOf(lead)).toBe(merged);
    git(lead, 'switch', '-q', '-C', 'third', second);
    git(lead, 'rebase', '-q', 'main');
    expect(treeOf(lead)).toBe(merged);
  });

  test('gives the last word to what was published, whether it is merged or rebased onto', async () => {
    const { lead } = await makeClones();
    const base = commit(lead, START);
    const published = commit(lead, { [PLAN_PATH]: PLAN.replace('First', 'Published') });
    git(lead, 'switch', '-q', '-c', 'mine', base);
    const mine = commit(lead, { [PLAN_PATH]: PLAN.replace('First', 'Mine') });
    git(lead, 'merge', '-q', '-m', 'm', 'main');
    const merged = treeOf(lead);
    expect(see(lead, PLAN_PATH)).toContain('Published');
    expect(merged).toBe(await ownTree(lead, mine, published, NOBODY));
    git(lead, 'reset', '-q', '--hard', mine);
    git(lead, 'rebase', '-q', 'main');
    expect(treeOf(lead)).toBe(merged);
  });

  test('merges common ancestors of a crossed history as Baton does, without asking anybody', async () => {
    const { lead } = await makeClones();
    const prose = (text: string): string => PLAN.replace('**ID**: p', `**ID**: p\n\n${text}`);
    const start = commit(lead, { ...START, [PLAN_PATH]: prose('Why?') });
    const left = commit(lead, { [PLAN_PATH]: prose('Because.').replace('[~] t-ana', '[x] t-ana') });
    git(lead, 'switch', '-q', '-c', 'right', start);
    const right = commit(lead, { [PLAN_PATH]: prose('Wherefore.').replace('t-bo — Second', 't-bo — Next') });
    const crossed = (ours: string, other: string, text: string): string => {
      git(lead, 'switch', '-q', '--detach', ours);
      git(lead, 'merge', '-q', '-s', 'ours', '-m', 'm', other);
      return commit(lead, { [PLAN_PATH]: text });
    };
    const both = prose('Both.').replace('[~] t-ana', '[x] t-ana').replace('t-bo — Second', 't-bo — Next');
    const a = crossed(left, right, both.replace('[ ] t-last', '[~] t-last'));
    const b = crossed(right, left, both.replace('Third', 'The third'));
    expect(git(lead, 'merge-base', '--all', a, b).split('\n').sort()).toEqual([left, right].sort());
    git(lead, 'switch', '-q', '--detach', a);
    git(lead, 'merge', '-q', '-m', 'm', b);
    expect(treeOf(lead)).toBe(await ownTree(lead, a, b, NOBODY));
    expect(see(lead, PLAN_PATH)).toContain('[~] t-last — The third');
  });

  test('takes several lanes at once, each with its own log', async () => {
    const { lead } = await makeClones();
    const base = commit(lead, START);
    for (const name of ['ana', 'bo', 'cy']) {
      git(lead, 'switch', '-q', '-c', `side/${name}`, base);
      commit(lead, { [`shared/events/2026-11/${name}.jsonl`]: `{"id":"${name}"}\n` });
    }
    git(lead, 'switch', '-q', '--detach', base);
    git(lead, 'merge', '-q', '-m', 'octopus', 'side/ana', 'side/bo', 'side/cy');
    const octopus = treeOf(lead);
    git(lead, 'switch', '-q', '--detach', base);
    for (const name of ['ana', 'bo', 'cy']) {
      const [ours = '', theirs = ''] = git(lead, 'rev-parse', 'HEAD', `side/${name}`).split('\n');
      git(lead, 'merge', '-q', '--no-ff', '-m', name, `side/${name}`);
      expect(treeOf(lead)).toBe(await ownTree(lead, ours, theirs, NOBODY));
    }
    expect(treeOf(lead)).toBe(octopus);
  });
});

test('a merge by hand in the clone of a running node is published by it as it is', async () => {
  const { folder, remote, lead } = await makeClones();
  const base = commit(lead, { ...START, ...PROJECT_META });
  git(lead, 'push', '-q', 'origin', 'main');
  git(lead, 'switch', '-q', '-c', 'topic');
  const topic = commit(lead, { [PLAN_PATH]: PLAN.replace('First', 'The first').replace('[~] t-bo', '[!] t-bo') });
  git(lead, 'switch', '-q', 'main');
  git(folder, 'clone', '-q', remote, 'pat');
  const pat = join(folder, 'pat');
  commit(pat, { [PLAN_PATH]: PLAN.replace('Second', 'Next') });
  git(pat, 'push', '-q', 'origin', 'main');
  const node = await startUp(lead);
  expect(await cli(lead, 'sync', 'now')).toMatchObject({ code: 0 });
  const ours = git(lead, 'rev-parse', 'HEAD');
  expect(git(lead, 'merge-base', ours, topic)).toBe(base);

  git(lead, 'merge', '-q', '-m', 'by hand', 'topic');
  expect(await cli(lead, 'sync', 'now')).toMatchObject({ code: 0 });
  const merge = git(lead, 'rev-list', '--merges', '-1', '--grep', 'by hand', 'HEAD');
  expect(git(lead, 'rev-parse', `${merge}^{tree}`)).toBe(await ownTree(lead, ours, topic, NOBODY));
  expect(git(remote, 'merge-base', '--is-ancestor', merge, 'main')).toBe('');
  expect(git(lead, 'status', '--porcelain')).toBe('');
  expect(see(lead, PLAN_PATH)).toContain('- [!] t-bo — Next (assigned: bo)');
  expect(await node.stop()).toBe(0);
});

describe('what no rule decides', () => {
  const status = (dir: string): readonly string[] => git(dir, 'status', '--porcelain').split('\n');

  /** Merges `theirs` into `ours` with plain git, which finds a conflict. */
  async function conflict(ours: Files, theirs: Files, start: Files = START): Promise<string> {
    const { lead } = await makeClones();
    const base = commit(lead, start);
    const published = commit(lead, theirs);
    git(lead, 'switch', '-q', '-c', 'mine', base);
    commit(lead, ours);
    expect(() => git(lead, 'merge', published)).toThrow('Command failed');
    return lead;
  }

  test('is left to the person in the usual way, around nothing but the words in question', async () => {
    const prose = (text: string): string => PLAN.replace('**ID**: p', `**ID**: p\n\n${text}`);
    const lead = await conflict(
      { [PLAN_PATH]: prose('Because.').replace('[~] t-ana — First', '[x] t-ana — First') },
      { [PLAN_PATH]: prose('Wherefore.').replace('t-ana — First', 't-ana — The first') },
      { ...START, [PLAN_PATH]: prose('Why?') },
    );
    expect(status(lead)).toEqual([`UU ${PLAN_PATH}`]);
    const both = ['<<<<<<< ours', 'Because.', '=======', 'Wherefore.', '>>>>>>> theirs'].join('\n');
    expect(see(lead, PLAN_PATH)).toBe(prose(both).replace('[~] t-ana — First', '[x] t-ana — The first'));
  });

  test('is a conflict of the whole file where the plan itself cannot be read', async () => {
    const lead = await conflict(
      { 'shared/tasks/t-ana/meta.json': '{ "status": ' },
      { 'shared/tasks/t-ana/meta.json': '[]\n' },
    );
    expect(status(lead)).toEqual([`UU ${META_PATH}`]);
    expect(see(lead, META_PATH)).toContain('<<<<<<< ours\n{ "status": \n=======\n[]\n>>>>>>> theirs\n');
  });

  test.each([
    ['removed here', { [META_PATH]: undefined }, { [META_PATH]: taskMeta('t-ana', 'ana', { summary: 'x' }) }, 'DU'],
    ['removed there', { [META_PATH]: taskMeta('t-ana', 'ana', { summary: 'x' }) }, { [META_PATH]: undefined }, 'UD'],
  ])('is a file that was %s and changed by the other side', async (_, ours, theirs, found) => {
    const lead = await conflict(ours, theirs);
    expect(status(lead)).toEqual([`${found} ${META_PATH}`]);
    expect(see(lead, META_PATH)).toBe(taskMeta('t-ana', 'ana', { summary: 'x' }));
  });

  test('is anything that is no text', async () => {
    const path = 'shared/tasks/t-ana/workspace/a.bin';
    const lead = await conflict({ [path]: 'mine\0' }, { [path]: 'theirs\0' }, { ...START, [path]: 'base\0' });
    expect(status(lead)).toEqual([`UU ${path}`]);
    expect(see(lead, path)).toBe('mine\0');
  });
});

describe('the wiring', () => {
  const doctor = async (dir: string): Promise<string> =>
    (await cli(dir, 'doctor')).stdout
      .split('\n')
      .filter((line, index, all) => line.includes('merges') || all[index - 1]?.includes('merges'))
      .slice(0, 2)
      .join('\n');

  test('is looked at by the doctor, and made good by another `baton init`', async () => {
    const { lead } = await makeClones();
    expect(await doctor(lead)).toMatch(/ok +merges +git merges by /);
    git(
      lead,
      'config',
      'merge.baton.driver',
      git(lead, 'config', 'merge.baton.driver').replaceAll('/bin.ts', '/gone.ts'),
    );
    expect(await doctor(lead)).toMatch(/warn +merges .*the merge driver is gone: \/.*gone\.ts\n.*`baton init` here/);

    // Until then git merges as it does without any driver.
    const base = commit(lead, START);
    const theirs = commit(lead, { [PLAN_PATH]: PLAN.replace('[~] t-ana', '[x] t-ana') });
    git(lead, 'switch', '-q', '-c', 'mine', base);
    commit(lead, { [PLAN_PATH]: PLAN.replace('[~] t-bo', '[!] t-bo') });
    expect(() => git(lead, 'merge', theirs)).toThrow('Command failed');
    expect(see(lead, PLAN_PATH)).toContain('<<<<<<< ours\n');
    git(lead, 'merge', '--abort');
    git(lead, 'switch', '-q', 'main');

    git(lead, 'config', '--unset', 'merge.baton.driver');
    expect(await doctor(lead)).toMatch(/warn +merges .*no merge driver is set\n/);
    const again = await cli(lead, 'init');
    expect(again.stdout).toContain('Your own git merges plans and records by the rules of this Baton now.');
    expect(await doctor(lead)).toMatch(/ok +merges /);
    git(lead, 'switch', '-q', 'mine');
    git(lead, 'merge', '-q', '-m', 'm', theirs);
    expect(see(lead, PLAN_PATH)).toBe(PLAN.replace('[~] t-ana', '[x] t-ana').replace('[~] t-bo', '[!] t-bo'));
  });

  test("is added to a team that was made without it by the Leader's `baton init`, once", async () => {
    const { folder, remote, lead } = await makeClones();
    commit(lead, { '.gitattributes': '* text=auto eol=lf\n*.png binary' });
    git(lead, 'push', '-q', 'origin', 'main');
    const ana = join(folder, 'ana');
    await initWorkspace({ dir: ana, env: cleanEnvironment(), role: 'worker', as: 'ana', remote });
    expect(await doctor(ana)).toMatch(/warn +merges .*\.gitattributes does not say .*\n.*in the Leader's clone/);
    expect((await cli(ana, 'init')).stdout).toContain('nothing was changed');

    expect((await cli(lead, 'init')).stdout).toContain('Added "/shared/** merge=baton" to .gitattributes on main');
    expect(git(remote, 'show', 'main:.gitattributes')).toBe('* text=auto eol=lf\n*.png binary\n/shared/** merge=baton');
    for (const clone of [lead, ana]) {
      expect((await cli(clone, 'sync', 'now')).code).toBe(0);
      expect(await doctor(clone)).toMatch(/ok +merges /);
    }
    expect((await cli(lead, 'init')).stdout).toContain('nothing was changed');
  });

  test('is added to a workspace without a remote as well', async () => {
    const lead = join(testFolder('driver'), 'lead');
    await initWorkspace({ dir: lead, env: cleanEnvironment(), role: 'leader', as: 'lead' });
    commit(lead, { '.gitattributes': '' });
    expect((await cli(lead, 'init')).stdout).toContain('to .gitattributes on main.');
    expect(git(lead, 'status', '--porcelain')).toBe('');
    expect(see(lead, '.gitattributes')).toBe('/shared/** merge=baton\n');
    expect(await doctor(lead)).toMatch(/ok +merges /);
  });

  test('survives folders with any name', () => {
    const launcher = { node: "/a b/it's 100%/node", script: '/$HOME/`x`/bin.ts' };
    const [, command = ''] = driverSettings(launcher).find(([key]) => key === 'merge.baton.driver') ?? [];
    expect(command).toContain(String.raw`'/a b/it'\''s 100%%/node' '/$HOME/` + "`x`/bin.ts' merge-driver -- %O");
  });
});
