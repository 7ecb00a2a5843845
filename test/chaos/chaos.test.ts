import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runSeed, settle } from '../../src/chaos/seed.ts';
import { PROJECT, castOf, setUpStage } from '../../src/chaos/stage.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { BATON } from '../support/program.ts';
import { cli, cliWith } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { eventually } from '../support/waiting.ts';
import { BRANCHES, localGround } from './ground.ts';

test('a seed with faults ends on one tree, with nothing lost and nothing said too early or twice', async () => {
  const ground = localGround();
  onTestFinished(() => ground.remove());
  const result = await runSeed({ seed: 4, ground, branches: BRANCHES, workers: 2, tasks: 3, steps: 14 });
  expect(result).toMatchObject({ violations: [], faults: 3 });
  expect(result.acknowledged).toBeGreaterThan(0);
});

test('before it is read, a team has had the time that a lock needs which a killed node has left', async () => {
  const ground = localGround();
  onTestFinished(() => ground.remove());
  const stage = await setUpStage({ ground, branches: BRANCHES, cast: castOf(1, 1), mortal: [] });
  onTestFinished(() => stage.close());
  const lead = join(ground.folder, 'lead');
  const lock = join(lead, '.git/index.lock');
  writeFileSync(lock, '', { mode: 0o444 });
  const payload = { projectId: PROJECT, taskId: 'p-01', spec: 'Do it.', roomId: '!r:local', assignedTo: 'ana' };
  expect(await stage.seats[0]?.call('taskflow', 'delegate_task', payload)).toMatchObject({ ok: true });
  expect(existsSync(lock)).toBe(true);
  await settle(stage);
  expect({ lock: existsSync(lock), dirty: git(lead, 'status', '--porcelain') }).toEqual({ lock: false, dirty: '' });
});

test('`baton chaos` plays on branches of its own, tells a table, and leaves the remote as it was', async () => {
  const folder = testFolder('chaos');
  const remote = join(folder, 'theirs.git');
  mkdirSync(remote);
  git(remote, 'init', '-q', '--bare', '-b', 'main');
  const tree = git(remote, 'mktree');
  const commit = git(remote, 'commit-tree', '-m', 'theirs', tree);
  git(remote, 'update-ref', 'refs/heads/main', commit);
  const before = git(remote, 'for-each-ref');
  const { code, stdout } = await cli(folder, 'chaos', '--remote', './theirs.git', '--seed', '1');
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/random schedules +1 +\d+/) as string,
  });
  expect(git(remote, 'for-each-ref')).toBe(before);

  git(remote, 'update-ref', 'refs/heads/chaos-mine/1/main', commit);
  const refused = await cli(folder, 'chaos', '--remote', remote, '--prefix', 'chaos-mine', '--json');
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, code: 'already-exists' });
});

/** A bare repository, and a git that cannot clone from it while `isAway` is there. */
function unsteadyRemote() {
  const folder = testFolder('chaos');
  const [remote, bin, isAway] = [join(folder, 'theirs.git'), join(folder, 'bin'), join(folder, 'away')];
  mkdirSync(remote);
  mkdirSync(bin);
  git(remote, 'init', '-q', '--bare', '-b', 'main');
  const env = cleanEnvironment();
  const path = env['PATH'] ?? '';
  const withBin = `${bin}${delimiter}${path}`;
  const meet = (what: string): void => {
    const away = `case " $* " in *" clone "*) if [ -e '${isAway}' ]; then ${what}; echo 'fatal: no route to host' >&2; exit 128; fi;; esac`;
    writeFileSync(join(bin, 'git'), `#!/bin/sh\nPATH='${path}'\n${away}\nexec git "$@"\n`, { mode: 0o755 });
    writeFileSync(isAway, '');
  };
  const chaos = (...words: readonly string[]) =>
    cliWith({ cwd: folder, env: { ...env, PATH: withBin } }, 'chaos', '--remote', remote, ...words);
  return { remote, isAway, meet, chaos };
}

test('`baton chaos` asks a remote again that did not answer once, and says so', async () => {
  const { isAway, meet, chaos } = unsteadyRemote();
  meet(`rm '${isAway}'`);
  const { code, stdout } = await chaos('--seed', '1');
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^git clone failed \(.*no route to host\); it is tried again\nseed 1: .* all holds/,
    ) as string,
  });
  expect(existsSync(isAway)).toBe(false);
});

test('`baton chaos` goes on with the next schedule after one that the remote did not let it play', async () => {
  const { remote, isAway, meet, chaos } = unsteadyRemote();
  meet(`echo x >> '${isAway}'; [ $(wc -l < '${isAway}') -lt 3 ] || rm '${isAway}'`);
  const { code, stdout } = await chaos('--seeds', '2', '--json');
  expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
    code: 1,
    ok: false,
    seeds: 1,
    violations: 0,
    unplayed: [{ seed: expect.any(Number) as number, reason: expect.stringContaining('no route to host') as string }],
  });
  expect(git(remote, 'for-each-ref')).toBe('');
});

test('`baton chaos` that is interrupted removes its branches before it ends', async () => {
  const folder = testFolder('chaos');
  const remote = join(folder, 'theirs.git');
  mkdirSync(remote);
  git(remote, 'init', '-q', '--bare', '-b', 'main');
  const child = spawn(process.execPath, [BATON, 'chaos', '--remote', remote], {
    cwd: folder,
    env: cleanEnvironment(),
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await eventually(() => git(remote, 'for-each-ref') !== '', 'it has begun');
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect({ code, left: git(remote, 'for-each-ref') }).toEqual({ code: 1, left: '' });
});
