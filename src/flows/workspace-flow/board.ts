import { z } from 'zod';
import { taskPaths } from '../../protocol/paths.ts';
import type { Plan, PlanNode } from '../../protocol/plan-types.ts';
import type { ProjectMeta, TaskMeta } from '../../protocol/records/types.ts';
import type { ProjectEntry, WorkspaceView } from '../../protocol/view.ts';
import { archivedIds, withArchive } from '../../protocol/with-archive.ts';
import { readyNodes } from '../../rules/dag.ts';
import { ANYONE, archivedAs, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';

type Fields = Readonly<Record<string, unknown>>;

/** protocol.md §16.1: what a drawing of plans needs; one project, or all that can be read. */
export const nodeBoard = defineOperation({
  name: 'node.board',
  kind: 'query',
  roles: ANYONE,
  summary: 'Show projects with their plan, loop, task states and progress.',
  input: z.object({
    projectId: z.string().optional().describe('only this project'),
    archived: z.boolean().optional().describe('archived projects as well'),
  }),
  fresh: 'no',
  run({ view: live, input: { projectId, archived } }) {
    const view = withArchive(live);
    const entries =
      projectId === undefined
        ? shownIds(live, archived === true).flatMap((id) => view.project(id) ?? [])
        : [requireProject(view, projectId)];
    const projects = entries.flatMap((entry) => (entry.meta === undefined ? [] : [workflow(live, entry, entry.meta)]));
    return { changes: [], events: [], announcements: [], output: { projects } };
  },
});

function shownIds(view: WorkspaceView, archived: boolean): readonly string[] {
  return archived ? [...new Set([...view.projectIds(), ...archivedIds(view, 'projects')])] : view.projectIds();
}

function workflow(live: WorkspaceView, { plan }: ProjectEntry, meta: ProjectMeta): Fields {
  const view = withArchive(live);
  const isLive = live.project(meta.project_id) !== undefined;
  const archived = isLive ? undefined : live.archivedProject(meta.project_id);
  const tasks = plan.nodes.flatMap((node) => {
    const task = view.task(node.id)?.meta;
    return task === undefined || task.project_id !== meta.project_id ? [] : [task];
  });
  const { project_id, title, status, team_id, mode, phase } = meta;
  const head = { project_id, title, status, plan_type: plan.kind, ...present({ team_id, mode, phase }) };
  return {
    ...head,
    nodes: plan.nodes.map(nodeOf),
    edges: plan.nodes.flatMap(({ id, dependsOn }) =>
      dependsOn.map((source) => ({ source, target: id, conditional: false })),
    ),
    next: readyNodes(plan, meta).map(({ id }) => id),
    interrupts: interrupts(meta, plan),
    values: { ...head, task_count: counts(plan.nodes) },
    ...(plan.loop === undefined ? {} : { loop: loopOf(plan.loop) }),
    ...present({
      source: meta.source,
      requester: meta.requester,
      requester_report: meta.requester_report,
      reply_route: meta.reply_route,
      source_room_id: meta.source_room_id,
      updated_by: meta.updated_by,
      updated_at: meta.updated_at,
      pause_reason: meta.pause_reason,
    }),
    tasks_detail: tasks.map((task) => detail(view, task)),
    ...archivedAs(archived),
  };
}

function nodeOf({ id, title, status, assignee }: PlanNode): Fields {
  return { id, name: title, status, ...(assignee === '' ? {} : { assignee }) };
}

function loopOf(loop: NonNullable<Plan['loop']>): Fields {
  return {
    goal: loop.goal,
    stop_condition: loop.stopCondition,
    status: loop.status,
    current_iteration: loop.currentIteration,
    max_iterations: loop.maxIterations,
    history: [...loop.history],
  };
}

function counts(nodes: readonly PlanNode[]): Fields {
  const found: Record<string, number> = {};
  for (const { status } of nodes) found[status] = (found[status] ?? 0) + 1;
  return found;
}

/** Where a person is waited for. */
function interrupts(
  { project_id: id, status, pause_reason: reason }: ProjectMeta,
  { nodes, loop }: Plan,
): readonly Fields[] {
  const stopped = nodes
    .filter((node) => node.status === 'blocked' || node.status === 'cancelled')
    .map((node) => ({ id: node.id, value: 'blocked' }));
  const halted =
    loop?.status === 'waiting_user'
      ? [{ id: 'loop', value: 'waiting for human decision' }]
      : loop?.status === 'blocked'
        ? [{ id: 'loop', value: 'blocked' }]
        : [];
  if (status !== 'paused') return [...stopped, ...halted];
  const paused = {
    id: 'project',
    value: 'paused',
    action_request: { action: 'resume', args: { project_id: id } },
    config: { allow_accept: true },
    description: reason ?? 'the project is paused',
  };
  return [...stopped, ...halted, paused];
}

function detail(view: WorkspaceView, task: TaskMeta): Fields {
  const paths = taskPaths(task.task_id);
  return present({
    task_id: task.task_id,
    project_id: task.project_id,
    status: task.status,
    assigned_to: task.assigned_to,
    spec_path: view.exists(paths.spec) ? paths.spec : undefined,
    result_path: view.exists(paths.result) ? paths.result : undefined,
    result_status: task.result_status,
    summary: task.summary,
    deliverables: task.deliverables,
    cancel_reason: task.cancel_reason,
    history: task.history,
  });
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
