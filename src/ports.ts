import type { Change, Durability } from './protocol/changes.ts';
import type { Diagnostic } from './protocol/diagnostic.ts';
import type { Actor, EventRecord } from './protocol/records/types.ts';
import type { WorkspaceView } from './protocol/view.ts';
import type { SkippedFile, WorkFacts } from './protocol/work/facts.ts';

/** Time and chance, so that rules get them as arguments and tests can hold them still. */
export interface Clock {
  /** UTC, second precision, `Z` (protocol.md §1.2). */
  now(): string;
  /** Milliseconds since the epoch, for ages and back-off only; never for ordering facts. */
  millis(): number;
  /** Milliseconds since some moment, by a clock that only goes forward: for waiting, whatever is done to the time of day. */
  elapsed(): number;
  /** A fresh identifier that sorts by time (ULID form, 26 characters). */
  id(): string;
  /** Local wall time as `YYYYMMDD-HHMMSS`, for generated project ids (protocol.md §1.1). */
  localStamp(): string;
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Log {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

// ---------------------------------------------------------------- the work tree

/**
 * Files that were found to hold what is committed: `seen` says what that is and how the file looked then. Whoever meets one that
 * still looks like that need not read it.
 */
export interface SameFiles {
  has(path: string, seen: string): boolean;
  note(path: string, seen: string): void;
  forget(path: string): void;
  /** Takes in what an earlier process kept; to be called before a look at very many files. */
  recall(): void;
  /** Keeps it for the next process, where that is worth it, without what lies at other paths than these. */
  keep(paths: { has(path: string): boolean }): void;
}

/** The files of one workspace, as the sync and `execute` see them. Implemented by `workspace/`. */
export interface WorkTree {
  readonly root: string;
  /** The current view. Cheap; refreshes what is known to have changed since the last call. */
  view(): WorkspaceView;
  /** The tree as it will be once what was added is applied; used to decide the operations of one group in turn. */
  draft(): TreeDraft;
  /** Forgets what was read of these paths; without paths, everything is checked again on next use. */
  invalidate(paths?: readonly string[]): void;
  /** Files below a path (a file, or a directory ending in `/`), workspace-relative, sorted. Symlinks are reported as problems. */
  files(path: string): { readonly paths: readonly string[]; readonly problems: readonly Diagnostic[] };
  /** The bytes of a file on disk; `undefined` when absent. Refuses symlinks and anything outside the root. */
  bytes(path: string): Uint8Array | undefined;
  /**
   * What a plain file looks like from outside: the same text later means that nobody has written to it since. `undefined` where that
   * cannot be told: it was changed a moment ago, or is no plain file.
   */
  stamp(path: string): string | undefined;
  /** As `bytes`, from one byte of the file on, with the size of the whole; nothing but these bytes is read. */
  tail(path: string, from: number): { readonly size: number; readonly bytes: Uint8Array } | undefined;
  /** Atomic: temp file in the same directory, rename. Creates directories. Durable only after `makeDurable`. */
  writeBytes(path: string, bytes: Uint8Array): void;
  /** Removes a file and the directories that it leaves empty. Durable only after `makeDurable`. */
  removeFile(path: string): void;
  /** A machine that loses power from now on still has these paths as they were written, or removed. */
  makeDurable(paths: readonly string[]): Promise<void>;
}

/** A tree that is being decided on: nothing of it is on disk. */
export interface TreeDraft {
  view(): WorkspaceView;
  add(changes: readonly Change[]): void;
  /** The bytes of a file on disk, as the views of this draft saw them: whoever changed it since is noticed by that. */
  seen(path: string): Uint8Array | undefined;
}

// ---------------------------------------------------------------- the index

/** What `rebuild-index` found (S002-31). */
export interface IndexReport {
  /** Folders of projects and tasks. */
  readonly found: number;
  readonly rebuilt: number;
  readonly skipped: readonly SkippedFile[];
}

/** What all live work says, without opening what did not change. Derived: it may be deleted or damaged at any time. */
export interface WorkIndex {
  /** As the files are now. */
  facts(): WorkFacts;
  /** Writes down what is not written yet; after a change, looks for it first where that costs next to nothing. */
  save(options?: { readonly changed: boolean }): void;
  /** Makes it anew from every file. */
  rebuild(): IndexReport;
}

// ---------------------------------------------------------------- heartbeats

/** Of one task: its fingerprint, how often in a row it was found so, and its progress then and since the one before. */
interface HeartbeatSight {
  readonly context: string;
  readonly count: number;
  readonly progress?: number;
  readonly gained?: number;
}

/** What heartbeats see of work in progress, by task id. Derived: what is lost is counted anew. */
export interface Heartbeats {
  /** Counts one, unless the team wants none: for each task in progress, how often in a row it was found as it is now. */
  beat(): ReadonlyMap<string, HeartbeatSight>;
  /** The same without counting. A task that has changed since the last one has a count of 0. */
  seen(): ReadonlyMap<string, HeartbeatSight>;
  /** When the last one was counted; milliseconds since the epoch. */
  lastAt(): number | undefined;
}

// ---------------------------------------------------------------- git and sync

/** An event, and where its line lies. */
export interface Recorded {
  readonly event: EventRecord;
  /** The commit that brought it; `undefined` where there is none, or where a log that was edited by hand hides it. */
  readonly commit: string | undefined;
  readonly durability: Durability;
}

/** What the event logs and git know of a project or task. */
export interface Histories {
  /** The newest `most` events about it, oldest first, and whether there are older ones. */
  of(id: string, most: number): Promise<{ readonly events: readonly Recorded[]; readonly more: boolean }>;
}

/**
 * How much of main a Worker's node takes in: all of it, or as little as its own tasks, projects and the team ask for, so
 * that what others do to their tasks may wait for the next pull; with `when-calm` it waits only while main keeps moving. A
 * Leader's node always takes in everything.
 */
export type Reach = 'all' | 'own-work' | 'when-calm';

/** One step that wants to change the tree. `decide` may be called again on a fresher view; it must be repeatable. */
export interface Transaction<Output> {
  readonly actor: Actor;
  /** `taskflow(delegate_task)`; becomes the subject of the commit. */
  readonly label: string;
  readonly subject: { readonly project?: string; readonly task?: string };
  /**
   * `refuse`: an unreachable remote refuses the step before anything is written. `persist`: it is committed to the
   * lane and pushed when the remote returns (protocol.md §11.1, submit_task).
   */
  readonly whenOffline: 'refuse' | 'persist';
  /**
   * When the caller is answered: once the change is on the remote (absent), or once it is committed here, because
   * nobody elsewhere acts on it. Its push follows at once, or when the next push may be.
   */
  readonly answers?: 'committed';
  /** What it looks at; absent: anything. */
  readonly restsOn?: Reach;
  /** Once for all that is decided with it, before the commit is made: what the commit will owe is on disk then. */
  beforeCommit?(): void;
  /** Throws `FlowError` to refuse. No changes means nothing is committed. */
  decide(view: WorkspaceView): { readonly changes: readonly Change[]; readonly output: Output };
}

export interface Committed<Output> {
  readonly output: Output;
  /** The commit that holds the change; `undefined` when the step changed nothing. */
  readonly commit: string | undefined;
  readonly durability: Durability;
  /** True when the change is on the remote, or there is no remote. */
  readonly synced: boolean;
  /** Milliseconds for which it was held back because pushes lie apart (`git.minPushInterval`); absent when it was not. */
  readonly heldBackMs?: number;
}

/** A part of a lane that integration did not take (architecture.md, "Lanes"). */
export interface LaneRefusal {
  readonly lane: string;
  readonly localpart: string;
  /** The lane's commit that carried it. */
  readonly commit: string;
  readonly path: string;
  /** `not-owner`, `forbidden-field`, `illegal-transition`, `symlink`, `gitlink`, `reserved-name`, `case-twin`, `oversize`, `secret`, `broken-file`, `archived`; `late-result` for one that is kept aside. */
  readonly reason: string;
  readonly detail: string;
}

export interface PullReport {
  /** False when there is no remote. */
  readonly remote: boolean;
  /** Workspace-relative paths that changed in the work tree. */
  readonly changed: readonly string[];
  readonly refusals: readonly LaneRefusal[];
  /** Local text that no rule could merge; set aside beside the file. */
  readonly conflicts: readonly { readonly path: string; readonly setAside: string }[];
}

export interface SyncStatus {
  readonly mode: 'solo' | 'team';
  readonly branch: string;
  readonly head: string;
  readonly remote: string | undefined;
  /** Commits of the own branch that the remote lacks, but for a lane's merges of main, and the other way round; 0 without a remote. */
  readonly ahead: number;
  readonly behind: number;
  readonly online: boolean;
  readonly lastPullAt: string | undefined;
  readonly lastPushAt: string | undefined;
  readonly conflicts: readonly string[];
  /** Per lane: commits not yet integrated (Leader) — empty on a Worker's node. */
  readonly lanes: readonly { readonly name: string; readonly pending: number }[];
  /** The last failure to reach the remote, in words. */
  readonly problem: string | undefined;
  /** What mends it, where that is known. */
  readonly remedy?: string | undefined;
  /** Absent where pushes are not held back. */
  readonly quota?: {
    /** Milliseconds that lie at least between the starts of two pushes. */
    readonly minPushInterval: number;
    /** When the next push may start; absent when it may now. */
    readonly nextPushAt?: string;
    /** Callers who wait for that push. */
    readonly waiting: number;
  };
}

/** A file that was changed by hand and may not be committed. */
export interface UnfitFile {
  readonly path: string;
  /** Where in it, when a place is to blame; from 1. */
  readonly line?: number;
  /** `holds a secret in line 3 (GitHub token)`. */
  readonly why: string;
  readonly remedy: string;
  /** It could be committed, by whose it is. */
  readonly foreign?: true;
}

export interface Sync {
  /** Fetch once, then merge main into the lane (Worker) or integrate the lanes (Leader). Throws `sync-failed`. */
  pull(reach?: Reach): Promise<PullReport>;
  /** Decide, commit and publish; concurrent calls share a commit and a push. */
  transact<Output>(transaction: Transaction<Output>): Promise<Committed<Output>>;
  /** Commits what people changed by hand under these paths, as far as the node's actor owns it and it is fit for that. */
  adopt(paths: readonly string[]): Promise<{
    readonly adopted: readonly string[];
    readonly foreign: readonly string[];
    /** What may not be committed as it stands; absent when there is none. */
    readonly unfit?: readonly UnfitFile[];
  }>;
  /** What was changed by hand and is not committed as it stands, or by whom. Walks the tree and commits nothing. */
  unfit(): Promise<readonly UnfitFile[]>;
  /** Paths under `shared/` that differ from the last commit. Walks the tree: not for the hot path. */
  dirty(): Promise<readonly string[]>;
  /** Pushes what is committed but not on the remote; while pushes are held back it only sees to it that this happens. */
  push(): Promise<void>;
  /** From now on nothing is held back any more: the node is about to stop. */
  hurry(): void;
  status(): Promise<SyncStatus>;
  /** Fingerprints of secrets that the team allows, as this node may know of them. */
  allowedSecrets(): Promise<readonly string[]>;
  /** Milliseconds since the last turn (a pull, or a group of steps) ended; 0 while one is under way. */
  quietFor(): number;
  /** Callers of `transact` who wait for their answer. */
  callers(): number;
  /** Whether a ref of the remote (`refs/heads/main`) was last seen naming this commit. */
  isKnown(ref: string, commit: string): boolean;
  /** Who has a lane on the remote, as it was last seen by this node; `undefined` where that cannot be told: in solo mode, and on a Worker's node. */
  lanes(): readonly string[] | undefined;
  /** Whether `path` is on the remote (solo: committed). */
  published(path: string): Promise<boolean>;
  /** Called after every pull or publish that brought something new, and after a push for which no caller waited. */
  onChange(listener: (report: PullReport) => void): () => void;
  /**
   * Resolves once the clone's index shows what was brought into the work tree so far. A step is answered before that where its
   * commit is on the remote; whoever goes on with plain git waits for this.
   */
  indexed(): Promise<void>;
  /** Resolves once the index is told and the files are durable, and no turn is under way. */
  idle(): Promise<void>;
  close(): Promise<void>;
}
