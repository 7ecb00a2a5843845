import type { ObjectId, PushOutcome, RemoteFailure } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';
import { advance, finishLater, finishing, placeFiles, repair } from './checkout.ts';
import { draftGroup, refuseAll, settle } from './committer.ts';
import type { Draft, Pending } from './committer.ts';
import { NOTHING, branchRef, joined, readPosition } from './context.ts';
import type { Brought, Placed, Position, SyncContext } from './context.ts';
import { takeIn, wantedBranches } from './lanes.ts';

/** So often a step is decided anew because other writers were faster. */
export const MOST_ATTEMPTS = 8;

/** Begins a turn: where the clone stands, after anything that a crash left half done was made good. */
export async function begin(context: SyncContext): Promise<{ readonly position: Position; readonly brought: Brought }> {
  const position = await readPosition(context);
  const brought = await repair(context, position);
  return { position: position.unfinished === undefined ? position : await readPosition(context), brought };
}

/** Fetches main and lanes. Throws `sync-failed` when the remote does not answer. */
async function fetchAll(context: SyncContext, remote: string): Promise<void> {
  const { git, state, clock } = context;
  const outcome = await git.fetch(remote, wantedBranches(context));
  if (outcome.kind !== 'ok') throw away(context, outcome);
  state.tracked = outcome.refs;
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
        ? 'check git.remote in baton.json: the repository must exist, and you must be allowed to read it'
        : 'retry when the remote can be reached again; `baton sync status` tells',
    },
  );
}

/**
 * Fetches, and brings the clone to all that was on the remote. Tries again when a person commits at the same moment.
 * Throws `sync-failed`.
 */
