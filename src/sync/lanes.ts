import type { Reach } from '../ports.ts';
import type { ObjectId } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { mayWrite } from '../protocol/ownership.ts';
import { branchRef, joined, NOTHING, seconds } from './context.ts';
import type { SyncContext, Taken } from './context.ts';
import { integrateLanes } from './integrate.ts';
import { editOf, mergeCommits } from './merge.ts';
import type { MergePolicy } from './merge.ts';
import { hasNewsForOwnWork } from './own-work.ts';
import { readAssignees } from './sanitise.ts';

/**
 * Brings everything that was fetched together with the own branch, as commits only: a Worker's node merges main into
 * its lane, a Leader's node integrates the lanes into main (protocol.md §11.2). With `own-work` main may
 * wait for the next pull when it has no news for the Worker's own work. Throws `sync-failed` where that cannot be done.
 */
export function takeIn(context: SyncContext, head: ObjectId, reach: Reach): Promise<Taken> {
  return context.role === 'worker' ? takeInMain(context, head, reach) : takeInLanes(context, head);
}

async function takeInLanes(context: SyncContext, head: ObjectId): Promise<Taken> {
  const merged = await mergeInto(context, head, context.state.tracked.get(branchRef(context.branch)), {
    ownerOf: () => undefined,
    leaderSide: undefined,
    agent: context.localpart,
  });
  const integrated = await integrateLanes(context, merged.head);
  return { ...joined({ ...NOTHING, ...merged }, { ...NOTHING, ...integrated }), head: integrated.head };
}

async function takeInMain(context: SyncContext, head: ObjectId, reach: Reach): Promise<Taken> {
  const { actor, workTree, localpart, state } = context;
  const main = state.tracked.get(branchRef(context.branch));
  const lane = await takeLane(context, { head, remote: state.tracked.get(branchRef(context.ownBranch)), main });
  const mayWait =
    reach === 'own-work' &&
    main !== undefined &&
    !(await hasNewsForOwnWork(context, { lane, main, histories: context.git }));
  if (mayWait) return { ...NOTHING, head: lane };
  const view = workTree.view();
  const assigneeOf = (taskId: string): string | undefined => view.task(taskId)?.meta?.assigned_to;
  const taken = await mergeInto(context, lane, main, {
    ownerOf: (path) => (mayWrite(actor, path, assigneeOf).allowed ? 'local' : 'remote'),
    leaderSide: 'remote',
    agent: localpart,
  });
  return main === undefined
    ? taken
    : { ...taken, head: await undoRefused(context, { lane, main, merged: taken.head }) };
}

/**
 * Once main holds all that the lane has to say, everything has been judged, and what main does not have of others' files was
 * refused. A merge brings that back where the lane had already merged another state of main, since its base then may hold either.
 */
async function undoRefused(
  { git, actor, author, clock, ownBranch, branch }: SyncContext,
  { lane, main, merged }: { readonly lane: ObjectId; readonly main: ObjectId; readonly merged: ObjectId },
): Promise<ObjectId> {
  if (merged === lane || merged === main || (await git.count([lane], [main], { merges: false })) > 0) return merged;
  const differing = await git.diff(merged, main);
  const assignees = await readAssignees(git, main, differing);
  const refused = differing.filter(({ path }) => !mayWrite(actor, path, (id) => assignees.get(id)).allowed);
  if (refused.length === 0) return merged;
  const [tree = merged] = await git.resolve([`${merged}:`]);
  return git.commit({
    parents: [lane, main],
    tree,
    edits: refused.map(({ path, after }) => editOf(path, after)),
    message: mergeMessage(branch, ownBranch),
    author,
    at: seconds(clock),
  });
}

const mergeMessage = (branch: string, ownBranch: string): string => `merge ${branch} of the remote into ${ownBranch}\n`;

interface Lane {
  readonly head: ObjectId;
  /** The same lane, and main, as the remote has them. */
  readonly remote: ObjectId | undefined;
  readonly main: ObjectId | undefined;
}

/**
 * Only this node writes the lane, so the remote's is behind, or the same clone's work ahead of a crash. One that another hand
 * wrote is refused until a Leader's node has judged it: then main brings what was taken of it.
 */
async function takeLane(context: SyncContext, { head, remote, main }: Lane): Promise<ObjectId> {
  const { git, ownBranch } = context;
  if (remote === undefined || (await git.isAncestor(remote, head))) return head;
  if (await git.isAncestor(head, remote)) return remote;
  const attempted = await git.attempted();
  if (attempted !== undefined && (await git.isAncestor(remote, attempted))) {
    const own: MergePolicy = { ownerOf: () => 'local', leaderSide: undefined, agent: context.localpart };
    return (await mergeInto(context, head, remote, own)).head;
  }
  if (main !== undefined && (await git.isAncestor(remote, main))) return head;
  const { author, subject } = await git.describe(remote);
  throw new FlowError(
    'sync-failed',
    `lane ${ownBranch} on the remote holds commits this clone did not make: "${subject}" by ${author} (${remote.slice(0, 10)})`,
    {
      retryable: false,
      remedy: `only this node may write its lane; look at them with \`git log ${ownBranch}..origin/${ownBranch}\`, then either merge them here with \`git merge origin/${ownBranch}\` or delete the branch on the remote; once a Leader's node has taken the lane in, the next pull goes on by itself`,
    },
  );
}

async function mergeInto(
  context: SyncContext,
  head: ObjectId,
  other: ObjectId | undefined,
  policy: MergePolicy,
): Promise<Taken> {
  const { git, author, clock, ownBranch, branch } = context;
  const still = { refusals: [], conflicts: [] };
  if (other === undefined || (await git.isAncestor(other, head))) return { head, ...still };
  if (await git.isAncestor(head, other)) return { head: other, ...still };
  const { tree, edits, conflicts } = await mergeCommits(git, head, other, policy);
  const message = mergeMessage(branch, ownBranch);
  const merged = await git.commit({ parents: [head, other], tree, edits, message, author, at: seconds(clock) });
  return { head: merged, refusals: [], conflicts };
}
