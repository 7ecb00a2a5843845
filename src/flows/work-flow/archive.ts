import { z } from 'zod';
import { archiveDir } from '../../protocol/archive.ts';
import type { Change } from '../../protocol/changes.ts';
import { FlowError } from '../../protocol/errors.ts';
import { taskPaths } from '../../protocol/paths.ts';
import { replaceDag } from '../../protocol/plan/edit.ts';
import { stampOf } from '../../protocol/timestamps.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { endOfTask, keptInInbox } from '../../rules/archive.ts';
import type { Kept } from '../../rules/archive.ts';
import { archivedProject } from '../project-flow/archive-project.ts';
import { LEADERS, requireProject, requireTask, writePlan } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { taskEvent } from '../task-flow/common.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';

/** S002-24: what has ended is moved out of the way of live work, at once instead of after some days. */
export const archiveWork = defineOperation({
  name: 'work.archive',
  kind: 'command',
  roles: LEADERS,
  summary: 'Move a project that has ended, or a task of the inbox, to shared/archive/.',
  input: z.object({ id: z.string().min(1).describe('id of the project or task') }),
  fresh: 'required',
  run({ view, input: { id }, now }): Decision<Record<string, unknown>> {
    const isTask = view.project(id) === undefined && view.task(id) !== undefined;
    if (isTask) return archivedTask(view, id, now);
    const { mode } = requireProject(view, id).meta;
    // What is left open in a task that has ended is nobody's to go on with.
    return archivedProject(view, id, now, { open: mode === 'composite' ? 'take' : 'keep' });
  },
});

/** The inbox never ends, so its tasks are archived one by one. */
function archivedTask(view: WorkspaceView, id: string, now: string): Decision<Record<string, unknown>> {
  const meta = requireTask(view, id);
  const project = requireProject(view, meta.project_id);
  if (project.meta.mode !== 'inbox') {
    throw new FlowError('illegal-transition', `Cannot archive: ${id} is part of project ${project.id}`, {
      remedy: `archive ${project.id} once it has ended`,
      data: { taskId: id, projectId: project.id },
    });
  }
  const kept = keptInInbox(project, meta);
  if (kept !== undefined) throw refusal(id, kept);
  const end = endOfTask(meta);
  const dir = archiveDir((end === undefined ? now : stampOf(end)).slice(0, 7), 'tasks', id);
  const moves: readonly Change[] = [{ kind: 'move', from: taskPaths(id).dir, path: dir }];
  return {
    changes: [...moves, ...writePlan(project, withoutNode(project, id))],
    events: [taskEvent('task.archived', 'work.archive', meta, { note: `to ${dir}` })],
    announcements: [],
    output: { archived: dir, tasks: [id] },
  };
}

function refusal(taskId: string, { rule, reason }: Kept): FlowError {
  const why = rule === 'not-ended' ? `not terminal (${reason})` : reason;
  return new FlowError('illegal-transition', `Cannot archive: ${why}`, {
    remedy: rule === 'not-ended' ? 'finish or cancel it first' : 'end that first',
    data: { taskId },
  });
}

/** Those that waited for an accepted task wait no longer. */
function withoutNode({ plan, planText }: OpenProject, id: string): string {
  if (plan.nodes.every((node) => node.id !== id)) return planText;
  const left = plan.nodes.filter((other) => other.id !== id);
  return replaceDag(
    planText,
    left.map((other) => ({ ...other, dependsOn: other.dependsOn.filter((dependency) => dependency !== id) })),
  );
}
