/**
 * Git as the sync needs it: objects, refs, the index of the person's clone, and one remote. Every method throws
 * `FlowError('git-failed')` when git itself fails. None runs a hook, a filter, a merge driver or any command that
 * the repository's own configuration names (quality.md S3).
 */
export type ObjectId = string;

/** The modes that a git tree knows for what is not a directory. */
export const FILE_MODE = '100644';
export const SYMLINK_MODE = '120000';
export const GITLINK_MODE = '160000';

export interface Author {
  readonly name: string;
  readonly email: string;
}

export interface TreeFile {
  readonly mode: string;
  readonly id: ObjectId;
}

export interface TreeEntry extends TreeFile {
  readonly path: string;
}

/** A name that stands directly in a directory of a tree. */
export interface TreeName {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** One path that differs between two trees; a missing side is a file that is not there. */
export interface TreeChange {
  readonly path: string;
  readonly before: TreeFile | undefined;
  readonly after: TreeFile | undefined;
}

export type TreeEdit =
  | { readonly path: string; readonly kind: 'content'; readonly mode: string; readonly content: Uint8Array }
  | { readonly path: string; readonly kind: 'entry'; readonly mode: string; readonly id: ObjectId }
  | { readonly path: string; readonly kind: 'remove' };

/** An entry of the index; without an id, the path is to be taken out of it. */
export type IndexEntry =
  | (TreeEntry & { /** The work tree leaves it out (git's skip-worktree bit). */ readonly hidden?: boolean })
  | { readonly path: string; readonly id: undefined };

export interface CommitDraft {
  readonly parents: readonly ObjectId[];
  /** The tree that `edits` are applied to, by its object id; the first parent's when absent. */
  readonly tree?: ObjectId;
  readonly edits: readonly TreeEdit[];
  readonly message: string;
  readonly author: Author;
  /** Seconds since the epoch. */
  readonly at: number;
  /** Recorded before it returns as a commit that may reach the remote; see `Git.attempted`. */
  readonly attempt?: boolean;
}

/** A path that `git merge-tree` could not merge. `ours` and `theirs` are the two sides as they were given. */
export interface MergeConflict {
  readonly path: string;
  readonly base: TreeFile | undefined;
  readonly ours: TreeFile | undefined;
  readonly theirs: TreeFile | undefined;
  /** Set when a file met a directory of its name: where git put the file. */
  readonly displacedTo: string | undefined;
}

export interface MergedTree {
  readonly tree: ObjectId;
  readonly conflicts: readonly MergeConflict[];
}

export interface RefUpdate {
  readonly ref: string;
  /** `undefined` deletes the ref. */
  readonly next: ObjectId | undefined;
  /** What must stand there now; `null`: nothing may; absent: not checked. */
  readonly previous?: ObjectId | null;
}

/** What a clone is doing, as far as it decides whether Baton may write to it. */
export interface RepositoryFacts {
  /** `undefined` on a detached head. */
  readonly branch: string | undefined;
  /** A merge, rebase, … that a person has begun and not ended. */
  readonly operation: 'merge' | 'rebase' | 'cherry-pick' | 'revert' | 'bisect' | undefined;
  /** Refs below `refs/heads/`, `refs/remotes/` and `refs/baton/`. */
  readonly refs: ReadonlyMap<string, ObjectId>;
}

/** Why the remote did not do what it was asked. */
export type RemoteFailure =
  /** No answer: network, timeout, authentication service away. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** There is an answer, but no repository there. */
  | { readonly kind: 'missing'; readonly detail: string };

/** Branches of the remote, by full ref name (`refs/heads/main`). */
export type FetchOutcome = { readonly kind: 'ok'; readonly refs: ReadonlyMap<string, ObjectId> } | RemoteFailure;

export type PushOutcome =
  | { readonly kind: 'ok' }
  /** Another writer was faster; fetch, merge and try again. */
  | { readonly kind: 'behind'; readonly detail: string }
  /** The remote does not want this push: permissions, a protected branch, its own hooks, a full disk. */
  | { readonly kind: 'denied'; readonly detail: string }
  | RemoteFailure;

/** The branches of a remote, and what they hold, read where it lies. */
export interface RemoteGlance extends Pick<Git, 'diff' | 'read' | 'resolve' | 'mergeBases'> {
  readonly refs: ReadonlyMap<string, ObjectId>;
}

/** What commits bring, as `Git.brought` tells it. */
export interface BroughtContent {
  readonly files: readonly {
    readonly id: ObjectId;
    readonly path: string;
    /** What the parents of its commit hold there. */
    readonly before: readonly ObjectId[];
  }[];
  /** Author and message. */
  readonly words: readonly { readonly commit: ObjectId; readonly text: string }[];
}

export interface Git extends Disposable {
  readonly root: string;
  /** 40 or 64: tells SHA-1 from SHA-256 repositories. */
  readonly idLength: number;

  facts(): Promise<RepositoryFacts>;
  /** What every step must know of the clone: as `facts`, with the ids of these refs only, in order. */
  stand(
    refs: readonly string[],
  ): Promise<Pick<RepositoryFacts, 'branch' | 'operation'> & { readonly ids: readonly (ObjectId | undefined)[] }>;
  /** All or none; false when a ref no longer stood at `previous`. */
  updateRefs(updates: readonly RefUpdate[]): Promise<boolean>;
  /** Whether another git is at work on the files of the clone, or has just been. */
  isBusy(): boolean;
  /** Another answer than before tells that another git has changed the index or what is checked out. */
  standing(): string;
  /** Sets entries of the person's index and leaves all others as they are. False when another git holds its lock. */
  stage(entries: readonly IndexEntry[]): Promise<boolean>;
  /** From now on a person's own git has these folders in its sparse work tree too. */
  reveal(folders: readonly string[]): void;

