import type { Reach } from '../ports.ts';
import type { RemoteFailure } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';
import { advance, placementsBetween } from './checkout.ts';
import { NOTHING, joined, readPosition, wantedBranches } from './context.ts';
import type { Brought, Position, SyncContext } from './context.ts';
import { finishLater, isGoingOn, repair } from './finish.ts';
import { takeIn } from './lanes.ts';
import { keptFromOldIndex } from './old-index.ts';
import { canWorkOn } from './own-work.ts';

/** So often a step is decided anew because other writers were faster. */
export const MOST_ATTEMPTS = 8;

/**
 * Begins a turn: where the clone stands, after anything was made good that a crash left half done, or that was committed by hand
 * with an index from before a step.
 */
export async function begin(context: SyncContext): Promise<{ readonly position: Position; readonly brought: Brought }> {
  /** What the disk did not show yet; to make that good forgets it. */
  const unplaced = new Set<string>();
  try {
    return await beginKeeping(context, unplaced);
  } catch (error) {
    context.state.unplaced = new Set([...unplaced, ...context.state.unplaced]);
    throw error;
  }
}

async function beginKeeping(
  context: SyncContext,
  unplaced: Set<string>,
): Promise<{ readonly position: Position; readonly brought: Brought }> {
  let brought = NOTHING;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    for (const path of context.state.unplaced) unplaced.add(path);
    const begun = await beginAsItStands(context);
    const { position } = begun;
    brought = joined(brought, begun.brought);
    const kept = await keptFromOldIndex(context, position.head, unplaced);
    if (kept === undefined) return { position, brought };
    const placements = (await placementsBetween(context, position.head, kept)).map((placement) => ({
      ...placement,
      adopted: !unplaced.has(placement.path),
    }));
    const placed = await advance(context, position, kept, { placements });
    if (placed === undefined) continue;
    finishLater(context, placed);
    brought = joined(brought, placed);
  }
  throw busy(context);
}

async function beginAsItStands(
  context: SyncContext,
): Promise<{ readonly position: Position; readonly brought: Brought }> {
  const position = await readPosition(context);
  if (isGoingOn(context, position)) return { position, brought: NOTHING };
  const brought = await repair(context, position);
  return { position: position.unfinished === undefined ? position : await readPosition(context), brought };
}

/** Fetches main and lanes; `options` as `Git.fetch` takes them. Throws `sync-failed` when the remote does not answer. */
export async function fetchAll(
  context: SyncContext,
  remote: string,
  options?: { readonly notes?: 'aside' },
): Promise<void> {
  const { git, state } = context;
  const outcome = await git.fetch(remote, wantedBranches(context), options);
  if (outcome.kind !== 'ok') throw away(context, outcome);
  state.tracked = outcome.refs;
  answered(context);
}

/** The remote was there, and what was wanted of it is here. */
function answered({ state, clock }: SyncContext): void {
  state.online = true;
  state.problem = undefined;
  state.lastPullAt = clock.now();
}

function away({ state, log, secrets }: SyncContext, failure: RemoteFailure): FlowError {
  // A remote says what it likes, and what it says is kept as the state of the sync.
  const detail = redactSecrets(failure.detail, secrets?.known());
  const missing = failure.kind === 'missing';
  const problem = missing ? `the git remote is not there: ${detail}` : `the git remote does not answer: ${detail}`;
  if (state.problem !== problem) log.warn({ detail }, problem);
  state.online = false;
  state.problem = problem;
  return new FlowError(
    'sync-failed',
    `cannot pull authoritative project state from shared storage; retry (${problem})`,
    {
      retryable: true,
      remedy: missing
        ? 'nothing was changed: check git.remote in baton.json: the repository must exist, and you must be allowed to read it'
        : 'nothing was changed: retry when the remote can be reached again; `baton sync status` tells',
    },
  );
}

/**
 * Fetches, and brings the clone to all that was on the remote, or to what `reach` asks for. Tries again when a person commits
 * at the same moment. Throws `sync-failed`.
 */
export async function pullOnce(
  context: SyncContext,
  remote: string,
  reach: Reach = 'all',
): Promise<{ readonly position: Position; readonly brought: Brought }> {
  let { position, brought } = await begin(context);
  if (await canWorkOn(context, { remote, head: position.head, reach })) {
    answered(context);
    return { position, brought };
  }
  await fetchAll(context, remote, { notes: 'aside' });
  if (reach !== 'own-work') context.state.left = undefined;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const { head, refusals, conflicts } = await takeIn(context, position.head, reach);
    if (head === position.head) return { position, brought: joined(brought, { ...NOTHING, refusals, conflicts }) };
    const placed = await advance(context, position, head);
    if (placed !== undefined) {
      brought = joined(brought, joined(placed, { ...NOTHING, refusals, conflicts }));
      finishLater(context, placed);
      // Whoever moves the branch from here on is noticed by the next move, which names the commit it leaves.
      return { position: { head, unfinished: position.unfinished ?? position.head }, brought };
    }
    const again = await begin(context);
    position = again.position;
    brought = joined(brought, again.brought);
  }
  throw busy(context);
}

export function busy({ ownBranch }: SyncContext): FlowError {
  return new FlowError('sync-failed', `${ownBranch} was moved by somebody else again and again; retry`, {
    retryable: true,
    remedy: 'retry; if it goes on, look who commits to this branch',
  });
}
