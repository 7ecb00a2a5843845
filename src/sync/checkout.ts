import type { ObjectId, TreeEdit, TreeFile } from '../ports-git.ts';
import { FILE_MODE } from '../ports-git.ts';
import { foldName, isReservedPath } from '../protocol/names.ts';
import { CHECKOUT_REF, blobId, branchRef } from './context.ts';
import type { Placed, Placement, Position, SyncContext } from './context.ts';
import { noteMove } from './old-index.ts';
import { sparsely } from './sparse.ts';
import { decode, resolveFile, sameBytes, setAsidePath } from './resolve.ts';

/**
 * Moves the branch and then the work tree to a commit. The ref `refs/baton/checkout` names the commit that is being
 * left until `finishLater` has found every file in place, so that a crash in between is made good at the next start.
 * Returns `undefined` when the branch had been moved by somebody else; nothing was done then.
 */
export async function advance(
  context: SyncContext,
  { head, unfinished }: Position,
  next: ObjectId,
  options: { readonly placements?: readonly Placement[]; readonly published?: boolean } = {},
): Promise<Placed | undefined> {
  const { git, ownBranch, state } = context;
  // Counted before the note is set, so that nobody who finishes an earlier checkout takes it away.
  state.owed.begun += 1;
  let moved = false;
  try {
    moved = await git.updateRefs([
      { ref: branchRef(ownBranch), next, previous: head },
      { ref: CHECKOUT_REF, next: unfinished ?? head },
      ...(options.published === true ? [{ ref: `refs/remotes/origin/${ownBranch}`, next }] : []),
    ]);
  } finally {
    if (!moved) state.owed.begun -= 1;
  }
  if (!moved) return undefined;
  noteMove(context, head, next);
  const wanted = options.placements ?? (await placementsBetween(context, head, next));
  const placements = await sparsely(context, next, wanted);
  const brought = await placeFiles(context, placements);
  const succeeded = new Set(placements.map(({ path }) => path));
  state.unplaced = new Set([...[...state.unplaced].filter((path) => !succeeded.has(path)), ...brought.failed]);
  return { ...brought, journal: true };
}

export async function placementsBetween(
  { git }: SyncContext,
  from: ObjectId,
  to: ObjectId,
): Promise<readonly Placement[]> {
  return (await git.diff(from, to)).map(({ path, before, after }) => ({ path, next: after, seen: before }));
}

/** What a commit made of `edits` changes in the work tree; `seen` is what was on disk when it was decided. */
export function placementsOf(
  context: SyncContext,
  edits: readonly TreeEdit[],
  seen: ReadonlyMap<string, Uint8Array | undefined>,
  adopted: ReadonlySet<string>,
): readonly Placement[] {
  const identified = (content: Uint8Array): { id: ObjectId; content: Uint8Array } => ({
    id: blobId(context.git, content),
    content,
  });
  const next = (edit: TreeEdit): Placement['next'] => {
    if (edit.kind === 'remove') return undefined;
    const { mode } = edit;
    return edit.kind === 'entry' ? { mode, id: edit.id } : { mode, ...identified(edit.content) };
  };
  return edits.map((edit) => {
    const before = seen.get(edit.path);
    return {
      path: edit.path,
      next: next(edit),
      seen: before === undefined ? undefined : identified(before),
      adopted: adopted.has(edit.path),
    };
  });
}

const CHUNK = 200;

/**
 * Writes what differs, removals first. A path that cannot be written never stops the others. What `finishLater` does
 * is still owed.
 */
export async function placeFiles(context: SyncContext, placements: readonly Placement[]): Promise<Placed> {
  const changed: string[] = [];
  const failed = new Set<string>();
  const conflicts: { path: string; setAside: string }[] = [];
  const safe = placements.filter((placement) => isSafe(context, placement.path));
  const ordered = [...safe.filter(({ next }) => next === undefined), ...safe.filter(({ next }) => next !== undefined)];
  // Without a pause where all contents are at hand: nobody in this process sees half of a step.
  for (let index = 0; index < ordered.length; index += CHUNK) {
    for (const placement of await withContents(context, ordered.slice(index, index + CHUNK))) {
      try {
        const setAside = await placeOne(context, placement, changed);
        if (setAside !== undefined) conflicts.push({ path: placement.path, setAside });
      } catch (error) {
        failed.add(placement.path);
        if (context.state.unplaced.has(placement.path)) continue;
        context.log.warn(
          { path: placement.path, error: String(error) },
          'a file could not be brought into the work tree',
        );
      }
    }
  }
  context.workTree.invalidate([...changed, ...conflicts.map(({ setAside }) => setAside)]);
  for (const { setAside } of conflicts) context.state.setAside.add(setAside);
  for (const { path, next, hidden } of safe) {
    if (failed.has(path) || hidden === true) context.state.placed.delete(path);
    else context.state.placed.set(path, next?.id);
  }
  const entries = safe.map(({ path, next, hidden = false }) =>
    next === undefined ? { path, id: undefined } : { path, id: next.id, mode: next.mode || FILE_MODE, hidden },
  );
  return { changed, conflicts, refusals: [], failed: [...failed], written: changed, entries, journal: false };
}

