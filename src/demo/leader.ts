import type { App, Envelope } from '../app-types.ts';
import { parseLine } from '../protocol/mention.ts';
import { call, until } from './calls.ts';
import { ANSWERS, STEPS, specOf } from './script.ts';

export interface LeaderOptions {
  readonly app: App;
  readonly repository: string;
  readonly revision: string;
  readonly projectId: string;
  readonly teamRoom: string;
  readonly signal: AbortSignal;
  /** Tasks whose results have been taken up. */
  readonly answered: Set<string>;
  /** Called with a sentence whenever the Leader decides something that a reader would miss. */
  readonly say: (sentence: string) => void;
  /** Called after every change, to draw the plan. */
  readonly changed: (projectId: string) => Promise<void>;
}

interface Node {
  readonly taskId: string;
  readonly title: string;
  readonly assignedTo: string;
  readonly dependsOn: readonly string[];
}

interface Order {
  readonly craft: string;
  readonly inputs: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/** The DAG: plans, delegates what is ready, checks and accepts, and replans what comes back. Returns the last deliverables. */
export async function runReport(options: LeaderOptions): Promise<readonly string[]> {
  const { app, projectId } = options;
  await call(app, 'projectflow', 'create_project', { projectId, title: 'Release report', source: 'team-admin' });
  const idOf = (key: string): string => `${projectId}-${key}`;
  const replaced = new Map<string, string>();
  const current = (id: string): string => replaced.get(id) ?? id;
  let nodes: Node[] = STEPS.map((step) => ({
    taskId: idOf(step.key),
    title: step.title,
    assignedTo: step.worker,
    dependsOn: step.after.map(idOf),
  }));
  const orders = new Map<string, Order>(
    STEPS.map((step) => [idOf(step.key), { craft: step.craft, inputs: step.reads, settings: step.settings ?? {} }]),
  );
  const specFor = (node: Node): string => {
    const { craft, inputs, settings } = orders.get(node.taskId) ?? { craft: '', inputs: [], settings: {} };
    const paths = inputs.map((input) => {
      const [key = '', file = ''] = input.split('/');
      return `shared/tasks/${current(idOf(key))}/workspace/${file}`;
    });
    return specOf({
      title: node.title,
      craft,
      repository: options.repository,
      revision: options.revision,
      inputs: paths,
      settings,
      taskId: node.taskId,
    });
  };

  await call(app, 'projectflow', 'plan_dag', { projectId, tasks: nodes });
  await delegateReady(options, projectId, 'ready_nodes', nodes, specFor);
  for (;;) {
    const taskId = await until(() => nextResult(options), options.signal);
    const { status, summary } = await decide(options, projectId, taskId);
    if (status === 'REVISION_NEEDED' || status === 'BLOCKED') {
      const order = orders.get(taskId);
      const answer = ANSWERS[order?.craft ?? ''];
      if (order === undefined || answer === undefined) throw new Error(`${taskId} came back ${status}: ${summary}`);
      const again = `${taskId}b`;
      options.say(`${taskId} came back ${status}: ${summary} → replanned as ${again}`);
      replaced.set(taskId, again);
      orders.set(again, { ...order, settings: answer.settings });
      nodes = replaceNode(nodes, taskId, again, answer.title);
      await call(app, 'projectflow', 'plan_dag', { projectId, tasks: nodes });
    }
    await options.changed(projectId);
    const last = nodes.at(-1);
    if (last?.taskId === taskId) break;
    await delegateReady(options, projectId, 'ready_nodes', nodes, specFor);
  }
  await call(app, 'projectflow', 'complete_project', { projectId });
  return [`shared/tasks/${idOf('13')}/workspace/release-report.md`, `shared/tasks/${idOf('10')}/workspace/areas.svg`];
}

/** The ended node stays in the plan with its marker; those that waited for it wait for the new one. */
function replaceNode(nodes: readonly Node[], ended: string, again: string, title: string): Node[] {
  return nodes.flatMap((node) => {
    if (node.taskId === ended) return [node, { ...node, taskId: again, title }];
    return [{ ...node, dependsOn: node.dependsOn.map((id) => (id === ended ? again : id)) }];
  });
}

const MAX_ITERATIONS = 6;

/** The Loop: one polishing task an iteration, until nothing is left to polish. */
export async function runPolish(options: LeaderOptions, report: string): Promise<readonly string[]> {
  const { app, projectId } = options;
  await call(app, 'projectflow', 'create_project', {
    projectId,
    title: 'Polish the release report',
    source: 'team-admin',
  });
  let source = report;
  for (let iteration = 1; ; iteration += 1) {
    const taskId = `${projectId}-i${String(iteration).padStart(3, '0')}-01`;
    const node: Node = {
      taskId,
      title: `Mend what reads worst, round ${iteration}`,
      assignedTo: iteration % 2 === 0 ? 'bo' : 'ana',
      dependsOn: [],
    };
    await call(app, 'projectflow', 'plan_loop', {
      projectId,
      goal: 'A release report that reads well',
      stopCondition: 'the style check finds nothing',
      iterationTemplate: 'Mend the most frequent kind of finding, then count again.',
      maxIterations: MAX_ITERATIONS,
      currentIteration: iteration,
      tasks: [node],
    });
    const spec = (): string =>
      specOf({
        title: node.title,
        craft: 'polish',
        repository: options.repository,
        revision: options.revision,
        inputs: [source],
        settings: {},
        taskId,
      });
    await delegateReady(options, projectId, 'ready_loop_nodes', [node], spec);
    await until(() => nextResult(options), options.signal);
    const { summary } = await decide(options, projectId, taskId);
    source = `shared/tasks/${taskId}/workspace/release-report.md`;
    const findings = JSON.parse((await app.text(`shared/tasks/${taskId}/workspace/findings.json`)) ?? '{}') as {
      after?: number;
    };
    const finished = findings.after === 0;
    await call(app, 'projectflow', 'record_loop_iteration', {
      projectId,
      iteration,
      decision: finished ? 'stop_success' : 'continue',
      summary,
      ...(finished ? {} : { nextAction: 'mend the next kind' }),
    });
    await options.changed(projectId);
    if (finished) break;
  }
  await call(app, 'projectflow', 'complete_project', { projectId });
  return [source];
}

async function delegateReady(
  { app, teamRoom, changed }: LeaderOptions,
  projectId: string,
  action: 'ready_nodes' | 'ready_loop_nodes',
  nodes: readonly Node[],
  specFor: (node: Node) => string,
): Promise<void> {
  const { readyNodes } = await call(app, 'projectflow', action, { projectId });
  const ready = (readyNodes as readonly { task_id: string }[]).flatMap(({ task_id }) =>
    nodes.filter(({ taskId }) => taskId === task_id),
  );
  await Promise.all(
    ready.map((node) =>
      call(app, 'taskflow', 'delegate_task', { projectId, taskId: node.taskId, roomId: teamRoom, spec: specFor(node) }),
    ),
  );
  if (ready.length > 0) await changed(projectId);
}

const RESULT_LINES: ReadonlySet<string> = new Set(['completed', 'revision', 'blocked', 'interrupted']);

/** The next task that a Worker has handed in, by the line that mentions the Leader; each is answered once. */
async function nextResult({ app, teamRoom, answered }: LeaderOptions): Promise<string | undefined> {
  const { messages } = await call(app, 'message', 'list', { roomId: teamRoom, limit: 200 });
  for (const { text } of messages as readonly { text: string }[]) {
    const line = parseLine(text);
    if (line?.taskId === undefined || !RESULT_LINES.has(line.kind) || answered.has(line.taskId)) continue;
    answered.add(line.taskId);
    return line.taskId;
  }
  return undefined;
}

/** Checks the result and decides by what it says: the Leader's word is what moves the plan. */
async function decide(
  { app }: LeaderOptions,
  projectId: string,
  taskId: string,
): Promise<{ readonly status: string; readonly summary: string }> {
  const checked: Envelope = await call(app, 'taskflow', 'check_task', { taskId });
  const result = checked['result'] as { status: string; summary: string };
  const task = checked['task'] as { submission_id: string };
  await call(app, 'projectflow', 'accept_task_result', {
    projectId,
    taskId,
    submissionId: task.submission_id,
    resultStatus: result.status,
    summary: result.summary,
  });
  return result;
}
