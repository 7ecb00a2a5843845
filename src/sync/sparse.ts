import type { ObjectId, TreeEntry } from '../ports-git.ts';
import { isReadableId } from '../protocol/ids.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import type { Placement, SyncContext } from './context.ts';
import { decode } from './resolve.ts';

/** The folder that a sparse clone has on disk or not, as a whole; `undefined` for a path that it always has. */
function folderOf(path: string): string | undefined {
  return /^shared\/(?:tasks|archive\/[^/]+\/[^/]+)\/[^/]+\//.exec(path)?.[0];
}

/**
 * Tells of a path whether it is left out of this clone (`git.sparse`): the folders of others' tasks, and the archive.
 * What is on disk all the same, as after a person's `git sparse-checkout disable`, is not.
 */
export function hiddenPaths({ sparse, workTree }: SyncContext): (path: string) => boolean {
  if (sparse !== true) return () => false;
  const view = workTree.view();
  return (path) => {
    const folder = folderOf(path);
    return folder !== undefined && !view.exists(folder);
  };
}

const idOf = (folder: string): string => folder.split('/')[2] ?? '';

/** Of the tasks whose folders these are, those that are the Worker's own, as a commit says. */
async function ownFolders(
  { git, localpart }: Pick<SyncContext, 'git' | 'localpart'>,
  commit: ObjectId,
  folders: readonly string[],
): Promise<readonly string[]> {
  const tasks = folders.filter((folder) => folder.startsWith('shared/tasks/') && isReadableId(idOf(folder)));
  const records = await git.read(tasks.map((folder) => `${commit}:${folder}meta.json`));
  return tasks.filter((folder, index) => {
    const text = records[index] === undefined ? undefined : decode(records[index]);
    const assignee = text === undefined ? undefined : parseTaskMeta(text, idOf(folder)).meta?.assigned_to;
    return assignee !== undefined && sameLocalpart(assignee, localpart);
  });
}

/**
 * What is to be brought to the disk of a sparse clone: others' tasks are told to the index only, and a task that has
 * become the Worker's own comes as a whole, since parts of it may have been left out before.
 */
export async function sparsely(
  context: SyncContext,
  commit: ObjectId,
  placements: readonly Placement[],
): Promise<readonly Placement[]> {
  const { git, sparse } = context;
  if (sparse !== true) return placements;
  const isHidden = hiddenPaths(context);
  const left = placements.filter(({ path }) => isHidden(path));
  const folders = [...new Set(left.flatMap(({ path }) => folderOf(path) ?? []))];
  const own = await ownFolders(context, commit, folders);
  if (own.length > 0) git.reveal(own);
  const whole: readonly TreeEntry[] = own.length === 0 ? [] : await git.entries(commit, own);
  const isOwn = new Set(own);
  const hidden = new Set(left.filter(({ path }) => !isOwn.has(folderOf(path) ?? '')).map(({ path }) => path));
  const known = new Set(placements.map(({ path }) => path));
  return [
    ...placements.map((placement) => (hidden.has(placement.path) ? { ...placement, hidden: true } : placement)),
    ...whole
      .filter(({ path }) => !known.has(path))
      .map(({ path, mode, id }): Placement => ({ path, next: { mode, id }, seen: undefined })),
  ];
}
