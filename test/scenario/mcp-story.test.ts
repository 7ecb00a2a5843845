import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { startAgent } from '../support/mcp.ts';
import type { Agent } from '../support/mcp.ts';
import { makeTeam } from '../support/team.ts';
import type { Team } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';
import { carryOut, decide, delegate, playDiamond } from './story.ts';
import type { Driver } from './story.ts';

interface Cast extends Driver {
  readonly team: Team;
  readonly agents: Readonly<Record<'lead' | 'ana' | 'bo', Agent>>;
}

/** Three clones of one bare remote, each driven only through `baton mcp`. */
async function cast(): Promise<Cast> {
  const team = await makeTeam();
  const agents = { lead: await startAgent(team.lead), ana: await startAgent(team.ana), bo: await startAgent(team.bo) };
  return {
    team,
    agents,
    workspaces: team,
    leader: (tool, action, payload) => agents.lead.call(tool, action, payload),
    worker: (name, tool, action, payload) => agents[name].call(tool, action, payload),
  };
}

const planOf = (team: Team, project: string): string =>
  readFileSync(join(team.lead, `shared/projects/${project}/plan.md`), 'utf8');

/** What the requester reads, in the Leader DM. */
async function reports(driver: Cast, projectId: string): Promise<readonly string[]> {
  const inbox = await driver.agents.lead.must('message', 'list', { roomId: '!leader-dm:local', limit: 200 });
  const texts = (inbox['messages'] as readonly { text: string }[]).map(({ text }) => text);
  return texts.filter((text) => text.includes(projectId));
}

