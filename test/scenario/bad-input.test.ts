import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { batonWith, cleanEnvironment } from '../support/baton.ts';
import type { Run } from '../support/baton.ts';
import { cli, cliJson } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { prepared } from '../support/prepared.ts';
import { unplug } from '../support/remote.ts';
import { stateOf } from '../support/state.ts';
import { eventually } from '../support/waiting.ts';

const LEADER = { identity: { localpart: 'lead', role: 'leader' } };

function configure(workspace: string, settings: object): void {
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, 'baton.json'), JSON.stringify(settings));
}

const madeBy = (...flags: string[]): ReturnType<typeof prepared> =>
  prepared('bad', async (folder) => {
    await must(folder, 'init', 'lead', '--role', 'leader', '--as', 'lead', ...flags);
  });
const soloIn = madeBy();
const teamIn = madeBy('--remote', 'team.git');

/** A workspace that `baton init` made, alone. */
const soloOf = async (folder: string): Promise<string> => join(await soloIn(folder), 'lead');

/** Likewise at the head of a team, beside its `team.git`. */
const leaderOf = async (folder: string): Promise<string> => join(await teamIn(folder), 'lead');

async function workerOf(folder: string, name: string, remote: string): Promise<string> {
  await must(folder, 'init', name, '--role', 'worker', '--as', name, '--remote', remote);
  return join(folder, name);
}