export async function pullOnce(
  context: SyncContext,
  remote: string,
): Promise<{ readonly position: Position; readonly brought: Brought }> {
  let { position, brought } = await begin(context);
  await fetchAll(context, remote);
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const { head, refusals, conflicts } = await takeIn(context, position.head);
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

function busy({ ownBranch }: SyncContext): FlowError {
  return new FlowError('sync-failed', `${ownBranch} was moved by somebody else again and again; retry`, {
    retryable: true,
    remedy: 'retry; if it goes on, look who commits to this branch',
  });
}

/** Whether the own branch holds something that others wait for. Merges alone wait for the next real commit of a lane. */
export async function owesRemote(
  { git, role, ownBranch, branch, state }: SyncContext,
  head: ObjectId,
): Promise<boolean> {
  const own = state.tracked.get(branchRef(ownBranch));
  if (own === head) return false;
  if (role === 'leader') return true;
  const main = state.tracked.get(branchRef(branch));
  const known = [own, main].filter((id) => id !== undefined);
  return (await git.count([head], known, { merges: false })) > 0;
}

type Pushed =
  | { readonly kind: 'ok' }
  | { readonly kind: 'behind' }
  | { readonly kind: 'failed'; readonly error: FlowError };

/** Pushes the own branch. An answer that was lost on the way is asked for, since the push may have arrived. */
async function pushOwn(context: SyncContext, remote: string, commit: ObjectId, mayRepeat = true): Promise<Pushed> {
  const { git, ownBranch, state, clock, log, quota, onPushed } = context;
  const before = state.tracked.get(branchRef(ownBranch));
  quota.started();
  const outcome = await git.push(remote, ownBranch, commit);
  if (outcome.kind === 'behind') {
    log.info({ branch: ownBranch }, 'a push was refused, since others were faster');
    return { kind: 'behind' };
  }
  if (outcome.kind === 'denied') return { kind: 'failed', error: denied(context, outcome) };
  if (outcome.kind !== 'ok') {
    try {
      await fetchAll(context, remote);
    } catch (error) {
      if (error instanceof FlowError) return { kind: 'failed', error: unanswered(error) };
      throw error;
    }
    const there = state.tracked.get(branchRef(ownBranch));
    if (there === undefined || !(await git.isAncestor(commit, there))) {
      if (there !== before) return { kind: 'behind' };
      // Nobody was faster: the push was lost on the way, once by accident, or ever again where nobody may push.
      if (mayRepeat) return pushOwn(context, remote, commit, false);
      return { kind: 'failed', error: undelivered(context, outcome) };
    }
  }
  state.tracked = new Map([...state.tracked, [branchRef(ownBranch), commit]]);
  state.lastPushAt = clock.now();
  onPushed?.(branchRef(ownBranch), commit);
  return { kind: 'ok' };
}

/** Neither the push nor the remote has answered: it may have arrived, which the next pull shows. */
function unanswered({ code, message, remedy, retryable }: FlowError): FlowError {
  return new FlowError(code, message, {
    retryable,
    ...(remedy === undefined ? {} : { remedy }),
    data: { published: 'unknown' },
  });
}

/** The remote can be read, and has not moved. */
function undelivered({ ownBranch, state, log, secrets }: SyncContext, failure: RemoteFailure): FlowError {
  const detail = redactSecrets(failure.detail, secrets?.known());
  const problem = `the push of ${ownBranch} does not arrive, though the git remote can be read: ${detail}`;
  if (state.problem !== problem) log.warn({ detail }, problem);
  state.problem = problem;
  return new FlowError('sync-failed', problem, {
    retryable: true,
    remedy: 'retry; if it goes on, check that this account may push there',
  });
}

function denied(
  { ownBranch, state, log, secrets }: SyncContext,
  outcome: Extract<PushOutcome, { kind: 'denied' }>,
): FlowError {
  const detail = redactSecrets(outcome.detail, secrets?.known());
  const problem = `the git remote refused ${ownBranch}: ${detail}`;
  if (state.problem !== problem) log.warn({ detail }, problem);
  state.problem = problem;
  return new FlowError('sync-failed', problem, {
    retryable: false,
    remedy: `check that this account may push to ${ownBranch}, and that the remote's disk is not full`,
  });
}

/** Back-off with jitter, so that writers that met do not meet again. */
async function backOff({ clock }: SyncContext, attempt: number): Promise<void> {
  const jitter = Number.parseInt(clock.hex(2), 16) / 0xffff;
  await clock.sleep(Math.min(2000, 25 * 2 ** attempt) * (0.5 + jitter));
}

type Postpone = (group: readonly Pending[]) => void;

/**
 * Decides, commits and publishes a group. Every caller in it is answered, unless other writers were faster and the next
 * push may not be yet: then the group is handed to `postpone`. Returns what came into the work tree.
 */
export async function runGroup(context: SyncContext, group: readonly Pending[], postpone: Postpone): Promise<Brought> {
  try {
    return context.remote === undefined
      ? await runSolo(context, group)
      : await runTeam(context, { remote: context.remote, group, postpone });
  } catch (error) {
    refuseAll(group, error);
    return NOTHING;
  }
}

/** Decides a group on a fresh tree, commits it here and answers; the push is owed. */
export async function commitEarly(context: SyncContext, remote: string, group: readonly Pending[]): Promise<Brought> {
  try {
    let brought: Brought;
    try {
      brought = (await pullOnce(context, remote)).brought;
    } catch (error) {
      return await keepFinished(context, group, error);
    }
    return joined(brought, await commitLocally(context, group, false));
  } catch (error) {
    refuseAll(group, error);
    return NOTHING;
  }
}

/** The remote cannot be had: what must survive is committed to the branch of this clone only, all else is refused. */
async function keepFinished(context: SyncContext, group: readonly Pending[], error: unknown): Promise<Brought> {
  if (!(error instanceof FlowError) || error.code !== 'sync-failed') throw error;
  const finished = group.filter(isFinishedWork);
  refuseAll(
    group.filter((pending) => !isFinishedWork(pending)),
    error,
  );
  return finished.length === 0 ? NOTHING : commitLocally(context, finished, false);
}

const isFinishedWork = ({ transaction }: Pending): boolean => transaction.whenOffline === 'persist';

async function runSolo(context: SyncContext, group: readonly Pending[]): Promise<Brought> {
  return commitLocally(context, group, true);
}

/** Commits to the branch of this clone only. */
async function commitLocally(context: SyncContext, group: readonly Pending[], synced: boolean): Promise<Brought> {
  let brought = NOTHING;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const begun = await begin(context);
    brought = joined(brought, begun.brought);
    const draft = await draftGroup(context, begun.position.head, group, { attempt: false });
    const placed = await land(context, begun.position, draft, false);
    if (placed === undefined) continue;
    // Nobody else has it: whoever is answered must find it again.
    finishLater(context, placed);
    await finishing(context);
    settle(
      draft,
      'committed',
      synced || (draft.commit === undefined && !(await owesRemote(context, begun.position.head))),
    );
    return joined(brought, placed);
  }
  throw busy(context);
}

