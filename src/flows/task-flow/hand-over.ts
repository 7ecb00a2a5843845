import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { INBOX } from '../../protocol/ids.ts';
import { localpartOf, sameLocalpart } from '../../protocol/identity.ts';
import { projectPaths, taskPaths } from '../../protocol/paths.ts';
import { setMarker } from '../../protocol/plan/edit.ts';
import type { PlanNode } from '../../protocol/plan-types.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import { taskStep } from '../../rules/lifecycle.ts';
import { nextNodeId, nextTaskId } from '../../rules/next-id.ts';
import { SUPERSEDED } from '../../rules/project-lifecycle.ts';
import { refusedStep } from '../../rules/transition.ts';
import { requireKnownAgent, warned } from '../agent-flow/roster.ts';
import { presentTask } from '../present.ts';
import { decidedTask } from '../project-flow/decision.ts';
import { LEADERS, notificationHint, requireNode, requireProject, writePlan } from '../shared.ts';
import type { NotificationHint } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { checkPlannedName } from './assignee.ts';
import { syncFields, taskEvent, writeMeta } from './common.ts';
import { planTask, requireUnended } from './new-task.ts';
import { rewired } from './rewire.ts';
import { plannedTask, requirePartOf } from './steps.ts';

export interface HandOverOutput {
  /** The task that was handed over. */
  readonly task: Readonly<Record<string, unknown>>;
  /** The one that takes its place. */
  readonly replacement: Readonly<Record<string, unknown>>;
  readonly notificationNeeded: NotificationHint;
  /** Nobody is known under the name that it went to. */
  readonly warning?: string;
  readonly synced?: boolean;
}

/**
 * features.md C10 and §3.1, "supersede": work that somebody has goes to somebody else as a new node; the old one is over,
 * and what waited for it waits for the new one.
 */
export const handOver = defineOperation({
  name: 'task.hand_over',
  kind: 'command',
  roles: LEADERS,
  summary: "Hand a task over to another agent: a new pending task takes the old one's place.",
  input: z.object({
    taskId: z.string().min(1).describe('id of the task'),
    assignedTo: z.string().trim().min(1).describe('worker name or Matrix id of who takes it over'),
    projectId: z.string().min(1).optional().describe('id of its project; a task of another one is refused'),
    reason: z.string().optional().describe('why, one line'),
    newTaskId: z.string().min(1).optional().describe('id of the new task; made when absent'),
  }),
  fresh: 'required',
  run(context) {
    const { view, input, now, actor } = context;
    requirePartOf(view, input.projectId, input.taskId);
    const { blocked_reason: _, ...before } = plannedTask(context, input.taskId, input.projectId);
    const { task_id: taskId } = before;
    taskStep(taskId, before.status, 'supersede');
    const project = requireProject(view, before.project_id);
    requireUnended(project.meta, { taskId, from: before.status, event: 'supersede' });
    const node = requireNode(project.plan, taskId);
    requireOther(before, node, input.assignedTo);
    requireKnownAgent(view, input.assignedTo);
    const reason = input.reason?.trim() ?? '';
    const newId = input.newTaskId ?? (project.id === INBOX ? nextTaskId(view) : nextNodeId(view, project));
    const why = reason === '' ? {} : { delegate_reason: reason };
    const { title, dependsOn, type } = node;
    const added = planTask(context, project, {
      node: { id: newId, title, assignee: input.assignedTo, dependsOn, ...(type === undefined ? {} : { type }) },
      more: { ...inherited(before), supersedes: taskId, ...why },
      spec: view.text(taskPaths(taskId).spec),
    });
    const old: TaskMeta = {
      ...decidedTask(before, 'superseded', { now, actor, action: 'hand_over_task', note: reason }),
      superseded_by: newId,
      ...why,
    };
    const { plan: planPath } = projectPaths(project.id);
    const marked = setMarker(added.project.planText, taskId, 'cancelled', { cancelled: SUPERSEDED });
    const decision = {
      changes: [
        ...added.changes.filter(({ path }) => path !== planPath),
        ...writePlan(project, rewired(added.project, marked, taskId, newId)),
        writeMeta(old),
      ],
      events: [
        taskEvent('task.superseded', 'hand_over_task', old, {
          from: before.status,
          to: old.status,
          note: reason === '' ? `by ${newId}` : `by ${newId}: ${reason}`,
        }),
        added.event,
      ],
      announcements: [],
      output: {
        task: presentTask(old),
        replacement: presentTask(added.meta),
        notificationNeeded: notificationHint('task_superseded', project.meta, reason, old),
      },
    };
    return warned(context, decision, added.meta.assigned_to);
  },
  settle: (output: HandOverOutput, settlement): HandOverOutput => ({ ...output, ...syncFields(settlement) }),
});

/** Who has the work already cannot take it over, unless it has failed: then it has nobody. What nobody has is only given out. */
function requireOther(meta: TaskMeta, node: PlanNode, wanted: string): void {
  const data = { taskId: meta.task_id };
  checkPlannedName(wanted);
  const owner = meta.assigned_to === '' ? localpartOf(node.assignee) : meta.assigned_to;
  if (owner === '') {
    throw refusedStep({
      from: meta.status,
      event: 'supersede',
      because: 'nobody has it; give it out instead',
      data,
    });
  }
  if (meta.status === 'failed' || !sameLocalpart(owner, localpartOf(wanted))) return;
  throw new FlowError('invalid-argument', `task ${meta.task_id} is already with ${owner}`, {
    remedy: 'name another agent',
    data,
  });
}

/** What a task hands on beside its node and its spec (features.md S000-27). */
function inherited({ priority, agent_type, required_capabilities, parent_task_id, eta, tags, metadata }: TaskMeta) {
  const values = { priority, agent_type, required_capabilities, parent_task_id, eta, tags, metadata };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
