import { z } from 'zod';
import { archiveDir } from '../../protocol/archive.ts';
import type { Change } from '../../protocol/changes.ts';
import { FlowError } from '../../protocol/errors.ts';
import { projectPaths, taskPaths } from '../../protocol/paths.ts';
import { stampOf } from '../../protocol/timestamps.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { endOf, keptFromArchive, tasksByProject } from '../../rules/archive.ts';
import type { Kept } from '../../rules/archive.ts';
import { LEADERS, requireProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import type { Decision } from '../types.ts';

/**
 * Moves a project that has ended, with all its tasks, out of the way of live work (architecture.md, "Files and
 * owners"): into the folder of the month of its end, in one commit, so that a crash leaves all of it or nothing.
 */
export const archiveProject = defineOperation({
  name: 'project.archive',
  kind: 'command',
  roles: LEADERS,
  internal: true,
  summary: 'Move a project that has ended, with its tasks, to shared/archive/.',
  input: z.object({ projectId: z.string().min(1).describe('id of the project') }),
  fresh: 'required',
  run: ({ view, input: { projectId }, now }) => archivedProject(view, projectId, now),
});

/** With `open: 'take'` it may have tasks that nobody will go on with. Throws `illegal-transition` or `broken-file`. */
export function archivedProject(
  view: WorkspaceView,
  projectId: string,
  now: string,
  options: { readonly open?: 'keep' | 'take' } = {},
): Decision<Record<string, unknown>> {
  const before = view.project(projectId) === undefined ? view.archivedProject(projectId) : undefined;
  if (before !== undefined) {
    return { changes: [], events: [], announcements: [], output: { archived: before.dir, unchanged: true } };
  }
  const project = requireProject(view, projectId);
  const tasks = tasksByProject(view).get(projectId) ?? [];
  const kept = keptFromArchive(view, project, tasks, options);
  if (kept !== undefined) throw refusal(projectId, kept);
  const end = endOf(project.meta, tasks);
  const month = (end === undefined ? now : stampOf(end)).slice(0, 7);
  const dir = archiveDir(month, 'projects', projectId);
  const ids = tasks.map((task) => task.task_id);
  const moves: readonly Change[] = [
    { kind: 'move', from: projectPaths(projectId).dir, path: dir },
    ...ids.map((id): Change => ({ kind: 'move', from: taskPaths(id).dir, path: archiveDir(month, 'tasks', id) })),
  ];
  return {
    changes: moves,
    events: [
      {
        type: 'project.archived',
        action: 'project.archive',
        subject: { kind: 'project', id: projectId },
        note: `with ${ids.length} ${ids.length === 1 ? 'task' : 'tasks'}, to ${dir}`,
      },
    ],
    announcements: [],
    output: { archived: dir, tasks: ids },
  };
}

const REMEDIES: Readonly<Record<Kept['rule'], string>> = {
  'not-ended': 'complete the project and end its tasks first',
  'report-owed': 'report on it first, or call mark_requester_report_sent',
  'waited-for': 'end that first',
  broken: 'mend the file that `baton doctor` names',
};

function refusal(projectId: string, { rule, reason }: Kept): FlowError {
  if (rule === 'broken') {
    return new FlowError('broken-file', `Cannot archive: ${reason}`, { remedy: REMEDIES[rule], data: { projectId } });
  }
  const why = rule === 'not-ended' ? `not terminal (${reason})` : reason;
  return new FlowError('illegal-transition', `Cannot archive: ${why}`, { remedy: REMEDIES[rule], data: { projectId } });
}
