import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createWorkspaceGit } from '../../src/adapters/git/workspace.ts';
import { loadConfig } from '../../src/config.ts';
import { LAUNCHER } from '../../src/launcher.ts';
import { initWorkspace } from '../../src/services/initializer.ts';
import type { InitOutcome, InitRequest } from '../../src/services/initializer.ts';
import { findInconsistencies } from '../../src/rules/consistency.ts';
import { nextTaskId } from '../../src/rules/next-id.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';

const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };

function init(dir: string, options: Omit<InitRequest, 'dir' | 'env'> = {}): Promise<InitOutcome> {
  return initWorkspace({ dir, env, ...options }, createWorkspaceGit(env), LAUNCHER);
}

const TEAM_FILES = [
  '.gitattributes',
  '.gitignore',
  'shared/agents/.gitkeep',
  'shared/agents/lead.json',
  'shared/archive/.gitkeep',
  'shared/checkpoints/.gitkeep',
  'shared/events/.gitkeep',
  'shared/projects/.gitkeep',
  'shared/tasks/.gitkeep',
  'shared/team.json',
];

describe('a workspace without a remote', () => {
  test('is a repository with the files of a team, committed, and the smallest configuration', async () => {
    const dir = join(testFolder(), 'new', 'work');
    const outcome = await init(dir);
    expect(outcome.root).toBe(dir);
    expect(outcome.created).toEqual([...TEAM_FILES, 'baton.json'].sort());
    expect(git(dir, 'ls-files').split('\n')).toEqual(TEAM_FILES);
    expect(git(dir, 'status', '--porcelain')).toBe('');
    expect(readdirSync(dir).sort()).toEqual(['.git', '.gitattributes', '.gitignore', 'baton.json', 'shared']);
    expect(git(dir, 'branch', '--show-current')).toBe('main');
    expect(JSON.parse(readFileSync(join(dir, 'baton.json'), 'utf8'))).toEqual({
      identity: { localpart: 'lead', role: 'leader' },
    });
    expect(JSON.parse(readFileSync(join(dir, 'shared/team.json'), 'utf8'))).toEqual({ schema: 1, name: 'work' });
    expect(readFileSync(join(dir, '.gitattributes'), 'utf8')).toBe('* text=auto eol=lf\n/shared/** merge=baton\n');
  });

  test('is not changed by a second run, which says so', async () => {
    const dir = join(testFolder(), 'work');
    await init(dir, { as: '@pat:hs.local', team: 'demo' });
    const before = git(dir, 'rev-parse', 'HEAD');
    const again = await init(dir, { as: 'somebody-else', role: 'worker' });
    expect(again).toEqual({
      root: dir,
      created: [],
      notes: [
        "This is pat's workspace already (leader); nothing was changed.",
        '--role, --as would change it: edit baton.json, or name another folder.',
      ],
    });
    expect(git(dir, 'rev-parse', 'HEAD')).toBe(before);
    expect(loadConfig(dir, {}).identity).toEqual({ localpart: 'pat', matrixUserId: '@pat:hs.local', role: 'leader' });
  });

  test('is completed by a second run when the first was broken off before its end', async () => {
    const dir = join(testFolder(), 'work');
    await init(dir);
    const before = git(dir, 'rev-parse', 'HEAD');
    rmSync(join(dir, 'baton.json'));
    expect((await init(dir, { role: 'leader' })).created).toEqual(['baton.json']);
    expect(git(dir, 'rev-parse', 'HEAD')).toBe(before);
  });

  test('leaves files that were in the folder alone and uncommitted', async () => {
    const dir = testFolder();
    writeFileSync(join(dir, 'notes.txt'), 'mine');
    writeFileSync(join(dir, '.gitignore'), 'mine too\n');
    await init(dir);
    expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('mine too\n');
    expect(git(dir, 'ls-files').split('\n')).toEqual(TEAM_FILES.filter((path) => path !== '.gitignore'));
    // baton.json stays out of the commits of a person as well.
    expect(git(dir, 'status', '--porcelain')).toBe('?? .gitignore\n?? notes.txt');
  });

  test('takes a repository that has no commits yet', async () => {
    const dir = testFolder();
    git(dir, 'init', '--quiet', '--initial-branch=trunk');
    await init(dir);
    expect(git(dir, 'branch', '--show-current')).toBe('main');
    expect(git(dir, 'ls-files').split('\n')).toEqual(TEAM_FILES);
  });

  test('can begin with sample agents and tasks that read back without a finding, and counts on from them', async () => {
    const dir = join(testFolder(), 'work');
    await init(dir, { samples: true });
    const view = createWorkTree(dir).view();
    expect(view.diagnostics()).toEqual([]);
    expect(findInconsistencies(view)).toEqual([]);
    const agents = view.agents().filter(({ role }) => role === 'worker');
    expect(agents.map(({ agent_id: id, max_concurrent: max, reliability }) => [id, max, reliability])).toEqual([
      ['agent-n8n-integration', 1, 0.88],
      ['agent-qr-feature', 2, 0.92],
      ['agent-security-cleanup', 1, 0.95],
      ['agent-vps-deploy', 1, 0.9],
      ['antigravity-main', 3, 0.98],
      ['claude-code', 3, 1],
      ['copilot-agent', 5, 0.94],
      ['eva', 1, 1],
    ]);
    const statuses = view.project('inbox')?.plan.nodes.map(({ id }) => view.task(id)?.meta?.status);
    const counted = (word: string) => statuses?.filter((status) => status === word).length;
    expect([counted('in_progress'), counted('completed'), counted('pending')]).toEqual([1, 5, 4]);
    expect(nextTaskId(view)).toBe('TASK-011');
  });
});

