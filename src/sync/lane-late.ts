import type { Git, ObjectId, TreeChange } from '../ports-git.ts';
import type { LaneRefusal } from '../ports.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { classifyPath, lateResultDir, taskPaths } from '../protocol/paths.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import type { TaskMeta } from '../protocol/records/types.ts';
import { hadItBefore, lateSubmission } from '../rules/late-result.ts';
import { decode } from './resolve.ts';

/** A result that a lane brings of a task that main has given to somebody else meanwhile. */
export interface LateResult {
  readonly taskId: string;
  /** Where it is kept; ends in `/`. */
  readonly dir: string;
  /** Who has the task now. */
  readonly assignee: string;
}

interface Sides {
  readonly main: ObjectId;
  readonly localpart: string;
  readonly maxFileBytes: number;
}

/**
 * Late results among what a lane changed, by task; `assignees` says whose those tasks are on main. Nothing of the lane is read
 * but records of tasks that were its Worker's before.
 */
export async function lateResults(
  git: Git,
  { main, localpart, maxFileBytes }: Sides,
  changes: readonly TreeChange[],
  assignees: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, LateResult>> {
  const records = changes.flatMap(({ path, after }) => {
    const place = classifyPath(path);
    if (place.kind !== 'task-meta' || after === undefined) return [];
    const isOwn = sameLocalpart(assignees.get(place.taskId) ?? localpart, localpart);
    return isOwn ? [] : [{ taskId: place.taskId, blob: after.id }];
  });
  if (records.length === 0) return new Map();
  const published = await git.read(records.map(({ taskId }) => `${main}:${taskPaths(taskId).meta}`));
  const sizes = await git.sizes(records.map(({ blob }) => blob));
  const found = new Map<string, LateResult>();
  for (const [index, { taskId, blob }] of records.entries()) {
    const onMain = metaIn(published[index], taskId);
    if (onMain === undefined || !hadItBefore(onMain, localpart) || (sizes[index] ?? 0) > maxFileBytes) continue;
    const [brought] = await git.read([blob]);
    const onLane = metaIn(brought, taskId);
    const submission = onLane === undefined ? undefined : lateSubmission(onMain, onLane, localpart);
    const dir = submission === undefined ? undefined : lateResultDir(taskId, localpart, submission);
    if (dir !== undefined) found.set(taskId, { taskId, dir, assignee: onMain.assigned_to });
  }
  return found;
}

function metaIn(bytes: Uint8Array | undefined, taskId: string): TaskMeta | undefined {
  return bytes === undefined ? undefined : parseTaskMeta(decode(bytes) ?? '', taskId).meta;
}

/** The late result of which a path is a part, if any: the Leader's files are none of it, nor is what was kept before. */
export function lateResultAt(path: string, late: ReadonlyMap<string, LateResult>): LateResult | undefined {
  const place = classifyPath(path);
  const isPart = place.kind === 'task-meta' || place.kind === 'task-result' || place.kind === 'task-other';
  return isPart ? late.get(place.taskId) : undefined;
}

/** Where such a part is kept. */
export function placeIn({ taskId, dir }: LateResult, path: string): string {
  return dir + path.slice(taskPaths(taskId).dir.length);
}

/** What is told of a result that was set aside: once for all of its files. */
export function whyLate({ taskId, assignee, dir }: LateResult): Pick<LaneRefusal, 'reason' | 'detail'> {
  return {
    reason: 'late-result',
    detail: `${taskId} was given to ${assignee} before this result arrived; it is kept in ${dir}`,
  };
}
