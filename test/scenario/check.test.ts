import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startNode } from '../../src/app.ts';
import { checkAllTasks } from '../../src/index.ts';
import { cleanEnvironment } from '../support/baton.ts';
import { cli, cliJson } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';

async function workspace(): Promise<string> {
  const folder = testFolder('check');
  await cli(folder, 'init', 'lead', '--role', 'leader');
  const lead = join(folder, 'lead');
  await cli(lead, 'agent', 'register', 'bo', '--role', 'worker');
  await cli(lead, 'create', 'Build it', '--priority', 'P1', '--plan', 'In two parts.');
  await cli(lead, 'transition', 'TASK-001', 'approve');
  await cli(lead, 'dispatch', 'TASK-001', 'Part one', '--agent', 'bo', '--type', 'dev');
  await cli(lead, 'subtask', 'TASK-001', 'subtask_01', 'start', '--progress', '40');
  return lead;
}

describe('baton check', () => {
  test('counts heartbeats, warns of what stands still, takes projects on, and skips what is broken', async () => {
    const lead = await workspace();
    expect((await cli(lead, 'check')).stdout).toBe('0 alerts; 1 task of 1 project open\n');
    expect(await cli(lead, 'check', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
    const stuck = await checkAllTasks({ workspace: lead, env: cleanEnvironment() });
    expect(stuck.alerts).toMatchObject([{ type: 'stuck', task_id: 'TASK-001', subtask_id: 'subtask_01', level: 1 }]);
    expect(stuck.summary.alerts).toEqual({ stuck: 1 });
    expect((await cli(lead, 'check', '--quiet')).stdout).toContain('TASK-001/subtask_01');
    expect((await cli(lead, 'check', '--discord')).stdout).toContain('🚨 **TASK-001**/**subtask_01** STUCK');

    await cli(lead, 'subtask', 'TASK-001', 'subtask_01', 'start', '--progress', '60');
    expect(await cliJson(lead, 'check', 'TASK-001')).toMatchObject({ ok: true, alerts: [], checked: 1 });

    // A plan that a person has ticked goes on with the next check.
    const plan = join(lead, 'shared/projects/TASK-001/plan.md');
    writeFileSync(plan, readFileSync(plan, 'utf8').replace('[~]', '[x]'));
    expect(await cliJson(lead, 'check')).toMatchObject({
      transitions: [{ task_id: 'TASK-001', from: 'IN_PROGRESS', to: 'TESTING', events: ['test'] }],
    });

    await cli(lead, 'create', 'Another one');
    writeFileSync(join(lead, 'shared/projects/TASK-002/meta.json'), 'garbage');
    rmSync(join(lead, '.baton/beats.json'));
    expect(await cliJson(lead, 'check')).toMatchObject({
      ok: true,
      skipped: [{ path: 'shared/projects/TASK-002/meta.json' }],
      tasks: [{ task_id: 'TASK-001', status: 'TESTING' }],
    });
    expect(await cli(lead, 'check', 'TASK-404')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Task TASK-404 not found'),
    });
    await expect(checkAllTasks({ workspace: lead, task: 'TASK-404', env: cleanEnvironment() })).rejects.toMatchObject({
      code: 'not-found',
      message: 'Task TASK-404 not found',
    });
  });
});

describe('baton check of a team without a running node', () => {
  test('tells of a result that it takes in and that its project sends back at once', async () => {
    const folder = testFolder('check-team');
    const [lead, bo] = [join(folder, 'lead'), join(folder, 'bo')];
    for (const [name, role] of [
      ['lead', 'leader'],
      ['bo', 'worker'],
    ] as const) {
      await cli(folder, 'init', name, '--role', role, '--as', name, '--remote', join(folder, 'team.git'));
    }
    await cli(lead, 'agent', 'register', 'bo', '--role', 'worker');
    await cli(lead, 'create', 'Build it', '--priority', 'P1', '--plan', 'In one part.');
    await cli(lead, 'transition', 'TASK-001', 'approve');
    await cli(lead, 'dispatch', 'TASK-001', 'Part one', '--agent', 'bo', '--type', 'dev');
    await cli(bo, 'task', 'submit', 'TASK-001-01', '--status', 'REVISION_NEEDED', '--summary', 'no again');

    expect(await cliJson(lead, 'check')).toMatchObject({
      alerts: [{ type: 'failed', task_id: 'TASK-001', subtask_id: 'subtask_01' }],
      summary: { states: { revision: 1 } },
      checked: 1,
    });
    expect((await cli(lead, 'check', '--quiet')).stdout).toContain('was sent back');
  });
});

describe('baton notify', () => {
  test('prints what is new while a node holds the workspace that nobody could reach', async () => {
    const lead = await workspace();
    const silent = (): void => undefined;
    const log = { debug: silent, info: silent, warn: silent, error: silent };
    await using stack = new AsyncDisposableStack();
    const node = await startNode({ root: lead, env: cleanEnvironment(), log });
    stack.defer(() => node.stop());
    const beats = readFileSync(join(lead, '.baton/beats.json'), { encoding: 'utf8', flag: 'a+' });

    expect((await cli(lead, 'notify', 'digest')).stdout.split('\n')).toEqual([
      '📋 **Heartbeat digest**: 1 open task, 0 alerts',
      '**TASK-001** 🔨 IN_PROGRESS [████░░░░░░] 40% Build it',
      '',
    ]);
    expect((await cli(lead, 'notify', 'TASK-001', 'created')).stdout).toContain('🆕 **TASK-001** created: Build it');
    expect((await cli(lead, 'notify', 'TASK-001', 'status', '--plain')).stdout).toContain(
      '- subtask_01 🔨 IN_PROGRESS [████░░░░░░] 40% Part one · bo',
    );
    expect((await cli(lead, 'notify', 'TASK-001', 'transition')).stdout).toContain('APPROVED → 🔨 IN_PROGRESS');
    const alert = ['alert', '--type', 'stuck', '--subtask-id', 'subtask_01', '--ping', '<@42>'];
    expect(await cliJson(lead, 'notify', 'TASK-001', ...alert)).toMatchObject({
      ok: true,
      text: expect.stringMatching(/^🚨 <@42> \*\*TASK-001\*\*\/\*\*subtask_01\*\* STUCK: Part one\n/),
    });
    expect(readFileSync(join(lead, '.baton/beats.json'), 'utf8')).toBe(beats);

    // What the team says of such texts stands in shared/team.json (S002-34).
    const team = JSON.parse(readFileSync(join(lead, 'shared/team.json'), 'utf8')) as object;
    const choose = (discord: object): void =>
      writeFileSync(join(lead, 'shared/team.json'), JSON.stringify({ ...team, discord }));
    choose({ guild: '1', category: '2', humanIds: ['77'], notifications: { heartbeatUpdates: false } });
    expect(await cli(lead, 'notify', 'digest')).toMatchObject({ code: 0, stdout: '' });
    expect(await cliJson(lead, 'notify', 'digest')).toMatchObject({
      ok: true,
      text: '',
      silenced: 'discord.notifications.heartbeatUpdates',
    });
    const called = (await cli(lead, 'notify', 'TASK-001', ...alert)).stdout;
    expect(called).toContain('🚨 <@42> <@77> **TASK-001**');
    expect(called).toContain('\n🔗 <https://discord.com/channels/1/2>\n');
    choose({ enabled: false });
    expect((await cli(lead, 'notify', 'digest')).stdout).toContain('📋 Heartbeat digest: 1 open task, 0 alerts\n');
    writeFileSync(join(lead, 'shared/team.json'), JSON.stringify(team));

    expect(await cli(lead, 'notify', 'TASK-001')).toMatchObject({ code: 2 });
    expect(await cli(lead, 'notify', 'TASK-001', 'alert')).toMatchObject({ code: 2 });
    expect(await cli(lead, 'notify', 'TASK-404', 'status')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Task TASK-404 not found'),
    });
  });
});
