import { z } from 'zod';
import type { Change } from '../../protocol/changes.ts';
import { FlowError } from '../../protocol/errors.ts';
import { sameJson } from '../../protocol/json.ts';
import { parsePlan } from '../../protocol/plan/parse.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { replaceDag, replaceLoop } from '../../protocol/plan/edit.ts';
import { LOOP_STATUSES } from '../../protocol/plan-types.ts';
import type { Loop, LoopStatus } from '../../protocol/plan-types.ts';
import type { EventDraft, ProjectMeta, TaskMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { readyNodes, validateGraph } from '../../rules/dag.ts';
import { readyLoopNodes } from '../../rules/loop.ts';
import { isTerminalProject } from '../../rules/project-lifecycle.ts';
import { isLineOnly, withPlanned } from '../../rules/unrecorded.ts';
import { presentLoop } from '../present.ts';
import { LEADERS, requireProject, writePlan, writeProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { clearedEvent } from '../time-flow/raise.ts';
import { defineOperation } from '../types.ts';
import type { OperationContext } from '../types.ts';
import { presentNodes, presentReplan, readTasks, replan } from './planned-tasks.ts';
import type { Replan } from './planned-tasks.ts';
import { inOneLine } from '../../protocol/one-line.ts';

const tasksField = z
  .unknown()
  .optional()
  .describe('list of {taskId, title, assignedTo, dependsOn?, type?}: the whole graph');

/** protocol.md §10.11. */
export const planDag = defineOperation({
  name: 'project.plan_dag',
  kind: 'command',
  roles: LEADERS,
  summary: 'Replace the task graph of a project; known ids keep their state.',
  input: z.object({ projectId: z.string().min(1).describe('id of the project'), tasks: tasksField }),
  fresh: 'required',
  precheck({ input }) {
    validateGraph(requireTasks(input.tasks));
  },
  run(context) {
    const { view, input } = context;
    const planned = requireTasks(input.tasks);
    const project = requireProject(view, input.projectId);
    requireOpen(project.meta);
    const next = replan(view, project, planned);
    const text = replaceDag(project.planText, next.nodes);
    const plan = parsePlan(text);
    return {
      ...rewritten(context, project, { action: 'plan_dag', text, next }),
      announcements: [],
      output: {
        tasks: presentNodes(plan.nodes),
        readyNodes: presentNodes(readyNodes(plan, project.meta)),
        ...presentReplan(next),
      },
    };
  },
});

function requireTasks(value: unknown): ReturnType<typeof readTasks> {
  const tasks = readTasks(value);
  if (tasks.length === 0) throw new FlowError('invalid-argument', 'tasks must be a non-empty list');
  return tasks;
}

/** Planning goes on while a project is paused (protocol.md §15), but not after its end. */
export function requireOpen({ project_id: id, status }: ProjectMeta): void {
  if (!isTerminalProject(status)) return;
  throw new FlowError('illegal-transition', `project is not active: ${id} (${status})`, {
    remedy: 'create a new project for further work',
    data: { projectId: id },
  });
}

/** What a plan of another text comes to: its file, the records that go with its lines, and what the log says of it. */
function rewritten(
  { view, now }: Pick<OperationContext<unknown>, 'view' | 'now'>,
  project: OpenProject,
  { action, text, next }: { readonly action: string; readonly text: string; readonly next: Replan },
): { readonly changes: readonly Change[]; readonly events: readonly EventDraft[] } {
  const raised = raisedOnly(view, project, next);
  const changes = [...writePlan(project, text), ...plannedAt(view, project, next, now), ...raised.map(removed)];
  const events = [plannedEvent(project.id, action, next), ...raised.flatMap(clearedEvents)];
  return { changes, events: changes.length === 0 ? [] : events };
}

/** When each line came, for as long as it has no record that says so. Nothing where none came. */
function plannedAt(
  view: WorkspaceView,
  { meta, plan }: OpenProject,
  { nodes }: Replan,
  now: string,
): readonly Change[] {
  const known = new Set(plan.nodes.map(({ id }) => id));
  const unrecorded = nodes.map(({ id }) => id).filter((id) => !view.exists(taskPaths(id).meta));
  const added = unrecorded.filter((id) => !known.has(id));
  if (added.length === 0) return [];
  const next = withPlanned(meta, { kept: unrecorded.filter((id) => known.has(id)), added }, now);
  return sameJson(next, meta) ? [] : [writeProject(next)];
}

/**
 * Records of dropped lines in which nothing stands but that they were late (`lateness.raise` made them): nobody would look at
 * one again, and its id would be taken.
 */
function raisedOnly(view: WorkspaceView, { id: projectId }: OpenProject, { dropped }: Replan): readonly TaskMeta[] {
  return dropped.flatMap(({ task_id: id }) => {
    const meta = view.task(String(id))?.meta;
    return meta?.project_id === projectId && isLineOnly(meta) && view.list(taskPaths(meta.task_id).dir).length === 1
      ? [meta]
      : [];
  });
}

const removed = ({ task_id: id }: TaskMeta): Change => ({ kind: 'remove', path: taskPaths(id).meta });

function clearedEvents({ task_id: id, project_id: projectId, raised = [] }: TaskMeta): readonly EventDraft[] {
  return raised.map((finding) => clearedEvent({ kind: 'task', id, project_id: projectId }, finding));
}

function plannedEvent(id: string, action: string, { nodes, dropped }: Replan): EventDraft {
  return {
    type: 'project.planned',
    action,
    subject: { kind: 'project', id },
    note: `${nodes.length} tasks${dropped.length === 0 ? '' : `, ${dropped.length} dropped`}`,
    ...(dropped.length === 0 ? {} : { data: { dropped } }),
  };
}

const loopInput = z.object({
  projectId: z.string().min(1).describe('id of the project'),
  goal: z.string().min(1).describe('what the loop works towards, one line'),
  stopCondition: z.string().min(1).describe('when the loop is done, one line'),
  iterationTemplate: z.string().min(1).describe('what every iteration does, Markdown'),
  maxIterations: z.number().int().describe('how many iterations at most'),
  currentIteration: z.number().int().optional().describe('iteration under way; default: as before, or 0'),
  status: z.string().optional().describe('loop status, default running'),
  tasks: z
    .unknown()
    .optional()
    .describe('tasks of the current iteration: list of {taskId, title, assignedTo, dependsOn?, type?}'),
});

type LoopInput = z.output<typeof loopInput>;

/** protocol.md §10.12. */
export const planLoop = defineOperation({
  name: 'project.plan_loop',
  kind: 'command',
  roles: LEADERS,
  summary: 'Plan a loop, or the next iteration of one; history and known tasks are kept.',
  input: loopInput,
  fresh: 'required',
  precheck({ input }) {
    checkBounds(input);
    loopStatus(input.status);
    if (input.tasks !== undefined) validateGraph(readTasks(input.tasks));
  },
  run(context) {
    const { view, input } = context;
    checkBounds(input);
    const status = loopStatus(input.status);
    const planned = input.tasks === undefined ? undefined : readTasks(input.tasks);
    const project = requireProject(view, input.projectId);
    requireOpen(project.meta);
    const before = project.plan.loop;
    const currentIteration = input.currentIteration ?? before?.currentIteration ?? 0;
    checkIteration(currentIteration, input.maxIterations);
    const next = replan(view, project, planned ?? (before === undefined ? [] : project.plan.nodes));
    const loop: Loop = {
      goal: inOneLine(input.goal),
      stopCondition: inOneLine(input.stopCondition),
      iterationTemplate: input.iterationTemplate,
      maxIterations: input.maxIterations,
      currentIteration,
      status,
      history: before?.history ?? [],
    };
    const text = replaceLoop(project.planText, loop, next.nodes);
    const plan = parsePlan(text);
    return {
      ...rewritten(context, project, { action: 'plan_loop', text, next }),
      announcements: [],
      output: {
        loop: presentLoop(plan.loop ?? loop, plan.nodes),
        readyNodes: presentNodes(readyNodes(plan, project.meta)),
        readyLoopNodes: presentNodes(readyLoopNodes(plan, project.meta)),
        ...presentReplan(next),
      },
    };
  },
});

function checkBounds({ maxIterations, currentIteration }: LoopInput): void {
  if (maxIterations < 1) throw new FlowError('invalid-argument', 'maxIterations must be greater than zero');
  if (currentIteration !== undefined) checkIteration(currentIteration, maxIterations);
}

function checkIteration(current: number, max: number): void {
  if (current < 0) throw new FlowError('invalid-argument', 'currentIteration must not be negative');
  if (current > max) throw new FlowError('invalid-argument', 'currentIteration cannot exceed maxIterations');
}

function loopStatus(word = 'running'): LoopStatus {
  const status = LOOP_STATUSES.find((known) => known === word);
  if (status !== undefined) return status;
  throw new FlowError('invalid-argument', `invalid loop status: ${word}`, {
    remedy: `use one of ${LOOP_STATUSES.join(', ')}`,
  });
}