/** What a clone keeps for itself: who it acts for, what its node may run, and that node's state. */
const OF_THE_CLONE: ReadonlySet<string> = new Set(['.baton', 'baton.json']);

/** A tree may hold names that no work tree should (protocol.md §11.6); they stay in git. */
function isSafe({ log }: SyncContext, path: string): boolean {
  const [first = ''] = path.split('/');
  const safe = !isReservedPath(path) && !OF_THE_CLONE.has(foldName(first)) && !path.includes('\u{FFFD}');
  if (!safe) log.warn({ path }, 'a file with a reserved name is left out of the work tree');
  return safe;
}

async function withContents({ git }: SyncContext, placements: readonly Placement[]): Promise<readonly Placement[]> {
  const missing = placements.filter(
    ({ next, hidden }) => hidden !== true && next !== undefined && next.content === undefined && isRegular(next),
  );
  const contents = await git.read(missing.map(({ next }) => next?.id ?? ''));
  const byPath = new Map(missing.map(({ path }, index) => [path, contents[index]]));
  return placements.map((placement) => {
    const content = byPath.get(placement.path);
    return placement.next === undefined || content === undefined
      ? placement
      : { ...placement, next: { ...placement.next, content } };
  });
}

const isRegular = (file: TreeFile): boolean => file.mode.startsWith('100');

/** Returns the path under which a person's text was set aside, if it came to that. */
async function placeOne(context: SyncContext, placement: Placement, changed: string[]): Promise<string | undefined> {
  const { git, workTree } = context;
  const { path, next, seen } = placement;
  if (placement.adopted === true || placement.hidden === true || (next !== undefined && next.content === undefined))
    return undefined;
  const disk = workTree.bytes(path);
  const diskId = disk === undefined ? undefined : blobId(git, disk);
  if (diskId === next?.id) return undefined;
  if (diskId === seen?.id || disk === undefined) {
    if (next?.content === undefined) workTree.removeFile(path);
    else workTree.writeBytes(path, next.content);
    changed.push(path);
    return undefined;
  }
  return next?.content === undefined ? undefined : keepHandEdit(context, placement, { disk, changed }, next.content);
}

/** A person changed the file since: what they wrote is kept, merged where it can be. */
async function keepHandEdit(
  context: SyncContext,
  placement: Placement,
  { disk, changed }: { readonly disk: Uint8Array; readonly changed: string[] },
  incoming: Uint8Array,
): Promise<string | undefined> {
  const { workTree } = context;
  const { path } = placement;
  const outcome = await mergeHandEdit(context, placement, disk, incoming);
  // They wrote once more while it was being merged: then that is to be merged.
  if (!sameBytes(workTree.bytes(path), disk)) return placeOne(context, placement, changed);
  changed.push(path);
  if (outcome.setAside !== undefined) workTree.writeBytes(outcome.setAside, disk);
  if (outcome.text !== undefined) workTree.writeBytes(path, outcome.text);
  return outcome.setAside;
}

interface HandMerge {
  /** What the file is to hold; `undefined` leaves it as the person wrote it. */
  readonly text: Uint8Array | undefined;
  /** Where what the person wrote is kept, when no rule merges it. */
  readonly setAside?: string;
}

async function mergeHandEdit(
  context: SyncContext,
  { path, seen }: Placement,
  disk: Uint8Array,
  incoming: Uint8Array,
): Promise<HandMerge> {
  const { git, workTree, role, localpart } = context;
  const base = seen === undefined ? undefined : (seen.content ?? (await git.read([seen.id]))[0]);
  const texts = [base === undefined ? '' : decode(base), decode(disk), decode(incoming)];
  const [baseText, diskText, incomingText] = texts;
  if (baseText !== undefined && diskText !== undefined && incomingText !== undefined) {
    const clean = await git.mergeText(baseText, diskText, incomingText);
    if (clean !== undefined) return { text: Buffer.from(clean, 'utf8') };
  }
  const leaderSide = role === 'worker' ? 'remote' : undefined;
  const outcome = resolveFile({ path, base, local: disk, remote: incoming, owner: undefined, leaderSide });
  if (outcome.kind === 'take') return { text: outcome.side === 'remote' ? incoming : undefined };
  if (outcome.kind === 'text') return { text: Buffer.from(outcome.text, 'utf8') };
  return {
    text: outcome.text === undefined ? incoming : Buffer.from(outcome.text, 'utf8'),
    setAside: setAsidePath(path, localpart, (name) => workTree.bytes(name) !== undefined),
  };
}
