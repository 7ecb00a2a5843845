import type { Git, MergeConflict, MergedTree, ObjectId, TreeChange, TreeEdit, TreeFile } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { steersGit } from '../protocol/names.ts';
import { resolveFile, setAsidePath } from './resolve.ts';
import type { Side } from './resolve.ts';

/** What the resolver must be told about the two sides of a merge. */
export interface MergePolicy {
  /** Whose file a path is, where a single side owns it. */
  readonly ownerOf: (path: string) => Side | undefined;
  readonly leaderSide: Side | undefined;
  /** Names the files in which local texts are set aside. */
  readonly agent: string;
}

/** A merge as a value: the tree that git made, and what is still to be put into it. */
export interface Merge {
  readonly tree: ObjectId;
  readonly edits: readonly TreeEdit[];
  readonly conflicts: readonly { readonly path: string; readonly setAside: string }[];
}

const REGULAR = /^100/;

/** Merges two commits: by git where it can, by the resolver where not. Throws `sync-failed` for unrelated histories. */
export async function mergeCommits(git: Git, local: ObjectId, remote: ObjectId, policy: MergePolicy): Promise<Merge> {
  const base = await commonBase(git, local, remote);
  if (base === undefined) {
    throw new FlowError('sync-failed', 'the two branches share no history, so they cannot be merged', {
      retryable: false,
      remedy: 'make a new clone of the team repository with `baton init DIR --remote …` and copy what you need into it',
    });
  }
  return mergeOn(git, base, local, remote, policy);
}

/**
 * Merges two commits as if `base` were their only common ancestor. Where the two have touched nothing in common, the
 * merge is the one with the other's changes, and git need not be asked.
 */
export async function mergeOn(
  git: Git,
  base: CommonBase,
  local: ObjectId,
  remote: ObjectId,
  policy: MergePolicy,
): Promise<Merge> {
  const [ours, theirs] = [await git.diff(base.commit, local), await git.diff(base.commit, remote)];
  if (areApart(ours, theirs)) {
    const [onto, changes] = ours.length < theirs.length ? [remote, ours] : [local, theirs];
    const [tree = onto] = await git.resolve([`${onto}:`]);
    return { tree, edits: changes.map(({ path, after }) => editOf(path, after)), conflicts: [] };
  }
  const merged = await git.merge(local, remote, base.made ? base.commit : undefined);
  const { tree } = merged;
  const { edits, conflicts } = await whereItStands(git, local, merged, ours, theirs);
  const aside: { path: string; setAside: string }[] = [];
  for (const conflict of conflicts) {
    const { kept, setAside } = await resolveConflict(git, conflict, policy, tree);
    edits.push(...kept);
    if (setAside !== undefined) aside.push({ path: conflict.path, setAside });
  }
  return { tree, edits, conflicts: aside };
}

/**
 * What is to be done to git's merge so that an edit ends at no other path than its own: git 2.39 follows a file that the other side
 * has moved, whatever `merge.renames` says, and a Worker's edit must not end in a file of the Leader's.
 */
async function whereItStands(
  git: Git,
  local: ObjectId,
  { tree, conflicts }: MergedTree,
  ours: readonly TreeChange[],
  theirs: readonly TreeChange[],
): Promise<{ readonly edits: TreeEdit[]; readonly conflicts: readonly MergeConflict[] }> {
  const [left, right] = [ours, theirs].map((changes) => new Map(changes.map((change) => [change.path, change])));
  // A file that met a directory, and a name that is no text, are where git has put them.
  const asGitHasIt = conflicts.filter(({ path, displacedTo }) => displacedTo !== undefined || !isPlain(path));
  const gits = new Set(asGitHasIt.map(({ path }) => path));
  const isOurs = ({ path }: TreeChange): boolean => isPlain(path) && !gits.has(path);
  const merged = new Map((await git.diff(local, tree)).map((change) => [change.path, change]));
  const known = new Set(conflicts.map(({ path }) => path));
  const moved = [
    ...ours.filter(({ path }) => !right?.has(path) && merged.has(path)),
    ...theirs.filter(({ path, before, after }) => {
      const now = merged.get(path);
      return !left?.has(path) && (now === undefined ? before : now.after)?.id !== after?.id;
    }),
  ].filter(isOurs);
  const both = ours.filter(isOurs).flatMap(({ path, before, after }): readonly MergeConflict[] => {
    const other = right?.get(path);
    const isRemoved = (after === undefined) !== (other?.after === undefined);
    if (other === undefined || !(known.has(path) || isRemoved)) return [];
    return [{ path, base: before, ours: after, theirs: other.after, displacedTo: undefined }];
  });
  return { edits: moved.map(({ path, after }) => editOf(path, after)), conflicts: [...asGitHasIt, ...both] };
}

/** Names that are no text, or that git gives a meaning, are left to git. */
const isPlain = (path: string): boolean => !path.includes('\u{FFFD}') && !path.split('/').some(steersGit);

