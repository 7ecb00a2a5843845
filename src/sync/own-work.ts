import type { ObjectId, TreeChange } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { taskPaths } from '../protocol/paths.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import type { SyncContext } from './context.ts';

/** More than this is taken in at once, whatever it is about; files and milliseconds. */
const LIMITS = { most: 2_000, within: 2_000 };

/**
 * Whether main has news for an agent's own work: anything but logs and the tasks of others. A step that rests on nothing else
 * need not wait until all the rest is merged and written (features.md §3.1: an agent acknowledges, reports and submits its
 * own task).
 */
export async function hasNewsForOwnWork(context: SyncContext, lane: ObjectId, main: ObjectId): Promise<boolean> {
  const { git } = context;
  const [base, ...others] = await git.mergeBases(lane, main);
  if (base === undefined || others.length > 0) return true;
  let changes: readonly TreeChange[];
  try {
    changes = await git.diff(base, main, LIMITS);
  } catch (error) {
    if (error instanceof FlowError && error.code === 'git-failed') return true;
    throw error;
  }
  const foreign = await tasksOfOthers(context, main, changes);
  const own = changes.filter(({ path }) => !path.startsWith('shared/events/') && !foreign.has(taskOf(path) ?? ''));
  // What the lane brought there itself is no news.
  const here = await git.resolve(own.map(({ path }) => `${lane}:${path}`));
  return own.some(({ after }, index) => after?.id !== here[index]);
}

/** Tasks that are somebody else's, here and on main. */
async function tasksOfOthers(
  { git, workTree, localpart }: SyncContext,
  main: ObjectId,
  changes: readonly TreeChange[],
): Promise<ReadonlySet<string>> {
  const view = workTree.view();
  const isOthers = (assignee: string | undefined): boolean =>
    assignee !== undefined && !sameLocalpart(assignee, localpart);
  const changed = new Set(changes.map(({ path }) => path));
  const ids = [...new Set(changes.flatMap(({ path }) => taskOf(path) ?? []))];
  // A record that is as it was is known by the work tree.
  const asked = ids.filter((id) => changed.has(taskPaths(id).meta));
  const records = await git.read(asked.map((id) => `${main}:${taskPaths(id).meta}`));
  const onMain = new Map(asked.map((id, index) => [id, assigneeIn(records[index], id)]));
  return new Set(
    ids.filter((id) => {
      const here = view.task(id)?.meta?.assigned_to;
      return (here === undefined ? onMain.has(id) : isOthers(here)) && (!onMain.has(id) || isOthers(onMain.get(id)));
    }),
  );
}

function assigneeIn(record: Uint8Array | undefined, id: string): string | undefined {
  return record === undefined ? undefined : parseTaskMeta(Buffer.from(record).toString('utf8'), id).meta?.assigned_to;
}

const taskOf = (path: string): string | undefined => /^shared\/tasks\/([^/]+)\//.exec(path)?.[1];
