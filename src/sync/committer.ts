import { createPauses } from '../pauses.ts';
import type { Committed, Transaction, TreeDraft } from '../ports.ts';
import type { Durability } from '../protocol/changes.ts';
import type { ObjectId, TreeEdit } from '../ports-git.ts';
import { FILE_MODE } from '../ports-git.ts';
import type { Change } from '../protocol/changes.ts';
import { FlowError } from '../protocol/errors.ts';
import { isReservedPath } from '../protocol/names.ts';
import { adoptable } from './adopt.ts';
import { movedFiles } from './move.ts';
import { requireNoLeak } from './secret-check.ts';
import { placementsOf } from './checkout.ts';
import { blobId, seconds } from './context.ts';
import type { Placement, SyncContext } from './context.ts';
import { commitMessage } from './message.ts';

/** A caller that waits for its step. */
export interface Pending {
  readonly transaction: Transaction<unknown>;
  resolve(committed: Committed<unknown>): void;
  reject(error: unknown): void;
}

/** What one path is to be, and why it may be written over what is on disk. */
interface Target {
  readonly mode: string;
  /** Text that a later step of the group writes over is never put into bytes. */
  readonly content: Uint8Array | string | undefined;
  readonly adopted: boolean;
  /** What is committed elsewhere under this id, taken as it is. */
  readonly id?: ObjectId;
  /** What is committed here and moves away, so that only this is taken off the disk. */
  readonly leaves?: ObjectId;
}

interface Accepted {
  readonly pending: Pending;
  readonly output: unknown;
  readonly changes: readonly Change[];
  readonly targets: ReadonlyMap<string, Target>;
  /** What was on disk at these paths when the step was decided. */
  readonly seen: ReadonlyMap<string, Uint8Array | undefined>;
}

/** A group of steps as a commit that nobody has seen yet. */
export interface Draft {
  readonly accepted: readonly Accepted[];
  readonly refused: readonly { readonly pending: Pending; readonly error: unknown }[];
  /** `undefined` when no step changes anything. */
  readonly commit: ObjectId | undefined;
  readonly placements: readonly Placement[];
}

/**
 * Decides a group on the current view, one step after the other, and writes one commit for all of them. Nothing
 * reaches the work tree or a branch: a draft that is not wanted is simply dropped. A step that refuses does so alone.
 */
export async function draftGroup(
  context: SyncContext,
  head: ObjectId,
  group: readonly Pending[],
  options: { readonly attempt: boolean },
): Promise<Draft> {
  const accepted: Accepted[] = [];
  const refused: { pending: Pending; error: unknown }[] = [];
  const draft = context.workTree.draft();
  const pause = createPauses();
  for (const pending of group) {
    await pause();
    try {
      const { changes, output } = pending.transaction.decide(draft.view());
      const { targets, seen } = await aim(context, head, draft, { transaction: pending.transaction, changes });
      accepted.push({ pending, output, changes, targets, seen });
      draft.add(changes);
    } catch (error) {
      refused.push({ pending, error });
    }
  }
  for (const { pending } of accepted) pending.transaction.beforeCommit?.();
  return { accepted, refused, ...(await commitAll(context, head, accepted, options.attempt)) };
}

/** The files that a step's changes mean. Throws `FlowError` for paths that may not be written. */
async function aim(
  context: SyncContext,
  head: ObjectId,
  draft: TreeDraft,
  { transaction, changes }: { readonly transaction: Transaction<unknown>; readonly changes: readonly Change[] },
): Promise<Pick<Accepted, 'targets' | 'seen'>> {
  const targets = new Map<string, Target>();
  const written = new Set(changes.flatMap(({ kind, path }) => (kind === 'write' ? [path] : [])));
  for (const change of changes) {
    if (change.kind !== 'adopt') continue;
    const wanted = { ...change, actor: transaction.actor, written };
    for (const { path, mode, content } of await adoptable(context, head, wanted)) {
      targets.set(path, { mode, content, adopted: true });
    }
  }
  for (const change of changes) {
    if (change.kind === 'adopt' || change.kind === 'move') continue;
    const content = change.kind === 'write' ? change.text : undefined;
    targets.set(requirePlainPath(change.path), { mode: FILE_MODE, content, adopted: false });
    await requireNoLeak(context, head, draft, change);
  }
  for (const file of await movedFiles(context, head, changes)) {
    targets.set(file.from, { mode: file.mode, content: undefined, adopted: false, leaves: file.id });
    targets.set(requirePlainPath(file.path), { mode: file.mode, content: undefined, adopted: false, id: file.id });
  }
  for (const path of targets.keys()) {
    if (context.state.unplaced.has(path)) throw outdated(path);
  }
  const look = (path: string, { adopted }: Target): Uint8Array | undefined =>
    adopted ? context.workTree.bytes(path) : draft.seen(path);
  const read = [...targets].filter(([, { id, leaves }]) => id === undefined && leaves === undefined);
  const seen = new Map(read.map(([path, target]) => [path, look(path, target)]));
  return { targets, seen };
}

