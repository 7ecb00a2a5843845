import type { Reach } from '../ports.ts';
import type { Git, ObjectId, TreeChange } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { mayWrite } from '../protocol/ownership.ts';
import { EVENTS, projectPaths, taskPaths } from '../protocol/paths.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import { branchRef, wantedBranches } from './context.ts';
import type { SyncContext } from './context.ts';

/** More than this is taken in at once, whatever it is about; files and milliseconds. */
const LIMITS = { most: 2_000, within: 2_000 };

/** More common ancestors than these are a history to be merged, and not to be looked through. */
const MOST_BASES = 4;

/** Milliseconds for which news of others waits at most while main keeps moving. */
const PATIENCE = 60_000;

/** Where the histories are read: in the clone once they were fetched, or where the remote lies. */
export type Histories = Pick<Git, 'diff' | 'read' | 'resolve' | 'mergeBases'>;

/**
 * Whether a look at the remote tells that nothing has to be fetched for an agent's own work. False as well where it cannot
 * be looked at, where the lane on it is not as this clone left it, or in doubt; with `when-calm` also when main has not moved
 * since the last such look, or when news of others has waited for a minute.
 */
export async function canWorkOn(
  context: SyncContext,
  { remote, head, reach }: { readonly remote: string; readonly head: ObjectId; readonly reach: Reach },
): Promise<boolean> {
  const { git, state, role, branch, ownBranch } = context;
  // Others wait for what a Leader's node integrates.
  if (reach === 'all' || role === 'leader') return false;
  const glance = await git.glance(remote, wantedBranches(context));
  const [main, lane] = [branch, ownBranch].map((name) => glance?.refs.get(branchRef(name)));
  if (glance === undefined || main === undefined || lane === undefined) return false;
  if (state.tracked.get(branchRef(ownBranch)) !== lane || !(await git.isAncestor(lane, head))) return false;
  if (reach === 'when-calm' && !mayWait(context, main)) return false;
  return !(await hasNewsForOwnWork(context, { lane: head, main, histories: glance }));
}

/** To take in what others do costs most while they do it. */
function mayWait({ state, clock }: SyncContext, main: ObjectId): boolean {
  const { left } = state;
  const now = clock.elapsed();
  const since = left?.since ?? now;
  state.left = { main, since };
  return left?.main !== main && now - since < PATIENCE;
}

/**
 * Whether main has news for an agent's own work: anything but logs, and the tasks and projects of others. A step that rests
 * on nothing else need not wait until all the rest is merged and written (features.md §3.1: an agent acknowledges, reports
 * and submits its own task).
 */
export async function hasNewsForOwnWork(context: SyncContext, compared: Compared): Promise<boolean> {
  const { state } = context;
  const { lane, main } = compared;
  if (state.noNews?.lane === lane && state.noNews.main === main) return false;
  try {
    if (await hasNews(context, compared)) return true;
    state.noNews = { lane, main };
    return false;
  } catch (error) {
    // Too much to be compared, or something is missing: whoever takes it in finds out.
    if (error instanceof FlowError && error.code === 'git-failed') return true;
    throw error;
  }
}

interface Compared {
  readonly lane: ObjectId;
  readonly main: ObjectId;
  readonly histories: Histories;
}

async function hasNews(context: SyncContext, { lane, main, histories }: Compared): Promise<boolean> {
  const bases = await histories.mergeBases(lane, main);
  if (bases.length === 0 || bases.length > MOST_BASES) return true;
  const since = await Promise.all(bases.map((base) => histories.diff(base, main, LIMITS)));
  const changes = [...new Map(since.flat().map((change) => [change.path, change])).values()];
  const told = { main, histories, changes };
  const [tasks, projects] = [await tasksOfOthers(context, told), await projectsOfOthers(context, told)];
  const isOthers = ({ path }: TreeChange): boolean =>
    path.startsWith(EVENTS) || tasks.has(taskOf(path) ?? '') || projects.has(projectOf(path) ?? '');
  const unclear = changes.filter((change) => !isOthers(change));
  // What the lane brought there itself is no news.
  const here = await histories.resolve(unclear.map(({ path }) => `${lane}:${path}`));
  const differing = unclear.filter(({ after }, index) => after?.id !== here[index]);
  if (differing.length === 0) return false;
  const ancestors = bases.map((commit, index) => ({
    commit,
    changed: new Set(since[index]?.map(({ path }) => path)),
  }));
  const steps = await ownSteps(context, { histories, changes: differing }, ancestors);
  return differing.some(({ path }) => !steps.has(path));
}