/** Brings the branch and the work tree to a draft; `finishLater` is owed. `undefined` when a person moved the branch meanwhile. */
async function land(
  context: SyncContext,
  position: Position,
  draft: Draft,
  published: boolean,
): Promise<Placed | undefined> {
  if (draft.commit === undefined) return placeFiles(context, draft.placements);
  return advance(context, position, draft.commit, { placements: draft.placements, published });
}

async function runTeam(
  context: SyncContext,
  {
    remote,
    group,
    postpone,
  }: { readonly remote: string; readonly group: readonly Pending[]; readonly postpone: Postpone },
): Promise<Brought> {
  let brought = NOTHING;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    let pulled: { readonly position: Position; readonly brought: Brought };
    try {
      pulled = await pullOnce(context, remote);
    } catch (error) {
      return joined(brought, await keepFinished(context, group, error));
    }
    brought = joined(brought, pulled.brought);
    const { position } = pulled;
    const draft = await draftGroup(context, position.head, group, { attempt: true });
    const target = draft.commit ?? position.head;
    const pushed = (await owesRemote(context, target))
      ? await pushOwn(context, remote, target)
      : { kind: 'ok' as const };
    if (pushed.kind === 'behind') {
      if (context.quota.wait() > 0) {
        postpone(group);
        return brought;
      }
      await backOff(context, attempt);
      continue;
    }
    if (pushed.kind === 'failed') return joined(brought, await keep(context, { group, position, draft }, pushed.error));
    const placed = await land(context, position, draft, true);
    settle(draft, 'replicated', true);
    // A person committed while the push was under way: the two are merged like any other two.
    if (placed === undefined) return joined(brought, (await pullOnce(context, remote)).brought);
    finishLater(context, placed);
    return joined(brought, placed);
  }
  throw outrun(context);
}

export function outrun({ ownBranch }: SyncContext): FlowError {
  return new FlowError(
    'sync-failed',
    `other writers were faster in ${MOST_ATTEMPTS} attempts to push ${ownBranch}; retry`,
    { retryable: true, remedy: 'retry in a moment' },
  );
}

/**
 * Of what could not be pushed, finished work stays on the branch of this clone, so that it is never lost (protocol.md
 * §11.1). A commit that may have arrived stays as it is, with all that is in it: a second one would say it all twice.
 */
async function keep(
  context: SyncContext,
  {
    group,
    position,
    draft,
  }: { readonly group: readonly Pending[]; readonly position: Position; readonly draft: Draft },
  error: FlowError,
): Promise<Brought> {
  const finished = group.filter(isFinishedWork);
  const others = group.filter((pending) => !isFinishedWork(pending));
  if (others.length > 0 && error.data['published'] !== 'unknown') return keepFinished(context, group, error);
  refuseAll(others, error);
  if (finished.length === 0) return NOTHING;
  const placed = await land(context, position, draft, false);
  if (placed === undefined) return commitLocally(context, finished, false);
  finishLater(context, placed);
  await finishing(context);
  settle(draft, 'committed', false);
  return placed;
}

/** Whether something is committed here and not there, as far as is known without asking the remote. */
export async function owesPush(context: SyncContext): Promise<boolean> {
  const { head } = await readPosition(context);
  return !context.state.tracked.has(branchRef(context.ownBranch)) || owesRemote(context, head);
}

/**
 * Publishes what is committed here and not there, as far as is known; asks the remote only when something is. What
 * other writers were faster with stays owed when the next push may not be yet.
 */
export async function pushAll(context: SyncContext, remote: string): Promise<Brought> {
  const { head: own } = await readPosition(context);
  const unknown = !context.state.tracked.has(branchRef(context.ownBranch));
  if (!unknown && !(await owesRemote(context, own))) return NOTHING;
  let brought = NOTHING;
  let head = own;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    // The push itself finds out whether anything has to be fetched before.
    if (unknown || attempt > 1) {
      const pulled = await pullOnce(context, remote);
      brought = joined(brought, pulled.brought);
      head = pulled.position.head;
    }
    const fresh = context.role === 'worker' && !context.state.tracked.has(branchRef(context.ownBranch));
    if (!fresh && !(await owesRemote(context, head))) return brought;
    const pushed = await pushOwn(context, remote, head);
    if (pushed.kind === 'failed') throw pushed.error;
    if (pushed.kind === 'ok') {
      await context.git.updateRefs([{ ref: `refs/remotes/origin/${context.ownBranch}`, next: head }]);
      return brought;
    }
    if (context.quota.wait() > 0) return brought;
    await backOff(context, attempt);
  }
  throw busy(context);
}