  /** Contents by object name (an id, or `<commit>:<path>`), in order; `undefined` for what is not there. */
  readonly read: (names: readonly string[]) => Promise<readonly (Uint8Array | undefined)[]>;
  /** Sizes in bytes, in order; `undefined` for what is not there. */
  sizes(names: readonly string[]): Promise<readonly (number | undefined)[]>;
  /** Ids of objects by name, in order. */
  readonly resolve: (names: readonly string[]) => Promise<readonly (ObjectId | undefined)[]>;
  /** What stands directly in directories by object name, in order; nothing in what is not there, or is no directory. */
  readonly list: (directories: readonly string[]) => Promise<readonly (readonly TreeName[])[]>;
  /** Files of a commit or tree below a path, or several (files or directories); all without a path. */
  entries(tree: ObjectId, path?: string | readonly string[]): Promise<readonly TreeEntry[]>;
  /**
   * Throws `git-failed` when it takes more than `within` milliseconds, or when more than `most` paths differ: a few
   * objects can stand for millions of paths.
   */
  diff(
    before: ObjectId,
    after: ObjectId,
    limits?: { readonly within?: number; readonly most?: number },
  ): Promise<readonly TreeChange[]>;
  /** Writes blobs, trees and a commit; moves no ref of the clone. */
  commit(draft: CommitDraft): Promise<ObjectId>;
  /** Three-way merge of commits; `base` (a tree) replaces the merge base that git would choose. */
  merge(ours: ObjectId, theirs: ObjectId, base?: ObjectId): Promise<MergedTree>;
  /** Line-wise three-way merge; `undefined` when both sides changed the same lines. */
  mergeText(base: string, ours: string, theirs: string): Promise<string | undefined>;
  /** The best common ancestors, all of them. */
  mergeBases(left: ObjectId, right: ObjectId): Promise<readonly ObjectId[]>;
  isAncestor(ancestor: ObjectId, descendant: ObjectId): Promise<boolean>;
  /** One of the commits in `of` and not in `without` that is larger (by its message) than what anybody writes. */
  tooLarge(of: ObjectId, without: ObjectId): Promise<ObjectId | undefined>;
  /** How many commits are in any of `of` and in none of `without`. */
  count(
    of: readonly ObjectId[],
    without: readonly ObjectId[],
    options?: { readonly merges?: boolean },
  ): Promise<number>;
  /**
   * What the commits bring that are in `of` and in none of `without`: files as each of them leaves them, also if a later one removes them
   * again, and of a merge those that differ from all its parents; and what they say of themselves.
   */
  brought(of: ObjectId, without: readonly ObjectId[]): Promise<BroughtContent>;
  /** `name <email>` and subject of a commit, for messages. */
  describe(commit: ObjectId): Promise<{ readonly author: string; readonly subject: string }>;
  /** The last commit made with `attempt`: if the remote holds it, it is this clone's own work. */
  attempted(): Promise<ObjectId | undefined>;

  /**
   * Fetches these branches (`main`, `lanes/*`) and forgets those that are gone; a branch not there is no failure. With `notes: 'aside'`
   * what was fetched is there, and the refs that name it are moved beside what the caller does next: `updateRefs`, `push` and the next
   * fetch wait for them. A push moves those that could not be moved, and throws when they cannot still.
   */
  fetch(remote: string, branches: readonly string[], options?: { readonly notes?: 'aside' }): Promise<FetchOutcome>;
  /** Resolves when the refs show what was fetched, as far as they can be moved now. */
  noted(): Promise<void>;
  /**
   * Looks at branches of a remote without bringing anything of them here; ids of both repositories may be asked for.
   * `undefined` when they have to be fetched to be seen: a remote elsewhere, or one that only git can read.
   */
  glance(remote: string, branches: readonly string[]): Promise<RemoteGlance | undefined>;
  /** Moves one branch of the remote to `commit`, never by force. */
  push(remote: string, branch: string, commit: ObjectId): Promise<PushOutcome>;
  /** Lets the processes go that wait for the next question. What is asked afterwards is answered as before. */
  [Symbol.dispose](): void;
}

/** How a repository's store of objects stands. */
export interface StoreState {
  /** About how many objects lie in files of their own: most of the directories are not looked into. */
  readonly loose: number;
  readonly packs: number;
  /** When garbage was last collected; milliseconds since the epoch. */
  readonly collectedAt: number | undefined;
}

/** A repository that Baton keeps in order. Both steps lose nothing, and others may work meanwhile. */
export interface MaintainedRepository {
  readonly name: string;
  look(): StoreState;
  /** Packs loose objects, joins small packs, and writes what makes histories quick to walk. Throws `git-failed`. */
  pack(signal: AbortSignal): Promise<void>;
  /** Removes what nothing has reached for two weeks. Throws `git-failed`. */
  collect(signal: AbortSignal): Promise<void>;
  /** From now on counts the time until garbage is to be collected. */
  noteCollected(): void;
}