describe('three clones of one remote, each driven only through baton mcp', () => {
  test('a DAG project goes from create to the requester report', async () => {
    const driver = await cast();
    await playDiamond(driver);
    expect(planOf(driver.team, 'diamond')).toContain(
      '- [x] diamond-04 — Join (assigned: bo, depends: diamond-02, diamond-03)',
    );
    const told = await eventually(async () => {
      const found = await reports(driver, 'diamond');
      // One from before names the last task as well, while it is in progress.
      return found.at(-1)?.includes('4 of 4 tasks are completed') === true ? found : undefined;
    }, 'the requester is told of the completion');
    expect(told.at(-1)).toContain('diamond-04');
    expect(told.at(-1)).toContain('shared/tasks/diamond-04/workspace/whole.md');
    // The same tree everywhere: the Workers' clones follow main.
    await eventually(
      () => git(driver.team.lead, 'rev-parse', 'main') === git(driver.team.remote, 'rev-parse', 'main') || undefined,
      'main is published',
    );
  });

  test('a Loop project iterates until stop_success', async () => {
    const driver = await cast();
    const projectId = 'polish';
    const { lead } = driver.agents;
    await lead.must('projectflow', 'create_project', { projectId, title: 'Polish', source: 'team-admin' });
    for (const iteration of [1, 2]) {
      const taskId = `polish-i00${iteration}-01`;
      await lead.must('projectflow', 'plan_loop', {
        projectId,
        goal: 'A text that reads well',
        stopCondition: 'two rounds',
        iterationTemplate: 'Read it.\n\n## Not a section\n\nMend it.',
        maxIterations: 3,
        currentIteration: iteration,
        tasks: [{ taskId, title: `Round ${iteration}`, assignedTo: 'ana' }],
      });
      const ready = await lead.must('projectflow', 'ready_loop_nodes', { projectId });
      expect(ready['readyLoopNodes']).toMatchObject([{ task_id: taskId }]);
      await delegate(driver, projectId, taskId);
      await carryOut(driver, 'ana', taskId, { summary: `Round ${iteration} done.` });
      await decide(driver, projectId, taskId);
      const decision = iteration === 2 ? 'stop_success' : 'continue';
      await lead.must('projectflow', 'record_loop_iteration', {
        projectId,
        iteration,
        decision,
        summary: `Round ${iteration}`,
      });
    }
    const plan = planOf(driver.team, projectId);
    expect(plan).toContain('**Loop Status**: completed');
    expect(plan).toContain('- Iteration 2: stop_success — Round 2');
    expect(await lead.must('projectflow', 'ready_loop_nodes', { projectId })).toMatchObject({ readyLoopNodes: [] });
    expect(await lead.must('projectflow', 'complete_project', { projectId })).toMatchObject({
      project: { status: 'completed' },
    });
  });

  test('a result that arrives while the project is paused waits, and the requester is told', async () => {
    const driver = await cast();
    const projectId = 'waiting';
    const { lead } = driver.agents;
    await lead.must('projectflow', 'create_project', { projectId, title: 'Waiting', source: 'team-admin' });
    await lead.must('projectflow', 'plan_dag', {
      projectId,
      tasks: [
        { taskId: 'waiting-01', title: 'First', assignedTo: 'ana' },
        { taskId: 'waiting-02', title: 'Second', assignedTo: 'bo', dependsOn: ['waiting-01'] },
      ],
    });
    await delegate(driver, projectId, 'waiting-01');
    await lead.must('projectflow', 'pause_project', { projectId, reason: 'the requester thinks it over' });
    await carryOut(driver, 'ana', 'waiting-01', { summary: 'Late, but here.' });

    const checked = await eventually(async () => {
      const answer = await lead.call('taskflow', 'check_task', { taskId: 'waiting-01' });
      return answer['submitted'] === true ? answer : undefined;
    }, 'the late result is here');
    expect(checked).toMatchObject({ ok: true, effective: true, projectStatus: 'paused' });
    const { submission_id } = checked['task'] as { submission_id: string };
    const accept = { projectId, taskId: 'waiting-01', submissionId: submission_id };
    expect(await lead.call('projectflow', 'accept_task_result', accept)).toMatchObject({
      ok: false,
      code: 'paused',
      error: `project is paused: ${projectId}`,
    });
    expect(await lead.call('projectflow', 'ready_nodes', { projectId })).toMatchObject({ ok: true, readyNodes: [] });
    await eventually(
      async () => (await reports(driver, projectId)).length > 0 || undefined,
      'the requester is told of the pause',
    );

    await lead.must('projectflow', 'resume_project', { projectId });
    expect(await lead.must('projectflow', 'accept_task_result', accept)).toMatchObject({
      nodeStatus: 'completed',
      readyNodes: [{ task_id: 'waiting-02' }],
    });
  });

  test('a cancelled task is replaced, and its late result changes nothing', async () => {
    const driver = await cast();
    const projectId = 'instead';
    const { lead, ana } = driver.agents;
    await lead.must('projectflow', 'create_project', { projectId, title: 'Instead', source: 'team-admin' });
    const first = { taskId: 'instead-01', title: 'Old way', assignedTo: 'ana' };
    const second = { taskId: 'instead-02', title: 'New way', assignedTo: 'bo' };
    await lead.must('projectflow', 'plan_dag', { projectId, tasks: [first] });
    await delegate(driver, projectId, 'instead-01');
    await eventually(
      async () => (await ana.call('taskflow', 'ack_task', { taskId: 'instead-01' })).ok || undefined,
      'acknowledged',
    );
    await lead.must('taskflow', 'cancel_task', {
      taskId: 'instead-01',
      reason: 'a better way',
      replacementTaskId: 'instead-02',
    });
    const late = await ana.call('taskflow', 'submit_task', {
      taskId: 'instead-01',
      status: 'SUCCESS',
      summary: 'Too late.',
    });
    expect(late).toMatchObject({ ok: false, code: 'illegal-transition' });
    expect(late['error']).toMatch(
      /^Invalid transition: CANCELLED \+ '\w+': \w+ cannot update terminal task: cancelled$/,
    );
    await lead.must('projectflow', 'plan_dag', { projectId, tasks: [first, second] });
    await delegate(driver, projectId, 'instead-02');
    await carryOut(driver, 'bo', 'instead-02', { summary: 'Done the new way.' });
    await decide(driver, projectId, 'instead-02');
    const plan = planOf(driver.team, projectId);
    expect(plan).toContain('- [!] instead-01 — Old way (assigned: ana, cancelled: a-better-way)');
    expect(plan).toContain('- [x] instead-02 — New way (assigned: bo)');
  });

  test("nothing of a rogue Worker's lane that is not its own reaches main, and both sides are told", async () => {
    const driver = await cast();
    const { team } = driver;
    const { lead, bo } = driver.agents;
    const projectId = 'rogue';
    await lead.must('projectflow', 'create_project', { projectId, title: 'Rogue', source: 'team-admin' });
    await lead.must('projectflow', 'plan_dag', {
      projectId,
      tasks: [
        { taskId: 'rogue-01', title: "Ana's", assignedTo: 'ana' },
        { taskId: 'rogue-02', title: "Bo's", assignedTo: 'bo' },
      ],
    });
    await delegate(driver, projectId, 'rogue-01');
    await delegate(driver, projectId, 'rogue-02');
    // Bo's node stops, and somebody works on Bo's lane with plain git.
    await bo.close();
    const attacker = join(team.folder, 'attacker');
    git(team.folder, 'clone', '--quiet', team.remote, attacker);
    git(attacker, 'switch', '--quiet', '-C', 'lanes/bo', 'origin/main');
    git(attacker, 'merge', '--quiet', '--no-edit', 'origin/lanes/bo');
    const plan = join(attacker, `shared/projects/${projectId}/plan.md`);
    const { writeFileSync, mkdirSync } = await import('node:fs');
    writeFileSync(plan, readFileSync(plan, 'utf8').replaceAll('[~]', '[x]'));
    mkdirSync(join(attacker, 'shared/tasks/rogue-01/workspace'), { recursive: true });
    writeFileSync(
      join(attacker, 'shared/tasks/rogue-01/result.md'),
      'STATUS: SUCCESS\nSUMMARY: Not mine.\n\nDELIVERABLES:\n',
    );
    mkdirSync(join(attacker, 'shared/tasks/rogue-02/workspace'), { recursive: true });
    writeFileSync(join(attacker, 'shared/tasks/rogue-02/workspace/own.md'), 'mine\n');
    git(attacker, 'add', '-A');
    git(attacker, 'commit', '--quiet', '-m', 'take over');
    git(attacker, 'push', '--quiet', 'origin', 'lanes/bo');

    await eventually(async () => {
      const tree = git(team.remote, 'ls-tree', '-r', '--name-only', 'main');
      return tree.includes('shared/tasks/rogue-02/workspace/own.md') || undefined;
    }, "the honest part of bo's lane is integrated");
    expect(git(team.remote, 'show', `main:shared/projects/${projectId}/plan.md`)).not.toContain('[x]');
    expect(git(team.remote, 'ls-tree', '-r', '--name-only', 'main')).not.toContain('shared/tasks/rogue-01/result.md');
    expect(git(team.remote, 'merge-base', '--is-ancestor', 'lanes/bo', 'main')).toBe('');

    const heard = async (agent: Agent, tool: string, action: string): Promise<boolean> => {
      const answer = await agent.must(tool, action, { limit: 200 });
      return (answer['messages'] as readonly { text: string }[]).some(
        ({ text }) => text.includes('lane') && text.includes('plan.md'),
      );
    };
    await eventually(async () => (await heard(lead, 'message', 'list')) || undefined, 'the Leader is told');
    const boAgain = await startAgent(team.bo);
    await eventually(async () => {
      const { stdout } = await import('../support/baton.ts').then(({ baton }) => baton(team.bo, 'inbox'));
      return stdout.includes('plan.md') || undefined;
    }, 'the Worker is told');
    await eventually(() => {
      const text = readFileSync(join(team.bo, `shared/projects/${projectId}/plan.md`), 'utf8');
      return !text.includes('[x]') || undefined;
    }, "the rogue edit is undone in bo's clone");
    await boAgain.close();
  });
});