/** Whether no path of one side is touched by the other, or would have to be a file and a directory at once. */
function areApart(ours: readonly TreeChange[], theirs: readonly TreeChange[]): boolean {
  const touched = new Set(theirs.map(({ path }) => path));
  if (ours.some(({ path }) => touched.has(path))) return false;
  if ([...ours, ...theirs].some(({ path }) => !isPlain(path))) return false;
  return !hasFileAbove(ours, theirs) && !hasFileAbove(theirs, ours);
}

function hasFileAbove(changes: readonly TreeChange[], others: readonly TreeChange[]): boolean {
  const files = new Set(others.filter(({ after }) => after !== undefined).map(({ path }) => path));
  return changes.some(({ path, after }) => {
    if (after === undefined) return false;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (files.has(path.slice(0, end))) return true;
    }
    return false;
  });
}

/** A common ancestor; `made` when it stands for several and is no commit of the history. */
export interface CommonBase {
  readonly commit: ObjectId;
  readonly made: boolean;
}

const NEUTRAL: MergePolicy = { ownerOf: () => undefined, leaderSide: undefined, agent: 'base' };

/**
 * The common ancestor of two commits. Lanes and main merge each other all the time, so there are often two best
 * ancestors (a lane's commit in main, and a main's commit in the lane): their merge then is the base. `known`: the best ones, where
 * they were asked for before.
 */
export async function commonBase(
  git: Git,
  left: ObjectId,
  right: ObjectId,
  known?: readonly ObjectId[],
): Promise<CommonBase | undefined> {
  const [first, ...others] = known ?? (await git.mergeBases(left, right));
  if (first === undefined) return undefined;
  let base: CommonBase = { commit: first, made: false };
  for (const other of others) {
    const below = await commonBase(git, base.commit, other);
    if (below === undefined) continue;
    const { tree, edits, conflicts } = await mergeOn(git, below, base.commit, other, NEUTRAL);
    // A text set aside here is in neither side: git would take one that says the same there for this one, moved.
    const aside = new Set(conflicts.map(({ setAside }) => setAside));
    const parents = [base.commit, other];
    const message = 'merge of common ancestors\n';
    const commit = await git.commit({
      parents,
      tree,
      edits: edits.filter(({ path }) => !aside.has(path)),
      message,
      author: { name: 'baton', email: 'baton' },
      at: 0,
    });
    base = { commit, made: true };
  }
  return base;
}

interface Resolved {
  readonly kept: readonly TreeEdit[];
  readonly setAside: string | undefined;
}

async function resolveConflict(
  git: Git,
  conflict: MergeConflict,
  policy: MergePolicy,
  tree: ObjectId,
): Promise<Resolved> {
  const { path, ours: local, theirs: remote } = conflict;
  if (conflict.displacedTo !== undefined) return keepDirectory(git, conflict, conflict.displacedTo, policy, tree);
  const sides = [conflict.base, local, remote];
  if (sides.some((file) => file !== undefined && !REGULAR.test(file.mode))) {
    return { kept: [editOf(path, remote)], setAside: undefined };
  }
  const [base, ours, theirs] = await git.read(sides.map((file) => file?.id ?? '-'));
  const outcome = resolveFile({
    path,
    base,
    local: ours,
    remote: theirs,
    owner: policy.ownerOf(path),
    leaderSide: policy.leaderSide,
  });
  if (outcome.kind === 'take') {
    return { kept: [editOf(path, outcome.side === 'local' ? local : remote)], setAside: undefined };
  }
  if (outcome.kind === 'text') return { kept: [content(path, remote ?? local, outcome.text)], setAside: undefined };
  const kept = outcome.text === undefined ? editOf(path, remote) : content(path, remote, outcome.text);
  if (local === undefined) return { kept: [kept], setAside: undefined };
  const setAside = await freeName(git, tree, path, policy.agent, local.id);
  return { kept: [kept, editOf(setAside, local)], setAside };
}

/** A file met a directory of its name: the directory stays, the file is set aside. */
async function keepDirectory(
  git: Git,
  { path, ours, theirs }: MergeConflict,
  displacedTo: string,
  policy: MergePolicy,
  tree: ObjectId,
): Promise<Resolved> {
  const file = theirs ?? ours;
  const removed: TreeEdit = { path: displacedTo, kind: 'remove' };
  if (file === undefined) return { kept: [removed], setAside: undefined };
  const setAside = await freeName(git, tree, path, policy.agent, file.id);
  return { kept: [removed, editOf(setAside, file)], setAside };
}

/** A name beside `path` that is free in the tree, or already holds the same. */
async function freeName(git: Git, tree: ObjectId, path: string, agent: string, id: ObjectId): Promise<string> {
  const taken = new Set<string>();
  for (;;) {
    const candidate = setAsidePath(path, agent, (name) => taken.has(name));
    const [found] = await git.resolve([`${tree}:${candidate}`]);
    if (found === undefined || found === id) return candidate;
    taken.add(candidate);
  }
}

/** The edit that makes a path what a file of another tree is; without one the path goes. */
export function editOf(path: string, file: TreeFile | undefined): TreeEdit {
  return file === undefined ? { path, kind: 'remove' } : { path, kind: 'entry', ...file };
}

function content(path: string, file: TreeFile | undefined, text: string): TreeEdit {
  return { path, kind: 'content', mode: file?.mode ?? '100644', content: Buffer.from(text, 'utf8') };
}
