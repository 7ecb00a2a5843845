import { FlowError } from '../protocol/errors.ts';
import { advance, placeFiles } from './checkout.ts';
import { draftGroup, refuseAll, settle } from './committer.ts';
import type { Draft, Pending } from './committer.ts';
import { NOTHING, joined } from './context.ts';
import type { Brought, Placed, Position, SyncContext } from './context.ts';
import { finishLater, finishing } from './finish.ts';
import { MOST_ATTEMPTS, begin, busy, pullOnce } from './pull.ts';
import { backOff, owesRemote, pushOwn } from './push.ts';
import { isDisturbed, untilStill } from './still.ts';

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
    const still = await untilStill(context);
    const begun = await begin(context);
    brought = joined(brought, begun.brought);
    const draft = await draftGroup(context, begun.position.head, group, { attempt: false });
    if (isDisturbed(context, still)) continue;
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
  const reach = group.every(({ transaction }) => transaction.restsOn === 'own-work') ? 'own-work' : 'all';
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const still = await untilStill(context);
    let pulled: { readonly position: Position; readonly brought: Brought };
    try {
      pulled = await pullOnce(context, remote, reach);
    } catch (error) {
      return joined(brought, await keepFinished(context, group, error));
    }
    brought = joined(brought, pulled.brought);
    const { position } = pulled;
    const draft = await draftGroup(context, position.head, group, { attempt: context.role === 'worker' });
    if (isDisturbed(context, still)) continue;
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
