import { call } from './calls.ts';
import { readyIds } from './leader.ts';
import type { Decided, Leader, Order, PlannedNode } from './leader.ts';
import { ANSWERS, STEPS } from './script.ts';

/** The DAG: plans, delegates what is ready, checks and accepts, and replans what comes back. Returns the last deliverables. */
export async function runReport(leader: Leader, projectId: string): Promise<readonly string[]> {
  const { app, team } = leader;
  const idOf = (key: string): string => `${projectId}-${key}`;
  /** Which task does the work of a step by now. */
  const current = new Map(STEPS.map(({ key }) => [key, idOf(key)]));
  const pathOf = (file: string): string => {
    const [key = '', name = ''] = file.split('/');
    return `shared/tasks/${current.get(key) ?? ''}/workspace/${name}`;
  };
  const settingsOf = new Map(STEPS.map(({ key, settings = {} }) => [idOf(key), settings]));
  const stepOf = (taskId: string): (typeof STEPS)[number] | undefined =>
    STEPS.find(({ key }) => current.get(key) === taskId);
  const orderOf = ({ taskId }: PlannedNode): Order => ({
    craft: stepOf(taskId)?.craft ?? '',
    inputs: (stepOf(taskId)?.reads ?? []).map(pathOf),
    settings: settingsOf.get(taskId) ?? {},
  });

  let nodes: readonly PlannedNode[] = STEPS.map(({ key, title, worker, after }) => ({
    taskId: idOf(key),
    title,
    assignedTo: team.workers[worker].localpart,
    dependsOn: after.map(idOf),
  }));
  const plan = async (): Promise<readonly string[]> => {
    const planned = await call(app, 'projectflow', 'plan_dag', { projectId, tasks: nodes });
    await leader.changed(projectId);
    return readyIds(planned);
  };

  /** The ended node stays in the plan with its marker; those that waited for it wait for the one that replaces it. */
  const replan = async ({ taskId, status, summary }: Decided): Promise<void> => {
    const step = stepOf(taskId);
    const answer = ANSWERS.get(step?.craft ?? '');
    const again = `${taskId}b`;
    if (step === undefined || answer === undefined || current.get(step.key) !== idOf(step.key)) {
      throw new Error(`${taskId} came back ${status}: ${summary}`);
    }
    leader.say(`${step.key} came back ${status}: ${summary}`);
    leader.say(`  the Leader answers: ${answer.reply}; ${step.key}b replaces ${step.key}`);
    const { matrixUserId } = team.workers[step.worker];
    const message = `${matrixUserId} About ${taskId}: ${answer.reply}. ${again} replaces it.`;
    await call(app, 'message', 'send', { target: team.room, message });
    current.set(step.key, again);
    settingsOf.set(again, answer.settings);
    nodes = nodes.flatMap((node) => {
      if (node.taskId === taskId) return [node, { ...node, taskId: again, title: answer.title }];
      return [{ ...node, dependsOn: node.dependsOn.map((id) => (id === taskId ? again : id)) }];
    });
  };

  await call(app, 'projectflow', 'create_project', { projectId, title: 'Release report', source: 'team-admin' });
  await leader.delegate(projectId, await plan(), nodes, orderOf);
  const last = idOf('13');
  for (let decided: readonly Decided[] = []; !decided.some(({ taskId }) => taskId === last);) {
    decided = await leader.results(projectId);
    const returned = decided.filter(({ status }) => status === 'REVISION_NEEDED' || status === 'BLOCKED');
    for (const result of returned) await replan(result);
    const ready = returned.length > 0 ? await plan() : decided.flatMap((result) => result.ready);
    await leader.delegate(projectId, ready, nodes, orderOf);
  }
  await call(app, 'projectflow', 'complete_project', { projectId });
  return [pathOf('13/release-report.md'), pathOf('10/areas.svg')];
}
