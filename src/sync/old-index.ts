import type { ObjectId } from '../ports-git.ts';
import { editOf } from './merge.ts';
import { commitMessage } from './message.ts';
import { seconds } from './context.ts';
import type { Placed, SyncContext } from './context.ts';

export function noteMove({ state }: SyncContext, from: ObjectId, to: ObjectId): void {
  const { moved } = state;
  const isBehind = moved?.to === from && moved.told === undefined;
  state.moved = { from: isBehind ? moved.from : from, to };
}

/** To be called once the index shows `batch`. */
export function noteTold({ state, clock }: SyncContext, batch: readonly Placed[]): void {
  const { moved } = state;
  if (moved !== undefined && batch.some(({ commit }) => commit === moved.to))
    state.moved = { ...moved, told: seconds(clock) };
}

/** More commits by hand at once than these are not looked through. */
const MOST = 100;

/**
 * The index is told of a step a moment after the branch has moved. Who runs `git commit` just then commits on top of the
 * step, but what the index showed before it: git takes that for the wish to take the step back. Returns a commit on top
 * of `head` that holds what was taken back so, or nothing.
 *
 * Git reads the branch, the index and the time in this order before it asks for a message: what was begun in a later second
 * than the one in which the index was told means what it says, and so does `git revert`, which looks whether the index is old.
 */
export async function keptFromOldIndex(context: SyncContext, head: ObjectId): Promise<ObjectId | undefined> {
  const { git, state, author, clock, actor, log } = context;
  const { moved } = state;
  if (moved === undefined || moved.to === head) return undefined;
  state.moved = undefined;
  const first = await firstOnTop(context, moved.to, head);
  if (first === undefined || first.subject.startsWith('Revert "')) return undefined;
  if (moved.told !== undefined && first.at > moved.told) return undefined;
  const step = await git.diff(moved.from, moved.to);
  const there = await git.resolve(step.map(({ path }) => `${head}:${path}`));
  const takenBack = step.filter(({ before }, index) => before?.id === there[index]);
  if (takenBack.length === 0) return undefined;
  log.warn(
    { commit: first.commit, paths: takenBack.map(({ path }) => path).slice(0, 20) },
    'a commit by hand had taken back a step of which the index did not know yet; the step is kept',
  );
  return git.commit({
    parents: [head],
    edits: takenBack.map(({ path, after }) => editOf(path, after)),
    message: commitMessage([{ transaction: { actor, label: 'workspace(keep_step)', subject: {} }, changes: [] }]),
    author,
    at: seconds(clock),
  });
}

interface OnTop {
  readonly commit: ObjectId;
  readonly subject: string;
  readonly at: number;
}

/** The commit that was made on `parent` and led to `head`; nothing where `head` was come to in another way. */
async function firstOnTop({ git }: SyncContext, parent: ObjectId, head: ObjectId): Promise<OnTop | undefined> {
  let commit = head;
  for (let count = 0; count < MOST; count += 1) {
    const { parents, ...told } = await git.describe(commit);
    const [first] = parents;
    if (first === parent) return { ...told, commit };
    if (first === undefined) return undefined;
    commit = first;
  }
  return undefined;
}
