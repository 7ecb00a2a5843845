import { createHash } from 'node:crypto';
import type { Clock, LaneRefusal, Log, PullReport, SameFiles, WorkTree } from '../ports.ts';
import type { Author, Git, IndexEntry, ObjectId } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Actor } from '../protocol/records/types.ts';
import type { Secrets } from '../protocol/secrets/known.ts';
import type { Quota, QuotaSettings } from './quota.ts';

export interface SyncOptions {
  readonly git: Git;
  readonly workTree: WorkTree;
  readonly clock: Clock;
  readonly log: Log;
  readonly role: 'leader' | 'worker';
  /** Whose node this is. */
  readonly localpart: string;
  /** Whose event file the node appends to; usually the localpart. */
  readonly writer: string;
  /** The published branch. */
  readonly branch: string;
  readonly lanePrefix: string;
  /** Address or path of the remote; `undefined` in solo mode. */
  readonly remote: string | undefined;
  readonly author: Author;
  /** What this process knows to be secret, beside what has the form of it; absent: nothing. */
  readonly secrets?: Secrets;
  /** Whether the clone leaves others' tasks out of its work tree. */
  readonly sparse?: boolean;
  /** Files that were found to be as committed. */
  readonly same: SameFiles;
  /** How far apart pushes lie; absent: they are not held back. */
  readonly minPush?: QuotaSettings;
  /** What to do at the end with what is not pushed: push it (absent), or leave it to the next process if it is not due. */
  readonly lastPush?: 'when-due';
  /** Called after every push that arrived, with the full name of the ref and what it names now. */
  readonly onPushed?: (ref: string, commit: ObjectId) => void;
}

/** What one sync knows and shares between its parts. Only the holder of the turn changes it. */
export interface SyncContext extends SyncOptions {
  readonly actor: Actor;
  /** The branch that this clone works on: main, or the Worker's lane. */
  readonly ownBranch: string;
  readonly quota: Quota;
  readonly state: SyncState;
}

interface SyncState {
  /** Branches of the remote as last seen, by full ref name. */
  tracked: ReadonlyMap<string, ObjectId>;
  online: boolean;
  problem: string | undefined;
  /** Why the last push was not even tried; stays until one may go. */
  heldBack: FlowError | undefined;
  lastPullAt: string | undefined;
  lastPushAt: string | undefined;
  /** Texts set aside beside the work tree's own files, not in any commit. */
  readonly setAside: Set<string>;
  /** What was last brought to a path, to tell an edit from the echo of the own writing. */
  readonly placed: Map<string, ObjectId | undefined>;
  /** Files that could not be brought to the branch's content: what stands there is older, and nobody's edit. */
  unplaced: ReadonlySet<string>;
  /** Where the branch stood when this node first moved it, and as the node knows it; see `old-index.ts`. */
  moved: { readonly from: ObjectId; readonly to: ObjectId } | undefined;
  /** What checkouts still owe, which nobody waits for; see `finish.ts`. */
  readonly owed: OwedCheckouts;
  /** Main as the last look `when-calm` left it, and since when such looks have left news; milliseconds of `Clock.elapsed`. */
  left: { readonly main: ObjectId; readonly since: number } | undefined;
  /** A head of the own lane, and a main that was found to have no news for it. */
  noNews: { readonly lane: ObjectId; readonly main: ObjectId } | undefined;
  /** What main of the remote allows of secrets, as of one of its commits; see `secret-check.ts`. */
  allowed: { readonly main: ObjectId; readonly fingerprints: readonly string[] } | undefined;
  /** Whose records main held when a lane was judged on it last. */
  agents: { readonly main: ObjectId; readonly known: ReadonlyMap<string, readonly string[]> } | undefined;
  /** Commits that bring no secret to the remote; see `vetting.ts`. */
  readonly vetted: Set<ObjectId>;
  /** Files that were changed by hand and may not be committed, as last seen. */
  readonly unfit: Set<string>;
  /** Tips of lanes that main is known to hold; main only moves forward. */
  readonly integrated: Map<string, ObjectId>;
  /** Tips of lanes that could not be integrated at all, so that each is reported once. */
  readonly troubledLanes: Map<string, ObjectId>;
}

/** The part of checkouts that goes on behind the steps. */
export interface OwedCheckouts {
  /** Checkouts begun and finished; while they differ, the note of an unfinished checkout stays. */
  begun: number;
  finished: number;
  /** One could not be finished: the next turn has to find out what is left to do. */
  broken: boolean;
  waiting: Placed[];
  running: Promise<void> | undefined;
  /** Ends the time for which checkouts gather before the index is told. */
  gathering: AbortController;
  /** Ends the calm in which files are made durable. */
  resting: AbortController;
  /** Who waits for all of it to be done. */
  callers: number;
  /** Who waits until the index is told. */
  readers: number;
  isTelling: boolean;
  /** How often the index was told. */
  tellings: number;
  /** Resolves when the index was told once more. */
  told: PromiseWithResolvers<void>;
}

