import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '../support/baton.ts';
import { BATON } from '../support/program.ts';
import { cli, cliJson } from '../support/cli.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { onPush, unplug } from '../support/remote.ts';
import { makeTeam } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';

const CREATE = ['project', 'create', 'P', '--project-id', 'p', '--source', 'team-admin'] as const;

test('`baton sync now` serves scripts and hooks, with a node and without one', async () => {
  const { folder, remote, lead, ana } = await makeTeam();
  const log = join(folder, 'hook.log');
  // As a hook of the remote is written: it runs for every push, also for one that the node itself has under way.
  onPush(
    remote,
    'post-receive',
    `${process.execPath} ${BATON} sync now --no-wait --json --workspace ${lead} >> ${log}`,
  );
  const woken = (): readonly unknown[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split(/^(?=\{)/m)
          .map((text) => (JSON.parse(text) as { woken?: unknown }).woken)
      : [];

  // Without a node a command syncs in its own process, and the hook of its own push finds nobody to wake.
  expect(await cli(lead, ...CREATE)).toMatchObject({ code: 0 });
  expect(await cliJson(ana, 'sync', 'now')).toMatchObject({ ok: true, action: 'sync', remote: true });
  expect(readFileSync(join(ana, 'shared/projects/p/plan.md'), 'utf8')).toContain('Team Project: P');
  expect(await cli(ana, 'sync', 'now', '--no-wait')).toMatchObject({ code: 0, stdout: 'no node runs here\n' });
  expect(woken()).toEqual(woken().map(() => false));
  appendFileSync(join(lead, 'shared/projects/p/plan.md'), '\nA word by hand.\n');
  const edited = await cli(lead, 'sync', 'now');
  expect(edited.stdout).toMatch(/^synced {2}1 file edited here\n {2}shared\/projects\/p\/plan\.md\n/);
  expect(git(remote, 'show', 'main:shared/projects/p/plan.md')).toContain('A word by hand.');
  expect((await cli(lead, 'sync', 'now')).stdout).toMatch(/^synced {2}nothing new\n/);
  const before = woken().length;
  expect(before).toBeGreaterThan(0);

  // With a node its own push is answered although the hook calls it meanwhile.
  const node = await startUp(lead);
  expect(await cli(lead, 'project', 'pause', 'p')).toMatchObject({ code: 0 });
  await eventually(() => woken().slice(before).includes(true) || undefined, 'the hook has woken the node');
  const many = await Promise.all(Array.from({ length: 4 }, () => cliJson(lead, 'sync', 'now')));
  expect(many.map(({ ok }) => ok)).toEqual([true, true, true, true]);

  const back = unplug(remote);
  const away = await cli(lead, 'sync', 'now', '--json');
  expect(away.code).toBe(1);
  expect(JSON.parse(away.stdout)).toMatchObject({ ok: false, code: 'sync-failed', retryable: true });
  expect(await cli(lead, 'sync', 'now', '--no-wait'), 'a hook does not fail for that').toMatchObject({ code: 0 });
  back();
  expect(await cli(lead, 'sync', 'now', '--quiet')).toMatchObject({ code: 0, stdout: '' });
  expect(await node.stop()).toBe(0);
});

test('a script that goes on with plain git after a command finds the step in its index', async () => {
  const { lead, remote } = await makeTeam();
  const node = await startUp(lead);
  expect(await cli(lead, ...CREATE)).toMatchObject({ code: 0 });
  const baton = `'${process.execPath}' '${BATON}' --quiet`;
  const commit = 'git -c user.name=Pat -c user.email=pat@local commit -q --allow-empty -m';
  const seen = (command: string): string =>
    execFileSync('sh', ['-c', `${baton} ${command} && git status --porcelain && ${commit} '${command}'`], {
      cwd: lead,
      encoding: 'utf8',
      env: cleanEnvironment(),
    });
  const commands = ['project pause p', 'project resume p', 'project pause p'];
  expect(commands.map(seen)).toEqual(commands.map(() => ''));
  expect(await cli(lead, 'sync', 'now', '--quiet')).toMatchObject({ code: 0 });
  expect(git(remote, 'show', 'main:shared/projects/p/meta.json')).toContain('"status": "paused"');
  expect(git(remote, 'log', '--format=%s', 'main', '--grep', 'keep_step')).toBe('');
  expect(git(remote, 'log', '--format=%s', 'main', '--author', 'Pat').split('\n').toReversed()).toEqual(commands);
  expect(await node.stop()).toBe(0);
});
