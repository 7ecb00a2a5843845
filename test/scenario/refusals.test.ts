import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { startAgent } from '../support/mcp.ts';
import type { Agent } from '../support/mcp.ts';
import { stateOf } from '../support/state.ts';
import { makeTeam } from '../support/team.ts';
import type { Team } from '../support/team.ts';
import { eventually } from '../support/waiting.ts';
import { carryOut, delegate } from './story.ts';
import type { Driver } from './story.ts';

const ROOM = 'room:!team:local';

/** A call that is refused with exactly this error, or one that says at least this. */
interface Refusal {
  readonly who: 'lead' | 'ana';
  readonly tool: string;
  readonly action: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly code: string;
  readonly error?: string;
  readonly says?: string;
}

/** protocol.md §10: one or more for every action that can be refused, in its words. */
const REFUSALS = JSON.parse(
  readFileSync(new URL('../../fixtures/scenario/refusals.json', import.meta.url), 'utf8'),
) as readonly Refusal[];

const task = (taskId: string, dependsOn: readonly string[] = []): object => ({
  taskId,
  title: taskId,
  assignedTo: 'ana',
  dependsOn,
});
const P = { projectId: 'p' };
const loop = { projectId: 'l', goal: 'g', stopCondition: 's', iterationTemplate: 't' };

/** Legal calls, made as a dry run. */
const DRY: readonly (readonly [
  who: 'lead' | 'ana',
  tool: string,
  action: string,
  payload: Readonly<Record<string, unknown>>,
])[] = [
  ['lead', 'projectflow', 'create_project', { title: 'New' }],
  ['lead', 'projectflow', 'plan_dag', { ...P, tasks: [task('n-1')] }],
  ['lead', 'taskflow', 'delegate_task', { ...P, taskId: 'p-05', roomId: ROOM, spec: 'Do it.' }],
  ['lead', 'taskflow', 'cancel_task', { taskId: 'p-03', reason: 'no longer wanted' }],
  ['lead', 'projectflow', 'pause_project', P],
  ['ana', 'taskflow', 'submit_task', { taskId: 'p-03', status: 'SUCCESS', summary: 'Done.' }],
  ['ana', 'taskflow', 'report_progress', { taskId: 'p-03', note: 'half' }],
  ['lead', 'message', 'send', { target: ROOM, message: 'hello all' }],
  ['lead', 'filesync', 'push', { path: 'shared/projects/p' }],
];

interface Scene {
  readonly team: Team;
  readonly agents: Readonly<Record<'lead' | 'ana', Agent>>;
  readonly submission: string;
}

/** Projects in every state: p active, q paused, r completed, l a loop; tasks submitted, under way, cancelled, waiting. */
async function scene(): Promise<Scene> {
  const team = await makeTeam();
  const agents = { lead: await startAgent(team.lead), ana: await startAgent(team.ana) };
  const { lead, ana } = agents;
  const driver: Driver = {
    workspaces: team,
    leader: (tool, action, payload) => lead.call(tool, action, payload),
    worker: (_, tool, action, payload) => ana.call(tool, action, payload),
  };
  for (const projectId of ['p', 'q', 'r', 'l']) {
    await lead.must('projectflow', 'create_project', { projectId, title: projectId });
  }
  const tasks = [task('p-01'), task('p-02', ['p-01']), task('p-03'), task('p-04'), task('p-05')];
  await lead.must('projectflow', 'plan_dag', { ...P, tasks });
  await lead.must('projectflow', 'plan_dag', {
    projectId: 'q',
    tasks: [{ taskId: 'q-01', title: 'q', assignedTo: 'bo' }, task('q-02')],
  });
  await lead.must('projectflow', 'plan_loop', { ...loop, maxIterations: 3, tasks: [task('l-01')] });
  for (const id of ['p-01', 'p-03', 'p-04']) await delegate(driver, 'p', id);
  await delegate(driver, 'q', 'q-01');
  await lead.must('taskflow', 'cancel_task', { taskId: 'p-04', reason: 'first' });
  await lead.must('projectflow', 'pause_project', { projectId: 'q' });
  await lead.must('projectflow', 'complete_project', { projectId: 'r' });
  await carryOut(driver, 'ana', 'p-01', { summary: 'Done.' });
  await ana.must('taskflow', 'ack_task', { taskId: 'p-03' });
  const checked = await eventually(async () => {
    const answer = await lead.call('taskflow', 'check_task', { taskId: 'p-01' });
    return answer['submitted'] === true ? answer : undefined;
  }, 'p-01 is submitted');
  return { team, agents, submission: (checked['task'] as { submission_id: string }).submission_id };
}

/** Files and branches of both clones and the remote, and every message in their room logs. */
function everything({ lead, ana, remote }: Team): unknown {
  const rooms = [lead, ana].map((workspace) => {
    const folder = join(workspace, '.baton/rooms');
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  });
  return { lead: stateOf(lead, remote), ana: stateOf(ana), rooms };
}

/** Both nodes are in step and have nothing left to do: neither to take in nor, in a round of their own, to answer it. */
async function settled(team: Team): Promise<unknown> {
  let last: unknown;
  return eventually(async () => {
    for (const workspace of [team.lead, team.ana]) expect((await cli(workspace, 'sync', 'now')).code).toBe(0);
    const now = everything(team);
    const still = JSON.stringify(now) === JSON.stringify(last);
    last = now;
    return still ? now : undefined;
  }, 'both nodes come to rest');
}

test('whatever the protocol refuses is refused in its words over MCP and on the command line, and changes nothing', async () => {
  const { team, agents, submission } = await scene();
  const before = await settled(team);
  const problems: string[] = [];
  const compare = (how: string, wanted: Refusal, answer: Record<string, unknown>): void => {
    const { who, tool, action, code, error, says = '' } = wanted;
    const said = String(answer['error']);
    // The protocol's sentence stands behind the pair of a step that the state does not allow.
    const { state, event } = answer as { readonly state?: string; readonly event?: string };
    const pair = state === undefined ? '' : `Invalid transition: ${state.toUpperCase()} + '${event}': `;
    const fits = error === undefined ? said.includes(says) : said === `${pair}${error}`;
    const call = `${how} ${who} ${tool} ${action}`;
    if (answer['ok'] !== false || answer['code'] !== code || !fits)
      problems.push(`${call}: wanted ${code} ${error ?? says}, got ${JSON.stringify(answer)}`);
  };
  for (const refusal of REFUSALS) {
    const { who, tool, action, payload: given } = refusal;
    const payload = given['submissionId'] === '<current>' ? { ...given, submissionId: submission } : given;
    compare('mcp', refusal, await agents[who].call(tool, action, payload));
    const { code, stdout, stderr } = await cli(team[who], tool, action, '--payload', JSON.stringify(payload), '--json');
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(stderr, 'one sentence and one line of what to do').toMatch(/^error\[[a-z-]+\]: .+\n.+\n$/);
    // A word that is no action is a mistake on the command line itself.
    const usage = answer['code'] === 'usage';
    expect(code).toBe(usage ? 2 : 1);
    compare('cli', usage ? { ...refusal, code: 'usage' } : refusal, answer);
    if (JSON.stringify(everything(team)) !== JSON.stringify(before)) problems.push(`${action} changed something`);
  }
  expect(problems).toEqual([]);

  for (const [who, tool, action, payload] of DRY) {
    const answer = await agents[who].call(tool, action, payload, true);
    expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true, dryRun: true });
  }
  expect(everything(team)).toEqual(before);
});
