import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from './calls.ts';
import { readyIds } from './leader.ts';
import type { Leader, PlannedNode } from './leader.ts';

const MAX_ITERATIONS = 6;

/** The Loop: one polishing task an iteration, until nothing is left to polish. Returns the last deliverable. */
export async function runPolish(leader: Leader, projectId: string, report: string): Promise<string> {
  const { app, team } = leader;
  const title = 'Polish the release report';
  await call(app, 'projectflow', 'create_project', { projectId, title, source: 'team-admin' });
  let source = report;
  for (let iteration = 1; ; iteration += 1) {
    const taskId = `${projectId}-i${String(iteration).padStart(3, '0')}-01`;
    const node: PlannedNode = {
      taskId,
      title: `Mend one kind of finding, round ${iteration}`,
      assignedTo: team.workers[iteration % 2 === 0 ? 'bo' : 'ana'].localpart,
      dependsOn: [],
    };
    const planned = await call(app, 'projectflow', 'plan_loop', {
      projectId,
      goal: 'A release report that reads well',
      stopCondition: 'the style check finds nothing',
      iterationTemplate: 'Mend one kind of finding, then check again.',
      maxIterations: MAX_ITERATIONS,
      currentIteration: iteration,
      tasks: [node],
    });
    await leader.changed(projectId);
    const order = { craft: 'polish', inputs: [source], settings: {} };
    await leader.delegate(projectId, readyIds(planned), [node], () => order);
    const [result] = await leader.results(projectId);
    if (result?.status !== 'SUCCESS') throw new Error(`${taskId} came back ${result?.status ?? 'without a result'}`);
    source = `shared/tasks/${taskId}/workspace/release-report.md`;
    const left = findingsLeft(join(app.root, 'shared', 'tasks', taskId, 'workspace', 'findings.json'));
    const decision =
      left === 0 ? { decision: 'stop_success' } : { decision: 'continue', nextAction: 'mend the next kind' };
    const { summary } = result;
    await call(app, 'projectflow', 'record_loop_iteration', { projectId, iteration, summary, ...decision });
    leader.say(`iteration ${iteration}: ${summary} → ${decision.decision}`);
    await leader.changed(projectId);
    if (left === 0) break;
  }
  await call(app, 'projectflow', 'complete_project', { projectId });
  return source;
}

/** A Leader believes what stands in the deliverable, not what its summary says. */
function findingsLeft(file: string): number {
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly after: number }).after;
}
