import { z } from 'zod';
import { FlowError } from '../../protocol/errors.ts';
import { requireNewId } from '../../protocol/ids.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { replaceDag } from '../../protocol/plan/edit.ts';
import { parsePlan } from '../../protocol/plan/parse.ts';
import { initialPlan } from '../../protocol/plan/render.ts';
import type { PlannedNode } from '../../protocol/plan-types.ts';
import type { ProjectMeta } from '../../protocol/records/types.ts';
import type { ProjectEntry, WorkspaceView } from '../../protocol/view.ts';
import { presentProject } from '../present.ts';
import { reportAudience, startedProject } from '../report-reach.ts';
import { checkAssignmentRoom, LEADERS, notificationHint, refuseArchived, writeProject } from '../shared.ts';
import { checkRoom, delegate } from '../task-flow/delegate.ts';
import { defineOperation } from '../types.ts';
import { withProject } from '../with-project.ts';
import { checkOrigin, newProject, originFields, originOf } from './create.ts';
import { readTasks } from './planned-tasks.ts';

const quickInput = z.object({
  ...originFields,
  taskId: z.string().optional().describe('id of the one task, default <projectId>-01'),
  assignedTo: z.string().min(1).describe('worker name or Matrix id'),
  roomId: z.string().min(1).describe('room of the assignment'),
  spec: z.string().min(1).describe('what the task is, Markdown'),
  notify: z.boolean().optional().describe('send the assignment message; default false: the leader posts it'),
});

/** protocol.md §10.9: a project of one task, delegated at once; the claim itself is `task.delegate`'s. */
export const createQuickProject = defineOperation({
  name: 'project.create_quick',
  kind: 'command',
  roles: LEADERS,
  summary: 'Create a project of one task and delegate it at once.',
  input: quickInput,
  fresh: 'required',
  audience: ({ view, input }) => reportAudience(view, originOf(input)),
  precheck({ view, input }) {
    requireNoApproval(view);
    checkOrigin(input);
    checkRoom(input.roomId);
    checkAssignmentRoom(view.team, input.roomId);
    const { projectId, taskId = '' } = input;
    if (taskId !== '' && projectId !== undefined) requireOwnTaskId(projectId, taskId);
  },
  run(context) {
    const { view, input, now } = context;
    requireNoApproval(view);
    const meta = startedProject(newProject(context, 'quick'));
    checkAssignmentRoom(view.team, input.roomId, meta);
    const [node] = readTasks([
      { taskId: quickTaskId(view, meta.project_id, input.taskId), title: meta.title, assignedTo: input.assignedTo },
    ]);
    if (node === undefined) throw new FlowError('internal', 'a quick project has one task');
    const { project_id: projectId } = meta;
    const delegated = delegate.run(
      {
        ...context,
        view: withProject(view, entryOf(meta, node, now)),
        input: { projectId, taskId: node.id, roomId: input.roomId, spec: input.spec, notify: input.notify ?? false },
      },
      undefined,
    );
    return {
      changes: [writeProject(meta), ...delegated.changes],
      events: [
        {
          type: 'project.created',
          action: 'create_quick_project',
          subject: { kind: 'project', id: projectId },
          to: meta.status,
          note: meta.title,
        },
        ...delegated.events,
      ],
      announcements: delegated.announcements,
      output: {
        project: presentProject(meta),
        ...delegated.output,
        notificationNeeded: notificationHint('task_assigned', meta, meta.title, { room_id: input.roomId }),
      },
    };
  },
  settle(output, settlement, input) {
    const { project, notificationNeeded, ...delegated } = output;
    const taskId = String(delegated.task['task_id']);
    const projectId = String(project['project_id']);
    const settled = delegate.settle?.(delegated, settlement, {
      ...input,
      projectId,
      taskId,
      notify: input.notify ?? false,
    });
    return { ...output, ...settled, project, notificationNeeded };
  },
});

/** What is delegated at once could not be approved before (features.md §3.2). Throws `illegal-transition`. */
function requireNoApproval({ team }: WorkspaceView): void {
  if (!team.policies.requireApproval) return;
  throw new FlowError('illegal-transition', 'create_quick_project: projects need approval (policies.requireApproval)', {
    remedy: 'create_project and plan_dag, then have it approved: `baton transition PROJECT approve`',
  });
}

/** The task's own id belongs to the project, so that one is found by the other. */
function quickTaskId(view: WorkspaceView, projectId: string, wanted = ''): string {
  const taskId = wanted === '' ? `${projectId}-01` : requireOwnTaskId(projectId, wanted);
  if (view.exists(taskPaths(taskId).meta)) {
    throw new FlowError('already-exists', `task already exists: ${taskId}`, { data: { projectId, taskId } });
  }
  refuseArchived(taskId, view.archivedTask(taskId));
  return taskId;
}

function requireOwnTaskId(projectId: string, wanted: string): string {
  const taskId = requireNewId(wanted, 'taskId');
  if (taskId.startsWith(`${projectId}-`)) return taskId;
  throw new FlowError('invalid-argument', 'taskId must belong to projectId', {
    remedy: `begin it with ${projectId}-, or leave it out`,
    data: { projectId, taskId },
  });
}

/** The project as it will be read once it is written: one pending node. */
function entryOf(meta: ProjectMeta, node: PlannedNode, createdAt: string): ProjectEntry {
  const { project_id: id, title } = meta;
  const empty = initialPlan({ title, projectId: id, createdAt });
  const planText = replaceDag(empty, [{ ...node, status: 'pending' }]);
  return { id, meta, plan: parsePlan(planText), planText, diagnostics: [] };
}