describe('a workspace of a team', () => {
  test('makes the remote when its path does not exist, and Workers join on lanes of their own', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    const lead = await init(join(folder, 'lead'), { role: 'leader', as: 'lead', remote, team: 'demo' });
    expect(lead.notes).toEqual([`Made the team's repository: ${remote}`, 'Made a new team; lead leads it.']);
    const head = git(lead.root, 'rev-parse', 'HEAD');
    expect(git(remote, 'rev-parse', 'main')).toBe(head);
    expect(git(lead.root, 'remote', 'get-url', 'origin')).toBe(remote);

    const ana = await init(join(folder, 'ana'), { role: 'worker', remote });
    expect(ana.created).toEqual(['baton.json']);
    expect(git(ana.root, 'branch', '--show-current')).toBe('lanes/ana');
    expect(git(ana.root, 'rev-parse', 'HEAD')).toBe(head);
    expect(readdirSync(join(ana.root, 'shared'))).toEqual(readdirSync(join(lead.root, 'shared')));
    expect(loadConfig(ana.root, {})).toMatchObject({
      identity: { localpart: 'ana', matrixUserId: '@ana:local', role: 'worker' },
      git: { remote, branch: 'main', lanePrefix: 'lanes/' },
    });
  });

  test('makes clones in which a plain `git pull` merges what the team has published, also on a lane, and `git push` is one of the own branch', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    const lead = await init(join(folder, 'lead'), { role: 'leader', as: 'lead', remote });
    const ana = await init(join(folder, 'ana'), { role: 'worker', remote });
    const commit = (root: string, name: string): void => {
      writeFileSync(join(root, 'shared', name), name);
      git(root, 'add', 'shared');
      git(root, 'commit', '--quiet', '-m', name);
    };
    for (const [index, root] of [ana.root, lead.root].entries()) {
      const pat = join(folder, `pat-${index}`);
      git(folder, 'clone', '--quiet', remote, pat);
      commit(pat, `theirs-${index}.md`);
      git(pat, 'push', '--quiet');
      commit(root, `ours-${index}.md`);
      git(root, 'pull', '--quiet');
      expect(git(root, 'log', '--merges', '--format=%P')).not.toBe('');
      expect(readdirSync(join(root, 'shared'))).toEqual(
        expect.arrayContaining([`theirs-${index}.md`, `ours-${index}.md`]),
      );
      git(root, 'push', '--quiet');
      const own = git(root, 'branch', '--show-current');
      expect(git(remote, 'rev-parse', own)).toBe(git(root, 'rev-parse', 'HEAD'));
    }
  });

  test('leaves to a person how their git pulls, where that was chosen before', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    const { root } = await init(join(folder, 'lead'), { remote });
    git(root, 'config', 'branch.main.rebase', 'true');
    git(root, 'config', '--unset', 'branch.main.merge');
    await init(root);
    expect([git(root, 'config', 'branch.main.rebase'), git(root, 'config', 'branch.main.merge')]).toEqual([
      'true',
      'refs/heads/main',
    ]);
  });

  test.each([
    ['Ana Smith', 'invalid-argument', '--as names nobody: Ana Smith'],
    ['ANA', 'already-exists', 'ana has a lane already, and ANA differs only by letter case'],
  ])('refuses %j for a Worker who joins beside ana', async (as, code, message) => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    await init(join(folder, 'lead'), { remote });
    await init(join(folder, 'ana'), { role: 'worker', remote });
    await expect(init(join(folder, 'other'), { role: 'worker', as, remote })).rejects.toMatchObject({ code, message });
    expect(existsSync(join(folder, 'other'))).toBe(false);
  });

  test('joins as a Worker unless another role is given', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    await init(join(folder, 'lead'), { remote });
    const joined = await init(join(folder, 'bo'), { remote });
    expect(loadConfig(joined.root, {}).identity.role).toBe('worker');
    const second = await init(join(folder, 'deputy'), { remote, role: 'Team_Leader', as: 'deputy' });
    expect(loadConfig(second.root, {}).identity).toMatchObject({ localpart: 'deputy', role: 'leader' });
    expect(git(second.root, 'branch', '--show-current')).toBe('main');
  });

  test('goes on with the lane that a Worker had before', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    await init(join(folder, 'lead'), { remote });
    const first = await init(join(folder, 'ana'), { remote });
    writeFileSync(join(first.root, 'shared/note.md'), 'work');
    git(first.root, 'add', 'shared/note.md');
    git(first.root, 'commit', '--quiet', '-m', 'Work');
    git(first.root, 'push', '--quiet', 'origin', 'lanes/ana');
    const again = await init(join(folder, 'other', 'ana'), { remote });
    expect(git(again.root, 'rev-parse', 'HEAD')).toBe(git(first.root, 'rev-parse', 'HEAD'));
    expect(again.notes[0]).toContain('had a lane already');
  });

  test('takes a clone that a person made with plain git', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    await init(join(folder, 'lead'), { remote });
    const dir = join(folder, 'ana');
    git(folder, 'clone', '--quiet', remote, dir);
    await init(dir, { role: 'worker', as: 'ana' });
    expect(git(dir, 'branch', '--show-current')).toBe('lanes/ana');
    expect(loadConfig(dir, {}).git.remote).toBe(remote);
  });

  test('lets one of two Leaders who begin at once begin, and the other join', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
    const [one, two] = await Promise.all([
      init(join(folder, 'one'), { remote, role: 'leader', as: 'one' }),
      init(join(folder, 'two'), { remote, role: 'leader', as: 'two' }),
    ]);
    expect(git(one.root, 'rev-parse', 'HEAD')).toBe(git(two.root, 'rev-parse', 'HEAD'));
    expect([one.created.length, two.created.length].sort((a, b) => a - b)).toEqual([1, 11]);
  });
});