/**
 * Files of the agent that main has as an own step left them, which is no news. A lane that took main in while its last step was
 * taken in has two ancestors in common with it: that step, and the main of before. Main then is as one of the two has it, and the
 * other one did not change it: what main took back, or refused, differs from the step that had changed it.
 */
async function ownSteps(
  { actor, workTree }: SyncContext,
  { histories, changes }: Pick<Told, 'histories' | 'changes'>,
  ancestors: readonly Ancestor[],
): Promise<ReadonlySet<string>> {
  if (ancestors.length < 2) return new Set();
  const view = workTree.view();
  const isOwn = (path: string): boolean =>
    mayWrite(actor, path, (taskId) => view.task(taskId)?.meta?.assigned_to).allowed;
  const found = new Set<string>();
  for (const { path, after } of changes) {
    if (after === undefined || !isOwn(path)) continue;
    const [step, ...more] = ancestors.filter(({ changed }) => !changed.has(path));
    const others = ancestors.filter(({ changed }) => changed.has(path));
    if (step === undefined || more.length > 0) continue;
    const untouched = await Promise.all(others.map((other) => isAsBefore(histories, path, other.commit, step.commit)));
    if (untouched.every(Boolean)) found.add(path);
  }
  return found;
}

/** A common ancestor, and what main changed since. */
interface Ancestor {
  readonly commit: ObjectId;
  readonly changed: ReadonlySet<string>;
}

/** Whether one side left a file as it was where it parted from the other. */
async function isAsBefore(histories: Histories, path: string, side: ObjectId, other: ObjectId): Promise<boolean> {
  const [base, ...more] = await histories.mergeBases(side, other);
  if (base === undefined || more.length > 0) return false;
  const [now, before] = await histories.resolve([`${side}:${path}`, `${base}:${path}`]);
  return now === before;
}

/** What main tells, and where it is read. */
interface Told {
  readonly main: ObjectId;
  readonly histories: Histories;
  readonly changes: readonly TreeChange[];
}

/** Tasks that are somebody else's, here and on main. */
async function tasksOfOthers(
  { workTree, localpart }: SyncContext,
  { main, histories, changes }: Told,
): Promise<ReadonlySet<string>> {
  const view = workTree.view();
  const isOthers = (assignee: string | undefined): boolean =>
    assignee !== undefined && !sameLocalpart(assignee, localpart);
  const changed = new Set(changes.map(({ path }) => path));
  const ids = [...new Set(changes.flatMap(({ path }) => taskOf(path) ?? []))];
  // A record that is as it was is known by the work tree.
  const asked = ids.filter((id) => changed.has(taskPaths(id).meta));
  const records = await histories.read(asked.map((id) => `${main}:${taskPaths(id).meta}`));
  const onMain = new Map(asked.map((id, index) => [id, assigneeIn(records[index], id)]));
  return new Set(
    ids.filter((id) => {
      const here = view.task(id)?.meta?.assigned_to;
      return (here === undefined ? onMain.has(id) : isOthers(here)) && (!onMain.has(id) || isOthers(onMain.get(id)));
    }),
  );
}

/** Projects whose plan and record name the agent nowhere, here and on main: none of its tasks is in them. */
async function projectsOfOthers(
  { workTree, localpart }: SyncContext,
  { main, histories, changes }: Told,
): Promise<ReadonlySet<string>> {
  const view = workTree.view();
  const ids = [...new Set(changes.flatMap(({ path }) => projectOf(path) ?? []))];
  const files = ids.map((id) => [projectPaths(id).plan, projectPaths(id).meta]);
  const onMain = await histories.read(files.flat().map((path) => `${main}:${path}`));
  const name = localpart.toLowerCase();
  // Somebody whose name only holds the agent's is taken for it, which costs a pull.
  const isNamed = (text: string | undefined): boolean => text?.toLowerCase().includes(name) === true;
  return new Set(
    ids.filter((_, index) => {
      const there = onMain.slice(2 * index, 2 * index + 2);
      // Nothing is known of a folder without a plan and a record.
      if (there.every((bytes) => bytes === undefined)) return false;
      const texts = there.map((bytes) => bytes && Buffer.from(bytes).toString('utf8'));
      return ![...texts, ...(files[index] ?? []).map((path) => view.text(path))].some(isNamed);
    }),
  );
}

function assigneeIn(record: Uint8Array | undefined, id: string): string | undefined {
  return record === undefined ? undefined : parseTaskMeta(Buffer.from(record).toString('utf8'), id).meta?.assigned_to;
}

const projectOf = (path: string): string | undefined => /^shared\/projects\/([^/]+)\//.exec(path)?.[1];

const taskOf = (path: string): string | undefined => /^shared\/tasks\/([^/]+)\//.exec(path)?.[1];
