import { createPauses } from '../pauses.ts';
import type { ObjectId, TreeChange } from '../ports-git.ts';
import { blobId, seconds } from './context.ts';
import type { SyncContext } from './context.ts';
import { editOf } from './merge.ts';
import { commitMessage } from './message.ts';
import { hiddenPaths } from './sparse.ts';

export function noteMove({ state }: SyncContext, from: ObjectId, to: ObjectId): void {
  state.moved = { from: state.moved?.from ?? from, to };
}

/**
 * The index is told of a step after the branch has moved, and a git of somebody else may hold it, or write back what it read of it
 * before. Who runs `git commit` then commits on top of the step, but what the index showed before it: git takes that for the wish to take
 * the step back. The work tree tells the two apart, since it shows the step: whoever takes it back on purpose takes it off the disk.
 *
 * Returns a commit on top of `head` that holds what was taken back so, or nothing. `unplaced`: where the disk shows something older.
 */
export async function keptFromOldIndex(
  context: SyncContext,
  head: ObjectId,
  unplaced: ReadonlySet<string>,
): Promise<ObjectId | undefined> {
  const { git, state, author, clock, actor, log } = context;
  const { moved } = state;
  if (moved === undefined || moved.to === head) return undefined;
  if (!(await isOnTop(context, moved.to, head))) {
    state.moved = undefined;
    return undefined;
  }
  const changes = await git.diff(moved.to, head);
  const takenBack = await takenBackBy(context, { from: moved.from, changes, unplaced });
  if (takenBack.length === 0) {
    state.moved = { from: moved.from, to: head };
    // What stands there now is not this node's any more.
    for (const { path } of changes) state.placed.delete(path);
    return undefined;
  }
  log.warn(
    { commit: head, paths: takenBack.map(({ path }) => path).slice(0, 20) },
    'a commit by hand had taken back a step of which the index did not know yet; the step is kept',
  );
  return git.commit({
    parents: [head],
    edits: takenBack.map(({ path, before }) => editOf(path, before)),
    message: commitMessage([{ transaction: { actor, label: 'workspace(keep_step)', subject: {} }, changes: [] }]),
    author,
    at: seconds(clock),
  });
}

/** Not after a reset or a rebase; the commit itself may be gone then. */
async function isOnTop({ git }: SyncContext, commit: ObjectId, head: ObjectId): Promise<boolean> {
  const [known] = await git.resolve([`${commit}^{commit}`]);
  return known !== undefined && git.isAncestor(commit, head);
}

interface Suspect {
  /** Where the branch stood when this node first moved it. */
  readonly from: ObjectId;
  readonly changes: readonly TreeChange[];
  readonly unplaced: ReadonlySet<string>;
}

/** Those of the changes that take away what this node has brought to a path, and that the disk shows still. */
async function takenBackBy(context: SyncContext, { from, changes, unplaced }: Suspect): Promise<readonly TreeChange[]> {
  const { git, state } = context;
  const pause = createPauses();
  const earlier = await git.resolve(changes.map(({ path }) => `${from}:${path}`));
  const isHidden = hiddenPaths(context);
  const found: TreeChange[] = [];
  for (const [index, change] of changes.entries()) {
    const { path, before, after } = change;
    if (before?.id === after?.id || (after !== undefined && !after.mode.startsWith('100'))) continue;
    const was = earlier[index];
    /** Where the disk cannot tell, what an old index shows does. */
    const isAsBefore = was === after?.id && was !== before?.id;
    const isOwn = state.placed.has(path) && state.placed.get(path) === before?.id;
    await pause();
    if (isHidden(path) || unplaced.has(path) ? isAsBefore : isOwn && isShown(context, change, isAsBefore))
      found.push(change);
  }
  return found;
}

/** Whether the disk shows what was there before, or below `shared/` what somebody has made of it since. */
function isShown({ git, workTree }: SyncContext, { path, before, after }: TreeChange, isAsBefore: boolean): boolean {
  let bytes: Uint8Array | undefined;
  try {
    bytes = workTree.bytes(path);
  } catch {
    // Something else is in its place, such as a file where its folder was.
    return isAsBefore;
  }
  const disk = bytes === undefined ? undefined : blobId(git, bytes);
  return disk === before?.id || (isAsBefore && path.startsWith('shared/') && disk !== after?.id);
}
