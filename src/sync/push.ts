import type { ObjectId, PushOutcome, RemoteFailure } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';
import { branchRef, joined, readPosition } from './context.ts';
import type { Brought, SyncContext } from './context.ts';
import { MOST_ATTEMPTS, begin, busy, fetchAll, pullOnce } from './pull.ts';
import { requireNoSecretIn } from './vetting.ts';

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
export async function pushOwn(
  context: SyncContext,
  remote: string,
  commit: ObjectId,
  mayRepeat = true,
): Promise<Pushed> {
  const { git, ownBranch, state, clock, log, quota, onPushed } = context;
  const before = state.tracked.get(branchRef(ownBranch));
  const secret = await secretOf(context, remote, commit);
  if (secret !== undefined) return { kind: 'failed', error: secret };
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

/** Why a push would publish a secret; `undefined` when it would not. */
async function secretOf(context: SyncContext, remote: string, commit: ObjectId): Promise<FlowError | undefined> {
  const { state, log } = context;
  try {
    await requireNoSecretIn(context, remote, commit);
    state.heldBack = undefined;
    return undefined;
  } catch (error) {
    if (!(error instanceof FlowError)) throw error;
    if (state.heldBack?.message !== error.message) log.warn({ ...error.data }, error.message);
    state.heldBack = error;
    return error;
  }
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
export async function backOff({ clock }: SyncContext, attempt: number): Promise<void> {
  const jitter = Number.parseInt(clock.hex(2), 16) / 0xffff;
  await clock.sleep(Math.min(2000, 25 * 2 ** attempt) * (0.5 + jitter));
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
  const begun = await begin(context);
  let { brought } = begun;
  let { head } = begun.position;
  const unknown = !context.state.tracked.has(branchRef(context.ownBranch));
  if (!unknown && !(await owesRemote(context, head))) return brought;
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
