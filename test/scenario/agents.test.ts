import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';

type Answer = Readonly<Record<string, unknown>>;

/** The answer of `auto-dispatch`, which is JSON without being asked to. */
async function auto(cwd: string, ...words: readonly string[]): Promise<Answer> {
  const { stdout } = await cli(cwd, 'auto-dispatch', ...words);
  return JSON.parse(stdout) as Answer;
}

const list = (value: unknown): readonly Answer[] => value as readonly Answer[];

/** How many entries have which word there. */
function counted(entries: unknown, key: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const entry of list(entries)) counts[String(entry[key])] = (counts[String(entry[key])] ?? 0) + 1;
  return counts;
}

describe('agents and who gets what', () => {
  test('the samples are worked from the command line: roster, choice, dispatch, the next id (S001-29 to S001-34, S001-49 to S001-52, S002-32)', async () => {
    const folder = testFolder('samples');
    const work = join(folder, 'work');
    expect(await cli(folder, 'init', 'work', '--as', 'lead', '--samples')).toMatchObject({ code: 0 });

    const { agents } = await cliJson(work, 'agent', 'list');
    expect(list(agents).map((one) => [one['agent_id'], one['status'], one['load'], one['max_concurrent']])).toEqual([
      ['agent-n8n-integration', 'IDLE', 0, 1],
      ['agent-qr-feature', 'IDLE', 0, 2],
      ['agent-security-cleanup', 'IDLE', 0, 1],
      ['agent-vps-deploy', 'IDLE', 0, 1],
      ['antigravity-main', 'ACTIVE', 1, 3],
      ['claude-code', 'IDLE', 0, 3],
      ['copilot-agent', 'ACTIVE', 0, 5],
      ['eva', 'IDLE', 0, 1],
      ['lead', 'IDLE', 0, 1],
    ]);
    const explained = await cli(work, 'agent', 'select', 'TASK-008', '--explain');
    expect(explained.stdout.split('\n').slice(0, 5)).toEqual([
      'agent-n8n-integration  as the best',
      '',
      'place  agent                   tier  score  match  load',
      '1      agent-n8n-integration   1     0.587  0.67   0/1   eligible',
      '2      agent-vps-deploy        1     0.300  0.33   0/1   eligible',
    ]);

    await cliJson(work, 'agent', 'set-status', 'agent-qr-feature', 'offline');
    expect(await auto(work, 'inbox')).toMatchObject({
      ok: true,
      dispatches: [
        { subtask_id: 'TASK-005', agent: 'copilot-agent', score: 0.47 },
        { subtask_id: 'TASK-008', agent: 'agent-n8n-integration' },
      ],
      skipped: [
        { subtask_id: 'TASK-001', reason: 'not pending' },
        { subtask_id: 'TASK-007', reason: 'no agent' },
        { subtask_id: 'TASK-010', reason: 'no agent' },
      ],
    });
    const made = await cliJson(work, 'create', 'The first of our own');
    expect(made).toMatchObject({ task_id: 'TASK-011' });
  });

  test('all of a DAG of 500 nodes that is ready is given out in one commit, as far as agents reach (S002-25, S002-26)', async () => {
    const folder = testFolder('wide');
    const lead = join(folder, 'lead');
    const remote = join(folder, 'team.git');
    expect(await cli(folder, 'init', 'lead', '--as', 'lead', '--remote', remote)).toMatchObject({ code: 0 });
    for (const name of ['ana', 'bo']) await cliJson(lead, 'agent', 'register', name, '--max-concurrent', '180');
    await cliJson(lead, 'project', 'create', 'Wide', '--project-id', 'wide');
    const tasks = Array.from({ length: 500 }, (_, index) => ({
      taskId: `n-${index}`,
      title: `Node ${index}`,
      assignedTo: '-',
      dependsOn: index < 400 ? [] : [`n-${index - 400}`],
    }));
    await cliJson(lead, 'project', 'plan', 'wide', '--tasks', JSON.stringify(tasks));
    const published = (): string =>
      execFileSync('git', ['-C', remote, 'rev-parse', 'main'], { encoding: 'utf8' }).trim();

    const before = published();
    const dry = await auto(lead, '--all', '--dry-run');
    expect(published()).toBe(before);
    const done = await auto(lead, '--all');
    expect(counted(done['dispatches'], 'agent')).toEqual({ ana: 180, bo: 180 });
    expect(counted(done['skipped'], 'reason')).toEqual({ capacity: 40, deps: 100 });
    expect([dry['dispatches'], dry['skipped']]).toEqual([done['dispatches'], done['skipped']]);
    const parents = execFileSync('git', ['-C', remote, 'rev-list', `${before}..main`], { encoding: 'utf8' });
    expect(parents.trim().split('\n')).toHaveLength(1);

    const again = await auto(lead, '--all');
    expect([again['dispatches'], counted(again['skipped'], 'reason')]).toEqual([
      [],
      { 'not pending': 360, capacity: 40, deps: 100 },
    ]);
  });
});
