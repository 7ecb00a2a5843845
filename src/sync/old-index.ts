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
  // Reset, or rebased: no commit on top of the step.
  if (!(await git.isAncestor(moved.to, head))) {
    state.moved = undefined;
    return undefined;
  }
  const takenBack = await takenBackBy(context, { ...moved, head, unplaced });
  if (takenBack.length === 0) {
    state.moved = { from: moved.from, to: head };
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

interface Suspect {
  readonly from: ObjectId;
  readonly to: ObjectId;
  readonly head: ObjectId;
  readonly unplaced: ReadonlySet<string>;
}

/**
 * What the way from `to` to `head` changed although the disk shows it still. Outside of `shared/`, where a file may lie on the disk and not be
 * published, only what this node has brought there since `from`.
 */
async function takenBackBy(
  context: SyncContext,
  { from, to, head, unplaced }: Suspect,
): Promise<readonly TreeChange[]> {
  const { git } = context;
  const changes = (await git.diff(to, head)).filter(({ before, after }) => before?.id !== after?.id);
  const earlier = await git.resolve(changes.map(({ path }) => `${from}:${path}`));
  const isHidden = hiddenPaths(context);
  return changes.filter(({ path, before, after }, index) => {
    const was = earlier[index];
    if (was === before?.id && !path.startsWith('shared/')) return false;
    const isAsBefore = was === after?.id;
    // Where the disk cannot tell, what the index showed before has to.
    if (isHidden(path) || unplaced.has(path)) return isAsBefore;
    const disk = onDisk(context, path);
    return disk === before?.id || (isAsBefore && disk !== after?.id);
  });
}

function onDisk({ git, workTree }: SyncContext, path: string): ObjectId | undefined {
  let bytes: Uint8Array | undefined;
  try {
    bytes = workTree.bytes(path);
  } catch {
    // Something else is in its place, such as a link, or a file where its folder was.
    return undefined;
  }
  return bytes === undefined ? undefined : blobId(git, bytes);
}