export function nothingOwed(): OwedCheckouts {
  return {
    begun: 0,
    finished: 0,
    broken: false,
    waiting: [],
    running: undefined,
    gathering: new AbortController(),
    resting: new AbortController(),
    callers: 0,
    readers: 0,
    isTelling: false,
    tellings: 0,
    told: Promise.withResolvers(),
  };
}

export interface Placed extends Brought {
  /** Paths that may be on their way to the disk still. */
  readonly written: readonly string[];
  /** Where something older still stands: the disk is full, or something that is no plain file is in the way. */
  readonly failed: readonly string[];
  /** What the index is to be told. */
  readonly entries: readonly IndexEntry[];
  /** Whether the note of an unfinished checkout is about these files, and goes with them. */
  readonly journal: boolean;
}

/** What a step brought into the work tree; steps of one turn are added up. */
export interface Brought {
  readonly changed: readonly string[];
  readonly refusals: readonly LaneRefusal[];
  readonly conflicts: PullReport['conflicts'];
}

/** A commit that holds all that was on the remote, and what was told on the way. */
export type Taken = { readonly head: ObjectId } & Pick<Brought, 'refusals' | 'conflicts'>;

/** One path to be brought to what a commit holds. */
export interface Placement {
  readonly path: string;
  /** What the commit holds; `undefined` when it holds nothing there. */
  readonly next: { readonly mode: string; readonly id: ObjectId; readonly content?: Uint8Array } | undefined;
  /** The content from which `next` was derived: this, and only this, may be overwritten without a thought. */
  readonly seen: { readonly id: ObjectId; readonly content?: Uint8Array } | undefined;
  /** The work tree already shows it, or something newer: only the index is told. */
  readonly adopted?: boolean;
  /** The clone leaves it out: only the index is told. */
  readonly hidden?: boolean;
}

export const NOTHING: Brought = { changed: [], refusals: [], conflicts: [] };

export function joined(first: Brought, second: Brought): Brought {
  return {
    changed: [...new Set([...first.changed, ...second.changed])],
    refusals: [...first.refusals, ...second.refusals],
    conflicts: [...first.conflicts, ...second.conflicts],
  };
}

export const branchRef = (branch: string): string => `refs/heads/${branch}`;

/** The lanes of a map of refs, by full name, in the order of their names. */
export function lanesIn(
  refs: ReadonlyMap<string, ObjectId>,
  lanePrefix: string,
): readonly (readonly [string, ObjectId])[] {
  const lanes = [...refs].filter(([ref]) => ref.startsWith(branchRef(lanePrefix)));
  return lanes.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Set while the work tree is being brought from that commit to the branch's; see `checkout.ts`. */
export const CHECKOUT_REF = 'refs/baton/checkout';

/** Seconds since the epoch, for the dates of commits. */
export const seconds = (clock: Clock): number => Math.floor(clock.millis() / 1000);

/** The id that git gives these bytes as a blob. */
export function blobId(git: Git, bytes: Uint8Array): ObjectId {
  const hash = createHash(git.idLength === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** Where the clone stands. */
export interface Position {
  readonly head: ObjectId;
  /** The commit that the work tree may still partly show. */
  readonly unfinished: ObjectId | undefined;
}

/** Reads where the clone stands. Throws `bad-workspace` when a person is in the middle of something, or elsewhere. */
export async function readPosition({ git, ownBranch }: SyncContext): Promise<Position> {
  const { branch, operation, ids } = await git.stand([branchRef(ownBranch), CHECKOUT_REF]);
  const [head, unfinished] = ids;
  if (operation !== undefined) {
    throw new FlowError('bad-workspace', `a ${operation} is in progress in this workspace`, {
      remedy:
        operation === 'bisect'
          ? 'end it with `git bisect reset`'
          : `finish it, or drop it with \`git ${operation} --abort\``,
    });
  }
  if (branch !== ownBranch) {
    const where = branch === undefined ? 'on no branch (detached head)' : `on branch ${branch}`;
    throw new FlowError('bad-workspace', `the workspace is ${where}, but this node works on ${ownBranch}`, {
      remedy: head === undefined ? `git switch -c ${ownBranch}` : `git switch ${ownBranch}`,
    });
  }
  if (head === undefined) {
    throw new FlowError('bad-workspace', `branch ${ownBranch} has no commit yet`, { remedy: 'run `baton init` here' });
  }
  return { head, unfinished };
}

/** Branches that this node fetches: nothing but main and lanes (architecture.md, "Lanes"). */
export function wantedBranches({ role, branch, ownBranch, lanePrefix }: SyncContext): readonly string[] {
  return role === 'worker' ? [branch, ownBranch] : [branch, `${lanePrefix}*`];
}