async function must(cwd: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(cwd, ...words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const create = (id: string): string[] => ['project', 'create', id, '--project-id', id];

/** The refusal as a person sees it: the exit code, the sentence, and one line of what to do. */
async function refusal(cwd: string, ...words: string[]): Promise<{ said: string; remedy: string }> {
  const { code, stdout, stderr }: Run = await cli(cwd, ...words);
  const [said = '', remedy = '', ...rest] = stderr.split('\n');
  expect({ code, stdout, rest }, stderr).toEqual({ code: 1, stdout: '', rest: [''] });
  expect(remedy).not.toBe('');
  return { said, remedy };
}

/** As `refusal`, and nothing has changed: not a file, not a branch, not the remote. */
async function refusedUnchanged(
  at: { cwd: string; remote?: string },
  ...words: string[]
): Promise<{ said: string; remedy: string }> {
  const before = stateOf(at.cwd, at.remote);
  const found = await refusal(at.cwd, ...words);
  expect(stateOf(at.cwd, at.remote)).toEqual(before);
  return found;
}

/** Follows a remedy that is a git command, to the letter. */
function follow(cwd: string, command: string): void {
  const [program = '', ...words] = command.split(' ');
  expect(program).toBe('git');
  git(cwd, ...words);
}

/** The command that a remedy names between backquotes. */
const quoted = (remedy: string): string => /`([^`]+)`/.exec(remedy)?.[1] ?? remedy;

describe('a workspace without git', () => {
  test('is refused, and made good by `baton init` as its baton.json says', async () => {
    const cwd = join(testFolder(), 'work');
    configure(cwd, { identity: { matrixUserId: '@pat:hs.local', role: 'leader' } });
    for (const words of [['board'], create('p'), ['up']]) {
      expect(await refusedUnchanged({ cwd }, ...words)).toEqual({
        said: 'error[bad-workspace]: this folder is not a git repository',
        remedy: 'run `baton init` here',
      });
    }
    await must(cwd, 'init');
    await must(cwd, ...create('p'));
    expect(git(cwd, 'log', '-1', '--format=%s', 'main')).toBe('taskflow(create_project): p');
    expect(git(cwd, 'show', 'main:shared/agents/pat.json')).toContain('"matrix_user_id": "@pat:hs.local"');
  });

  test('inside somebody’s code repository leaves that alone, and gets a repository of its own', async () => {
    const code = testFolder('code');
    git(code, 'init', '--quiet', '--initial-branch=main');
    git(code, 'commit', '--quiet', '--allow-empty', '-m', 'code');
    const cwd = join(code, 'work');
    configure(cwd, LEADER);
    const before = git(code, 'rev-parse', 'main');
    expect(await refusedUnchanged({ cwd }, ...create('p'))).toEqual({
      said: 'error[bad-workspace]: this folder is not a git repository of its own, but lies inside another one',
      remedy: 'run `baton init` here',
    });
    await must(cwd, 'init');
    await must(cwd, ...create('p'));
    expect(git(code, 'rev-parse', 'main')).toBe(before);
    expect(git(cwd, 'rev-parse', '--show-toplevel')).toBe(cwd);
  });

  test('of a team is cloned again from the remote that its baton.json names', async () => {
    const folder = testFolder();
    const lead = await leaderOf(folder);
    await must(lead, ...create('p'));
    const settings = readFileSync(join(lead, 'baton.json'), 'utf8');
    for (const name of ['.git', '.gitignore', '.gitattributes', 'shared'])
      rmSync(join(lead, name), { recursive: true });
    expect(await refusal(lead, 'board')).toMatchObject({ remedy: 'run `baton init` here' });
    await must(lead, 'init');
    expect(await must(lead, 'board')).toContain('p · dag · active');
    expect(readFileSync(join(lead, 'baton.json'), 'utf8')).toBe(settings);
  });
});

describe('a remote', () => {
  test('that is not there refuses commands and lets reading go on, until it is back', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    const lead = await leaderOf(folder);
    await must(lead, ...create('first'));
    renameSync(remote, `${remote}.away`);
    const { said, remedy } = await refusedUnchanged({ cwd: lead }, ...create('second'));
    expect(said).toBe(
      'error[sync-failed]: cannot pull authoritative project state from shared storage; retry ' +
        `(the git remote is not there: '${remote}' does not appear to be a git repository)`,
    );
    expect(remedy).toBe(
      'nothing was changed: check git.remote in baton.json: the repository must exist, and you must be allowed to read it',
    );
    expect(await must(lead, 'board')).toContain('first · dag · active');
    const doctor = await cli(lead, 'doctor');
    expect({ code: doctor.code, stderr: doctor.stderr }).toEqual({ code: 1, stderr: '' });
    expect(doctor.stdout).toContain(`wrong  remote     ${remote}: `);
    expect(doctor.stdout).toContain(remedy);
    // What the remedy asks for: the repository exists, under the name that baton.json gives or another.
    renameSync(`${remote}.away`, join(folder, 'moved.git'));
    configure(lead, { ...LEADER, git: { remote: join(folder, 'moved.git') } });
    await must(lead, ...create('second'));
    expect(git(join(folder, 'moved.git'), 'ls-tree', '--name-only', 'main', 'shared/projects/')).toContain('second');
  });

  test('that disappears under a running node is a state: it goes on, and catches up by itself', async () => {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    const lead = await leaderOf(folder);
    const node = await startUp(lead);
    const back = unplug(remote);
    const before = stateOf(lead);
    expect(await cliJson(lead, ...create('p'))).toMatchObject({ ok: false, code: 'sync-failed', retryable: true });
    expect(stateOf(lead)).toEqual(before);
    expect(await cliJson(lead, 'sync', 'status')).toMatchObject({ ok: true, online: false });
    // Hand edits are taken up meanwhile, and reach the remote when it is back.
    writeFileSync(join(lead, 'shared/projects/note.md'), 'written while the remote was away\n');
    await eventually(
      () => git(lead, 'ls-files', 'shared/projects/note.md') !== '' || undefined,
      'the edit is committed without the remote',
    );
    back();
    await must(lead, 'sync', 'now');
    expect(git(remote, 'show', 'main:shared/projects/note.md')).toBe('written while the remote was away');
    await must(lead, ...create('p'));
    expect(await node.stop()).toBe(0);
  });

  test('that was never made cannot be joined, and nothing is left behind', async () => {
    const folder = testFolder();
    const before = stateOf(folder);
    const join_ = ['init', 'ana', '--role', 'worker', '--remote', 'team.git'];
    const { said, remedy } = await refusal(folder, ...join_);
    expect(said).toBe(`error[bad-workspace]: there is no team to join at ${join(folder, 'team.git')}`);
    expect(remedy).toBe(
      "check the path, or make the Leader's workspace first: baton init DIR --role leader --remote PATH",
    );
    expect(stateOf(folder)).toEqual(before);
    expect(existsSync(join(folder, 'ana'))).toBe(false);
    await must(folder, 'init', 'lead', '--role', 'leader', '--remote', 'team.git');
    await must(folder, ...join_);
  });

  test.each([
    ['ext::sh -c touch% pwned', 'names a transport that runs commands'],
    ['--upload-pack=touch pwned', 'looks like an option'],
    ['ssh://-oProxyCommand=touch pwned/x', 'names a host that looks like an option'],
    ['fd::7', 'names a transport that runs commands'],
  ])('named %j is refused before git hears of it', async (remote, why) => {
    const folder = testFolder();
    const cwd = await soloOf(folder);
    configure(cwd, { ...LEADER, git: { remote } });
    const expected = {
      said: `error[bad-config]: git.remote ${why}: ${JSON.stringify(remote)}`,
      remedy: 'give git.remote a path or an address of one of these kinds: file, git, http, https, ssh',
    };
    expect(await refusedUnchanged({ cwd }, ...create('p'))).toEqual(expected);
    expect(await refusedUnchanged({ cwd }, 'up')).toEqual(expected);
    expect(await refusal(folder, 'init', 'other', `--remote=${remote}`)).toEqual(expected);
    expect(existsSync(join(folder, 'other'))).toBe(false);
    expect([folder, cwd].filter((place) => existsSync(join(place, 'pwned')))).toEqual([]);
    configure(cwd, LEADER);
    await must(cwd, ...create('p'));
  });
});

describe('baton.json', () => {
  test.each([
    [{ ...LEADER, git: { remot: 'x' } }, 'baton.json: unknown key git.remot'],
    [{ ...LEADER, server: { auth: { on: true } } }, 'baton.json: unknown key server.auth.on'],
    [{ ...LEADER, git: { branch: 7 } }, 'baton.json: git.branch: Invalid input: expected string, received number'],
    [
      { identity: { localpart: 'lead', role: 'boss' } },
      'baton.json: identity.role: Invalid option: expected one of "leader"|"worker"|"remote-member"|"manager"|"admin"',
    ],
    [{ ...LEADER, git: { branch: '-x' } }, 'git.branch is not a branch name: "-x"'],
    [{ ...LEADER, git: { lanePrefix: '../' } }, 'git.lanePrefix is not a branch name: "../x"'],
  ])('%j is refused with the path of the key, and nothing starts half-configured', async (settings, message) => {
    const cwd = await soloOf(testFolder());
    configure(cwd, settings);
    for (const words of [['board'], ['up']]) {
      expect((await refusedUnchanged({ cwd }, ...words)).said).toBe(`error[bad-config]: ${message}`);
    }
    const doctor = await cli(cwd, 'doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toContain(`wrong  config     ${message}`);
    configure(cwd, LEADER);
    await must(cwd, 'doctor');
  });

  test('that is no JSON is refused with line and column', async () => {
    const cwd = await soloOf(testFolder());
    writeFileSync(join(cwd, 'baton.json'), '{\n  "identity": {,\n');
    expect((await refusedUnchanged({ cwd }, 'board')).said).toContain(
      'error[bad-config]: baton.json:2:16 [json-invalid] invalid JSON in baton.json',
    );
  });
});

describe('a lock', () => {
  test('held by a living node keeps a second one out, until the remedy is followed', async () => {
    const cwd = await soloOf(testFolder());
    const node = await startUp(cwd);
    const { said, remedy } = await refusedUnchanged({ cwd }, 'up');
    expect(said).toMatch(
      new RegExp(`^error\\[locked\\]: process ${node.pid} has held this workspace since \\d{4}-\\d\\d-\\d\\dT.*Z$`),
    );
    const [, pid] = /^wait for it, or stop it with: kill (\d+)$/.exec(remedy) ?? [];
    expect(Number(pid)).toBe(node.pid);
    // Commands do not compete: they are carried out by the node.
    await must(cwd, ...create('p'));
    process.kill(Number(pid), 'SIGTERM');
    await eventually(() => !existsSync(join(cwd, '.baton/node.lock')) || undefined, 'the node gives up the workspace');
    const second = await startUp(cwd);
    expect(await second.stop()).toBe(0);
  });

  test('left by a node that was killed is taken over', async () => {
    const cwd = await soloOf(testFolder());
    const node = await startUp(cwd);
    await node.kill();
    expect(existsSync(join(cwd, '.baton/node.lock'))).toBe(true);
    await must(cwd, ...create('p'));
    expect(existsSync(join(cwd, '.baton/node.lock'))).toBe(false);
    const first = await startUp(cwd);
    await first.kill();
    const second = await startUp(cwd);
    expect(second.log()).toContain('took over the lock of a node that is gone');
    expect(await second.stop()).toBe(0);
  });

  test('of a process whose id was given to another one is taken over', async () => {
    const cwd = await soloOf(testFolder());
    mkdirSync(join(cwd, '.baton'), { recursive: true });
    const { hostname } = await import('node:os');
    const stale = { pid: process.pid, host: hostname(), started: 'another boot:1', since: '2026-01-01T00:00:00Z' };
    writeFileSync(join(cwd, '.baton/node.lock'), JSON.stringify(stale));
    await must(cwd, ...create('p'));
  });
});

describe('a lane that somebody else wrote', () => {
  /** A Worker's clone and a stranger's push to its lane, with work of its own in between. */
  async function diverged(): Promise<{ folder: string; remote: string; ana: string }> {
    const folder = testFolder();
    const remote = join(folder, 'team.git');
    await leaderOf(folder);
    const ana = await workerOf(folder, 'ana', remote);
    await must(ana, 'sync', 'now');
    git(folder, 'clone', '--quiet', '--branch', 'lanes/ana', remote, 'stranger');
    const stranger = join(folder, 'stranger');
    writeFileSync(join(stranger, 'shared/stray.md'), 'not from ana\n');
    git(stranger, 'add', '-A');
    git(stranger, 'commit', '--quiet', '-m', 'not ana');
    git(stranger, 'push', '--quiet', 'origin', 'lanes/ana');
    git(ana, 'commit', '--quiet', '--allow-empty', '-m', 'own work');
    return { folder, remote, ana };
  }

  const SAID =
    /^error\[sync-failed\]: lane lanes\/ana on the remote holds commits this clone did not make: "not ana" by Pat <pat@local> \([0-9a-f]{10}\)$/;

  test('stops its Worker with a sentence, and goes on after the merge that it names', async () => {
    const { remote, ana } = await diverged();
    const { said, remedy } = await refusedUnchanged({ cwd: ana, remote }, 'sync', 'now');
    expect(said).toMatch(SAID);
    const [, look, merge] = /`(git log [^`]+)`.*`(git merge [^`]+)`/.exec(remedy) ?? [];
    expect(git(ana, ...(look ?? '').split(' ').slice(1))).toContain('not ana');
    git(ana, ...(merge ?? '').split(' ').slice(1), '--no-edit');
    await must(ana, 'sync', 'now');
    expect(git(remote, 'rev-parse', 'lanes/ana')).toBe(git(ana, 'rev-parse', 'HEAD'));
  });

  test('goes on after the branch was deleted on the remote, as the remedy offers', async () => {
    const { remote, ana } = await diverged();
    expect((await refusal(ana, 'sync', 'now')).remedy).toContain('or delete the branch on the remote');
    git(ana, 'push', '--quiet', 'origin', '--delete', 'lanes/ana');
    await must(ana, 'sync', 'now');
    expect(git(remote, 'rev-parse', 'lanes/ana')).toBe(git(ana, 'rev-parse', 'HEAD'));
    expect(existsSync(join(ana, 'shared/stray.md'))).toBe(false);
  });
});

describe('a clone in which a person is at work', () => {
  test('on another branch is refused, and goes on after the switch that it names', async () => {
    const cwd = await soloOf(testFolder());
    git(cwd, 'switch', '--quiet', '-c', 'other');
    for (const words of [create('p'), ['up']]) {
      expect(await refusedUnchanged({ cwd }, ...words)).toEqual({
        said: 'error[bad-workspace]: the workspace is on branch other, but this node works on main',
        remedy: 'git switch main',
      });
    }
    follow(cwd, (await refusal(cwd, 'board')).remedy);
    await must(cwd, ...create('p'));
    git(cwd, 'switch', '--quiet', '--detach');
    const detached = await refusedUnchanged({ cwd }, ...create('q'));
    expect(detached.said).toBe(
      'error[bad-workspace]: the workspace is on no branch (detached head), but this node works on main',
    );
    follow(cwd, detached.remedy);
    await must(cwd, ...create('q'));
  });

  test('in the middle of a merge is refused, and goes on after it was dropped', async () => {
    const cwd = await soloOf(testFolder());
    const note = (text: string): void => {
      writeFileSync(join(cwd, 'shared/note.md'), text);
      git(cwd, 'add', '-A');
      git(cwd, 'commit', '--quiet', '-m', text);
    };
    git(cwd, 'switch', '--quiet', '-c', 'side');
    note('one');
    git(cwd, 'switch', '--quiet', 'main');
    note('two');
    // The node is running all the while: it must not write into the merge.
    const node = await startUp(cwd);
    const merge = spawnSync('git', ['merge', 'side'], { cwd, env: cleanEnvironment(), encoding: 'utf8' });
    expect(merge.stdout).toContain('CONFLICT');
    const { said, remedy } = await refusedUnchanged({ cwd }, ...create('p'));
    expect(said).toBe('error[bad-workspace]: a merge is in progress in this workspace');
    expect(remedy).toBe('finish it, or drop it with `git merge --abort`');
    follow(cwd, quoted(remedy));
    await must(cwd, ...create('p'));
    expect(readFileSync(join(cwd, 'shared/note.md'), 'utf8')).toBe('two');
    expect(await node.stop()).toBe(0);
  });
});

test('a lock that a git left when it died is named, with what removes it', async () => {
  const cwd = await soloOf(testFolder());
  const file = '.git/refs/heads/main.lock';
  writeFileSync(join(cwd, file), '');
  expect(await refusedUnchanged({ cwd }, ...create('p'))).toEqual({
    said: `error[git-failed]: another git is at work in this repository, or one died there: ${file} exists`,
    remedy: `wait for it; if no git runs here any more, remove ${file}`,
  });
  rmSync(join(cwd, file));
  await must(cwd, ...create('p'));
  // A lock that stands only in the way of tidying up holds nothing back.
  writeFileSync(join(cwd, '.git/packed-refs.lock'), '');
  await must(cwd, ...create('q'));
  rmSync(join(cwd, '.git/packed-refs.lock'));
  await must(cwd, ...create('r'));
  expect(git(cwd, 'for-each-ref', 'refs/baton/')).toBe('');
  expect(git(cwd, 'status', '--porcelain')).toBe('');
});

test('a workspace too deep for a local socket says so, works in single calls, and runs with BATON_SOCKET', async () => {
  const folder = testFolder();
  const deep = join(folder, 'd'.repeat(100));
  mkdirSync(deep);
  const cwd = await soloOf(deep);
  const { said, remedy } = await refusedUnchanged({ cwd }, 'up');
  expect(said).toMatch(
    /^error\[bad-workspace\]: the path of the node's local socket has \d+ bytes and the system allows \d+: the workspace lies too deep$/,
  );
  expect(remedy).toContain('set BATON_SOCKET=/short/path');
  await must(cwd, ...create('p'));
  const env = { BATON_SOCKET: join(folder, 's') };
  const node = await startUp(cwd, env);
  const { code, stdout } = await batonWith({ cwd, env }, ...create('q'), '--json');
  expect({ code, ok: (JSON.parse(stdout) as { ok: boolean }).ok }).toEqual({ code: 0, ok: true });
  expect(await node.stop()).toBe(0);
});