/** What is decided on a file that could not be brought up to date would undo what others published. */
function outdated(path: string): FlowError {
  return new FlowError('bad-workspace', `${path} on disk is older than what is published, and cannot be replaced`, {
    remedy: 'free space on the disk, or remove what is in its way (the log names it), then try again',
    retryable: true,
  });
}

function requirePlainPath(path: string): string {
  if (!isReservedPath(path)) return path;
  throw new FlowError('invalid-argument', `${JSON.stringify(path)} is not a path that can be committed`, {
    remedy: 'use plain file names without reserved words, trailing dots or control characters',
  });
}

async function commitAll(
  context: SyncContext,
  head: ObjectId,
  accepted: readonly Accepted[],
  attempt: boolean,
): Promise<Pick<Draft, 'commit' | 'placements'>> {
  const { git, author, clock } = context;
  const targets = new Map<string, Target>();
  const seen = new Map<string, Uint8Array | undefined>();
  for (const step of accepted) {
    for (const [path, target] of step.targets) {
      // What a step wrote is not on disk yet, so what another adopts there is older.
      if (target.adopted && targets.get(path)?.adopted === false) continue;
      targets.set(path, target);
      // Only with its target: what else was on disk meanwhile, that was not made from.
      if (step.seen.has(path)) seen.set(path, step.seen.get(path));
    }
  }
  const paths = [...targets.keys()];
  const held = await git.resolve(paths.map((path) => `${head}:${path}`));
  const wanted = paths.map((path) => toEdit(path, targets.get(path)));
  const edits = wanted.filter((edit, index) => idOf(context, edit) !== held[index]);
  const adopted = new Set(paths.filter((path) => targets.get(path)?.adopted === true));
  const placements = placementsOf(context, wanted, seen, adopted).map((placement) => {
    const leaves = targets.get(placement.path)?.leaves;
    return leaves === undefined ? placement : { ...placement, seen: { id: leaves } };
  });
  if (edits.length === 0) return { commit: undefined, placements };
  const steps = accepted
    .filter(({ changes }) => changes.length > 0)
    .map(({ pending, changes }) => ({ transaction: pending.transaction, changes }));
  const message = commitMessage(steps);
  const commit = await git.commit({ parents: [head], edits, message, author, at: seconds(clock), attempt });
  return { commit, placements };
}

function toEdit(path: string, target: Target | undefined): TreeEdit {
  if (target?.id !== undefined) return { path, kind: 'entry', mode: target.mode, id: target.id };
  if (target?.content === undefined) return { path, kind: 'remove' };
  const { mode, content } = target;
  return { path, kind: 'content', mode, content: typeof content === 'string' ? Buffer.from(content, 'utf8') : content };
}

function idOf({ git }: SyncContext, edit: TreeEdit): ObjectId | undefined {
  if (edit.kind === 'entry') return edit.id;
  return edit.kind === 'content' ? blobId(git, edit.content) : undefined;
}

/** Answers everybody in the group. */
export function settle(draft: Draft, durability: Durability, synced: boolean): void {
  for (const { pending, output, changes } of draft.accepted) {
    const commit = changes.length === 0 ? undefined : draft.commit;
    pending.resolve({ output, commit, durability, synced });
  }
  for (const { pending, error } of draft.refused) pending.reject(error);
}

export function refuseAll(group: readonly Pending[], error: unknown): void {
  for (const pending of group) pending.reject(error);
}
