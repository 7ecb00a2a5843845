import { z } from 'zod';
import { INBOX } from '../../protocol/ids.ts';
import { TASK_TYPES } from '../../protocol/records/types.ts';
import { nextNodeId, nextTaskId } from '../../rules/next-id.ts';
import { requireKnownAgent, warned } from '../agent-flow/roster.ts';
import { presentTask } from '../present.ts';
import { inboxOf } from '../project-flow/inbox.ts';
import { LEADERS, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { etaOf, optional, titleOf, words, workFields } from '../work-fields.ts';
import { checkPlannedName } from './assignee.ts';
import { planTask } from './new-task.ts';

/** features.md C2 and §3.1, "create": a pending task, in the inbox unless a project is named. */
export const createTask = defineOperation({
  name: 'task.create',
  kind: 'command',
  roles: LEADERS,
  summary: 'Create a pending task, in the inbox unless a project is named.',
  input: z.object({
    ...workFields,
    projectId: z.string().min(1).optional().describe('id of the project, default inbox'),
    taskId: z.string().min(1).optional().describe('id of the new task; made when absent'),
    type: z.enum(TASK_TYPES).optional().describe('what kind of work it is'),
    agentType: z.string().optional().describe('what kind of agent it is for'),
    requiredCapabilities: words('what an agent must be able to do'),
    assignedTo: z.string().optional().describe('worker name or Matrix id, default nobody'),
    dependsOn: words('ids of tasks of the same project'),
    parentTaskId: z.string().optional().describe('task that this one came from'),
  }),
  fresh: 'required',
  precheck: ({ input: { title, eta }, now }) => {
    titleOf(title);
    etaOf(eta, now);
  },
  run(context) {
    const { view, input, now } = context;
    const given = input.projectId ?? INBOX;
    const home =
      given === INBOX ? inboxOf(view, now) : { project: requireProject(view, given), changes: [], events: [] };
    const id = input.taskId ?? (given === INBOX ? nextTaskId(view) : nextNodeId(view, home.project));
    const assignee = input.assignedTo?.trim() ?? '';
    checkPlannedName(assignee);
    if (assignee !== '' && assignee !== '-') requireKnownAgent(view, assignee);
    const task = planTask(context, home.project, {
      node: {
        id,
        title: titleOf(input.title),
        assignee: assignee === '-' ? '' : assignee,
        dependsOn: [...new Set(input.dependsOn)],
        ...optional('type', input.type),
      },
      more: {
        ...optional('agent_type', input.agentType),
        ...optional('required_capabilities', input.requiredCapabilities),
        priority: input.priority ?? 'P2',
        ...optional('parent_task_id', input.parentTaskId),
        ...optional('eta', etaOf(input.eta, now)),
        ...optional('tags', input.tags),
      },
      spec: input.description,
    });
    const decision = {
      changes: [...home.changes, ...task.changes],
      events: [...home.events, task.event],
      announcements: [],
      output: { task: presentTask(task.meta) },
    };
    return warned(context, decision, task.meta.assigned_to);
  },
});
