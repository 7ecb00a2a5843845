import { expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { makeTeam } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';

const CREATE = ['project', 'create', 'P', '--project-id', 'p', '--source', 'team-admin'] as const;

test('a node that may push only so often says when it may, and answers whoever waits before it stops', async () => {
  const { remote, lead } = await makeTeam();
  const node = await startUp(lead, { BATON_GIT_MIN_PUSH_INTERVAL: '1h' });
  expect(await cli(lead, ...CREATE)).toMatchObject({ code: 0 });
  const paused = cliJson(lead, 'project', 'pause', 'p');
  const status = await eventually(async () => {
    const answer = await cli(lead, 'sync', 'status');
    return answer.stdout.includes('1 caller waits') ? answer.stdout : undefined;
  }, 'the call waits');
  expect(status).toMatch(/pushes +at least 3600 s apart \(git\.minPushInterval\); the next may be at \S+Z; 1 caller/);
  expect((await cli(lead, 'doctor')).stdout).toContain('at least 3600 s apart');
  expect(git(remote, 'show', 'main:shared/projects/p/meta.json')).toContain('"active"');
  expect(await node.stop()).toBe(0);
  expect(await paused).toMatchObject({ ok: true, durability: 'replicated', heldBackMs: expect.any(Number) as number });
  expect(git(remote, 'show', 'main:shared/projects/p/meta.json')).toContain('"paused"');
});