function codeRepository(): string {
  const code = join(testFolder(), 'code');
  mkdirSync(code);
  git(code, 'init', '--quiet', '--initial-branch=main');
  writeFileSync(join(code, 'index.js'), '1\n');
  git(code, 'add', '.');
  git(code, 'commit', '--quiet', '-m', 'Code');
  return code;
}

describe('a workspace inside a code repository', () => {
  test('lives in a linked worktree on branches of its own and leaves the code alone', async () => {
    const code = codeRepository();
    const head = git(code, 'rev-parse', 'HEAD');
    const { root } = await init(code, { inRepo: true });
    expect(root).toBe(join(code, '.baton-workspace'));
    expect(git(root, 'branch', '--show-current')).toBe('baton/main');
    expect(git(root, 'ls-files').split('\n')).toEqual(TEAM_FILES);
    expect(git(code, 'rev-parse', 'HEAD')).toBe(head);
    expect(git(code, 'branch', '--show-current')).toBe('main');
    expect(git(code, 'status', '--porcelain')).toBe('');
    expect(git(root, 'status', '--porcelain')).toBe('');
    expect(loadConfig(root, {}).git).toMatchObject({ branch: 'baton/main', lanePrefix: 'baton/lanes/' });
    expect((await init(code, { inRepo: true })).created).toEqual([]);
    // The code goes on finding renames; a repository of Baton's own does not.
    expect(git(code, 'config', '--get-regexp', String.raw`^merge\.(renames|baton\.recursive)$`)).toBe(
      'merge.baton.recursive baton-ancestors',
    );
  });

  test('shares the remote of the code when it is named', async () => {
    const code = codeRepository();
    const remote = join(code, '..', 'code.git');
    git(code, 'clone', '--quiet', '--bare', code, remote);
    const lead = await init(code, { inRepo: true, remote });
    expect(git(remote, 'rev-parse', 'baton/main')).toBe(git(lead.root, 'rev-parse', 'HEAD'));
    const ana = await init(join(code, '..', 'ana', '..', 'code', 'ana-work'), { inRepo: true, remote, as: 'ana' });
    expect(git(ana.root, 'branch', '--show-current')).toBe('baton/lanes/ana');
  });

  test('is refused where there is no repository', async () => {
    const dir = testFolder();
    await expect(init(dir, { inRepo: true })).rejects.toMatchObject({ code: 'bad-workspace' });
    expect(readdirSync(dir)).toEqual([]);
  });

  test('is the remedy for a repository with code, which is refused otherwise', async () => {
    const code = codeRepository();
    await expect(init(code)).rejects.toMatchObject({
      code: 'bad-workspace',
      remedy: 'use --in-repo to keep Baton apart from its code, or name another folder',
    });
    expect(existsSync(join(code, 'baton.json'))).toBe(false);
  });
});

