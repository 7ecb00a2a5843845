import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SOME_KEY } from '../protocol/secrets/samples.ts';
import { cli, cliJson } from '../support/cli.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { makeTeam } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';

test('a secret that a Worker has committed by plain git is told by every command that is asked, until it is taken out', async () => {
  const { remote, ana } = await makeTeam();
  // As a Worker's clone begins its lane on the remote.
  expect(await cli(ana, 'sync', 'now')).toMatchObject({ code: 0 });
  const node = await startUp(ana);
  writeFileSync(join(ana, '.env'), `DB_PASSWORD=${SOME_KEY}\n`);
  git(ana, 'add', '.env');
  git(ana, 'commit', '-q', '-m', 'a mistake');

  const refused = await cliJson(ana, 'sync', 'now');
  expect(refused).toMatchObject({ ok: false, code: 'sync-failed', retryable: false });
  const reason = 'a commit that is not on the remote yet cannot be pushed: .env holds a secret in line 1';
  const status = await cli(ana, 'sync', 'status');
  expect(status.stdout).toContain(reason);
  expect(status.stdout).toContain('git rebase -i');
  const doctor = await cli(ana, 'doctor');
  expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(/wrong +remote .*\.env holds a secret/)]);
  expect(node.log()).toContain(reason);
  expect(node.log()).not.toContain('the remote cannot be reached');

  // What is not theirs to write does not allow it.
  const team = join(ana, 'shared/team.json');
  const before = readFileSync(team, 'utf8');
  const { fingerprint } = refused as { fingerprint?: string };
  writeFileSync(
    team,
    `${JSON.stringify({ ...(JSON.parse(before) as object), policies: { allowedSecrets: [fingerprint] } })}\n`,
  );
  expect(await cliJson(ana, 'sync', 'now')).toMatchObject({ ok: false, code: 'sync-failed' });
  writeFileSync(team, before);
  expect(git(remote, 'log', '--all', '-p')).not.toContain(SOME_KEY);

  git(ana, 'rm', '-q', '--cached', '.env');
  git(ana, 'commit', '-q', '--amend', '--allow-empty', '-m', 'nothing');
  await eventually(async () => (await cli(ana, 'sync', 'now')).code === 0 || undefined, 'the push goes on');
  expect((await cli(ana, 'doctor')).stdout).toMatch(/ok +remote/);
  expect(git(remote, 'log', '--all', '-p')).not.toContain(SOME_KEY);
  expect(node.log()).not.toContain(SOME_KEY);
  expect(await node.stop()).toBe(0);
});
