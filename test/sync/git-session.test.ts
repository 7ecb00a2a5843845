import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGit } from '../../src/adapters/git/git.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import { createSync } from '../../src/sync/syncer.ts';
import { createSameFiles } from '../../src/workspace/same-files.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { git } from '../support/git.ts';
import { testFolder } from '../support/folders.ts';
import { change, makeSolo, makeTeam, write } from './workshop.ts';

/** A git on the PATH whose first `update-ref` is killed after it has committed and before anybody reads its answer. */
function deadly(): string {
  const bin = testFolder('bin');
  const real = execFileSync('sh', ['-c', 'command -v git']).toString().trim();
  writeFileSync(
    join(bin, 'git'),
    `#!/usr/bin/env python3
import os, subprocess, sys
mark = ${JSON.stringify(join(bin, 'armed'))}
if sys.argv[1:2] != ['update-ref'] or not os.path.exists(mark):
    os.execv(${JSON.stringify(real)}, ['git'] + sys.argv[1:])
os.unlink(mark)
child = subprocess.Popen([${JSON.stringify(real)}] + sys.argv[1:], stdout=subprocess.PIPE)
for line in child.stdout:
    if line.startswith(b'commit: ok'):
        child.kill(); os.kill(os.getpid(), 9)
`,
  );
  chmodSync(join(bin, 'git'), 0o755);
  return bin;
}

test('a step whose git was killed behind its commit is still one step', async () => {
  const { dir } = await makeSolo();
  const bin = deadly();
  const repo = await createGit({ dir, env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` } });
  const workTree = createWorkTree(dir);
  const ignore = (): void => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const sync = await createSync({
    git: repo,
    workTree,
    same: createSameFiles(),
    clock: systemClock,
    log,
    role: 'leader',
    localpart: 'lead',
    writer: 'lead',
    branch: 'main',
    lanePrefix: 'lanes/',
    remote: undefined,
    author: { name: 'lead', email: 'l@l' },
  });
  writeFileSync(join(bin, 'armed'), '');
  let decided = 0;
  const made = sync.transact({
    actor: { localpart: 'lead', role: 'leader' },
    label: 'x',
    subject: {},
    whenOffline: 'refuse',
    decide: (view) => {
      decided += 1;
      if (view.text('shared/projects/q/meta.json') !== undefined) throw new Error('project already exists: q');
      return { changes: [write('shared/projects/q/meta.json', '{}\n')], output: 'made' };
    },
  });
  await expect(made).resolves.toMatchObject({ output: 'made' });
  expect(existsSync(join(bin, 'armed'))).toBe(false);
  expect(decided).toBe(1);
});

test('a ref of the mirror that a person removed is shown again', async () => {
  const { lead, ana } = await makeTeam();
  await change(ana, [write('shared/tasks/t-ana/workspace/a.txt', 'a\n')]);
  await lead.sync.pull();
  const id = git(lead.dir, 'rev-parse', 'refs/remotes/origin/lanes/ana');
  git(lead.dir, 'update-ref', '-d', 'refs/remotes/origin/lanes/ana');
  await change(lead, [write('shared/projects/p/result.md', 'x\n')]);
  await lead.sync.pull();
  expect(git(lead.dir, 'for-each-ref', 'refs/remotes/origin/lanes/ana')).toContain(id);
});