describe('what cannot be made', () => {
  test.each<[string, Omit<InitRequest, 'dir' | 'env'>, string]>([
    ['an unknown role', { role: 'boss' }, 'invalid-argument'],
    ['a name that is no localpart', { as: 'a b:c d' }, 'invalid-argument'],
    ['a remote that looks like an option', { remote: '--upload-pack=touch x' }, 'bad-config'],
    ['a remote that runs a command', { remote: 'ext::sh -c touch% x' }, 'bad-config'],
    ['a Worker of a team that is not there', { role: 'worker', remote: '/nonexistent/team.git' }, 'bad-workspace'],
    ['a Worker without a team', { role: 'worker' }, 'bad-workspace'],
    ['a remote that is not there', { remote: 'file:///nonexistent/team.git' }, 'bad-config'],
  ])('leaves nothing behind: %s', async (_, options, code) => {
    const folder = testFolder();
    await expect(init(join(folder, 'a', 'b'), options)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('refuses a remote that holds something else than a team, and keeps the folder as it was', async () => {
    const folder = testFolder();
    const code = join(folder, 'code');
    git(folder, 'init', '--quiet', '--initial-branch=main', code);
    writeFileSync(join(code, 'index.js'), '1\n');
    git(code, 'add', '.');
    git(code, 'commit', '--quiet', '-m', 'Code');
    const dir = join(folder, 'work');
    mkdirSync(dir);
    writeFileSync(join(dir, 'mine.txt'), 'mine');
    await expect(init(dir, { remote: code })).rejects.toMatchObject({ code: 'bad-workspace' });
    expect(readdirSync(dir)).toEqual(['mine.txt']);
  });

  test('refuses to join over files that the team has too, and keeps them', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    await init(join(folder, 'lead'), { remote });
    const dir = join(folder, 'ana');
    mkdirSync(join(dir, 'shared'), { recursive: true });
    writeFileSync(join(dir, 'shared/team.json'), 'mine');
    await expect(init(dir, { remote })).rejects.toMatchObject({
      code: 'bad-workspace',
      message: 'files of the team are in the folder already: shared/team.json',
    });
    expect(readFileSync(join(dir, 'shared/team.json'), 'utf8')).toBe('mine');
    expect(existsSync(join(dir, '.git'))).toBe(false);
  });
});
