import type { LaneRefusal } from '../ports.ts';
import type { Git, ObjectId, TreeChange, TreeEdit } from '../ports-git.ts';
import { createPauses } from '../pauses.ts';
import { FILE_MODE, GITLINK_MODE, SYMLINK_MODE } from '../ports-git.ts';
import { isReservedPath, steersGit } from '../protocol/names.ts';
import { mayWrite } from '../protocol/ownership.ts';
import { classifyPath, taskPaths } from '../protocol/paths.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';
import type { ScanOptions } from '../protocol/secrets/scan.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import { archivedTasks } from './lane-archive.ts';
import { lateResultAt, lateResults, placeIn, whyLate } from './lane-late.ts';
import type { LateResult } from './lane-late.ts';
import { bringsName, knownNames } from './lane-names.ts';
import type { NameTable, NamedChange } from './lane-names.ts';
import { checkRecord } from './lane-records.ts';
import { decode } from './resolve.ts';
import { allowing } from '../protocol/secrets/scan.ts';
import { leakOf, wordsOf } from './secret-check.ts';

/** A lane's new commits, as they are to be looked at. */
export interface LaneDelta {
  readonly lane: string;
  readonly localpart: string;
  readonly tip: ObjectId;
  readonly main: ObjectId;
  readonly base: ObjectId;
  /** All best common ancestors: what they hold was not written by the lane since. */
  readonly ancestors: readonly ObjectId[];
  readonly maxFileBytes: number;
  /** What the team allows and the node knows of secrets. */
  readonly scan: ScanOptions;
}

export interface Sanitised {
  /** What of the lane is taken, as edits of the base's tree. */
  readonly edits: readonly TreeEdit[];
  /** Main still has at all these paths what the base has: the same edits of main's tree are the merge. */
  readonly apart: boolean;
  readonly refusals: readonly LaneRefusal[];
  /** Whose task it is, as main says. */
  readonly assigneeOf: (taskId: string) => string | undefined;
}

type Verdict =
  | { readonly take: TreeEdit; readonly refused?: readonly Refusal[] }
  | { readonly take?: undefined; readonly refused: readonly Refusal[] };
type Refusal = Pick<LaneRefusal, 'reason' | 'detail'>;

const refuse = (reason: string, detail: string): Verdict => ({ refused: [{ reason, detail }] });

/**
 * Divides what a lane changed into what its Worker may change and what not (architecture.md "Lanes", quality.md S1):
 * by path, by field, by lifecycle, and by what must never be in a tree. Throws for a lane that changes too much to be
 * looked at; nothing else that a lane holds makes it throw.
 */
export async function sanitise(git: Git, delta: LaneDelta): Promise<Sanitised> {
  const asWritten = await written(git, delta);
  const assignees = await readAssignees(git, delta.main, asWritten);
  const assigneeOf = (taskId: string): string | undefined => assignees.get(taskId);
  const lates = await lateResults(git, delta, asWritten, assignees);
  const changes = await keptAside(git, delta, asWritten, lates);
  const sizes = await git.sizes(changes.map(({ after }) => (after === undefined ? '-' : after.id)));
  const names = await knownNames(git, delta.main, changes);
  const archived = await archivedTasks(
    git,
    delta.main,
    tasksIn(changes).filter((id) => !assignees.has(id)),
  );
  const edits: TreeEdit[] = [];
  const refusals: LaneRefusal[] = [];
  const refused = (path: string, refusal: Refusal): void => {
    const { lane, localpart, tip: commit } = delta;
    refusals.push({ lane, localpart, commit, path: redactSecrets(shown(path), delta.scan.known), ...refusal });
  };
  const told = new Set<LateResult>();
  const pause = createPauses();
  let apart = true;
  for (const [index, change] of changes.entries()) {
    await pause();
    const verdict =
      checkEntry(change, delta, sizes[index] ?? 0, assigneeOf) ??
      checkName(change, names) ??
      (await checkSecrets(git, change, delta)) ??
      (await checkContent(git, change, delta));
    if (verdict.take !== undefined) {
      edits.push(verdict.take);
      apart &&= change.inMain === change.before?.id;
      if (change.late !== undefined) told.add(change.late);
    }
    if (change.inherited) continue;
    const place = classifyPath(change.path);
    const home = 'taskId' in place ? archived.get(place.taskId) : undefined;
    const why = home === undefined ? verdict.refused : [{ reason: 'archived', detail: `the task is in ${home}` }];
    for (const refusal of why ?? []) refused(change.path, refusal);
  }
  for (const result of told) refused(taskPaths(result.taskId).result, whyLate(result));
  return { edits, apart, refusals, assigneeOf };
}

// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const shown = (path: string): string => path.replace(/[\u0000-\u001f\u007f]/g, '\u{FFFD}').slice(0, 300);

interface Written extends NamedChange {
  /** An ancestor that both sides have holds just this: the lane got it by a merge, so it is nobody's fault. */
  readonly inherited: boolean;
  /** The late result of which it is a part. */
  readonly late?: LateResult;
}

/**
 * What one lane may ask to be looked at. Trees that hold each other again and again make any number of paths from a
 * few objects, and git's own memory grows with them.
 */
const LIMITS = { most: 20_000, within: 5_000 };
/** Changes whose places are asked for at once; between them others have their turn. */
const CHUNK = 500;

/** What the lane holds otherwise than its base and than main; removals first, so that names become free. */
async function written(git: Git, { base, tip, main, ancestors }: LaneDelta): Promise<readonly Written[]> {
  const changes = byPath(await git.diff(base, tip, LIMITS));
  const others = [main, base, ...ancestors];
  // Names that lead out of a tree are not asked for: git gives some of them a meaning of its own.
  const asked = changes.flatMap(({ path }) =>
    others.map((commit) => (isReservedPath(path) ? '-' : `${commit}:${path}`)),
  );
  const found: (ObjectId | undefined)[] = [];
  const pause = createPauses();
  for (let from = 0; from < asked.length; from += CHUNK * others.length) {
    found.push(...(await git.resolve(asked.slice(from, from + CHUNK * others.length))));
    await pause();
  }
  const held = changes.map((change, index) => {
    const [inMain, inBase, ...inAncestors] = others.map((_, other) => found[index * others.length + other]);
    // In a tree out of order a record can look new that was there before.
    const known = isRecordPath(change.path) && inBase !== undefined ? { mode: FILE_MODE, id: inBase } : undefined;
    const before = change.before ?? known;
    return { ...change, before, inherited: inAncestors.includes(change.after?.id), inMain };
  });
  const differing = held.filter(({ before, after, inMain }) => inMain !== after?.id || before?.id === after?.id);
  return differing.sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined));
}

/**
 * The changes with the parts of late results where those are kept. What is kept there already is left out, and what would
 * change it stays where the lane has it, and is refused there.
 */
async function keptAside(
  git: Git,
  { main, tip }: LaneDelta,
  asWritten: readonly Written[],
  lates: ReadonlyMap<string, LateResult>,
): Promise<readonly Written[]> {
  if (lates.size === 0) return asWritten;
  const changes = [...asWritten, ...(await resultsBefore(git, { main, tip }, asWritten, lates))];
  const parts = changes.map((change) => {
    const { path, after, inherited } = change;
    const late = after === undefined || inherited ? undefined : lateResultAt(path, lates);
    return { change, late, path: late === undefined ? path : placeIn(late, path) };
  });
  const there = await git.resolve(
    parts.map(({ late, path }) => (late === undefined || isReservedPath(path) ? '-' : `${main}:${path}`)),
  );
  return parts.flatMap(({ change, late, path }, index) => {
    const inMain = there[index];
    if (late === undefined) return [change];
    if (inMain === undefined) return [{ ...change, path, before: undefined, inMain, late }];
    return inMain === change.after?.id ? [] : [change];
  });
}

/**
 * The files of late results that their lane brought before it handed them in, and that were refused then: what main does not
 * have in the task's folder, and the result itself.
 */
async function resultsBefore(
  git: Git,
  { main, tip }: Pick<LaneDelta, 'main' | 'tip'>,
  changes: readonly Written[],
  late: ReadonlyMap<string, LateResult>,
): Promise<readonly Written[]> {
  const known = new Set(changes.map(({ path }) => path));
  const found: Written[] = [];
  for (const { dir, result } of [...late.keys()].map(taskPaths)) {
    const [published, brought] = await git.resolve([main, tip].map((commit) => `${commit}:${dir.replace(/\/$/, '')}`));
    if (published === undefined || brought === undefined) continue;
    for (const { path: below, before, after } of await git.diff(published, brought, LIMITS)) {
      const path = dir + below;
      if (after === undefined || known.has(path) || (before !== undefined && path !== result)) continue;
      found.push({ path, before: undefined, after, inherited: false, inMain: undefined });
    }
  }
  return found;
}

function tasksIn(changes: readonly TreeChange[]): readonly string[] {
  const ids = changes.flatMap(({ path }) => {
    const found = classifyPath(path);
    return 'taskId' in found ? [found.taskId] : [];
  });
  return [...new Set(ids)];
}

function isRecordPath(path: string): boolean {
  const { kind } = classifyPath(path);
  return kind === 'events' || kind === 'task-meta' || kind === 'agent';
}

/** A tree that no git made can name a path twice, or out of its order: then it goes and comes in one difference. */
function byPath(changes: readonly TreeChange[]): readonly TreeChange[] {
  const found = new Map<string, TreeChange>();
  for (const { path, before, after } of changes) {
    const other = found.get(path);
    found.set(path, { path, before: before ?? other?.before, after: after ?? other?.after });
  }
  return [...found.values()];
}

/** Whose the tasks are, as main says, in whose folders these changes are. */
export async function readAssignees(
  git: Git,
  main: ObjectId,
  changes: readonly TreeChange[],
): Promise<ReadonlyMap<string, string>> {
  const ids = tasksIn(changes);
  const texts = await git.read(ids.map((id) => `${main}:${taskPaths(id).meta}`));
  return new Map(
    ids.flatMap((id, index) => {
      const bytes = texts[index];
      const meta = bytes === undefined ? undefined : parseTaskMeta(decode(bytes) ?? '', id).meta;
      return meta === undefined ? [] : [[id, meta.assigned_to]];
    }),
  );
}

/** Everything that can be told from the entry alone; `undefined` when all of it is in order. */
function checkEntry(
  change: Written,
  { localpart, maxFileBytes }: LaneDelta,
  size: number,
  assigneeOf: (taskId: string) => string | undefined,
): Verdict | undefined {
  const { path, before, after, late } = change;
  const verdict =
    late === undefined ? mayWrite({ localpart, role: 'worker' }, path, assigneeOf) : { allowed: true as const };
  if (after === undefined) {
    if (!verdict.allowed) return refuse('not-owner', verdict.reason);
    return isRecordPath(path) ? refuse('not-owner', 'records and logs are never removed') : undefined;
  }
  if (after.mode === SYMLINK_MODE) return refuse('symlink', 'symbolic links are not taken');
  if (after.mode === GITLINK_MODE) return refuse('gitlink', 'submodules are not taken');
  if (path.includes('\u{FFFD}') || isReservedPath(path) || path.split('/').some(steersGit)) {
    return refuse('reserved-name', 'a name that git or a file system gives a meaning of its own, or cannot hold');
  }
  if (!verdict.allowed) return refuse('not-owner', verdict.reason);
  const grown = after.id !== before?.id && size > maxFileBytes;
  return grown ? refuse('oversize', `${size} bytes; at most ${maxFileBytes} are taken`) : undefined;
}

function checkName(change: Written, names: NameTable): Verdict | undefined {
  const { path, after } = change;
  if (after === undefined) {
    names.remove(path);
    return undefined;
  }
  if (!bringsName(change)) return undefined;
  const problem = names.problem(path);
  if (problem !== undefined) return refuse(problem.reason, problem.detail);
  names.add(path);
  return undefined;
}

/** What the lane would publish on main that neither its base nor main holds. The secret itself is never told. */
async function checkSecrets(
  git: Git,
  { path, before, after, inherited }: Written,
  { main, scan }: LaneDelta,
): Promise<Verdict | undefined> {
  if (after === undefined || inherited || after.id === before?.id) return undefined;
  const [content] = await git.read([after.id]);
  if (leakOf(path, content, undefined, scan) === undefined) return undefined;
  const held = (await git.read([before?.id ?? '-', `${main}:${path}`])).filter((bytes) => bytes !== undefined);
  const leak = leakOf(path, content, Buffer.concat(held), scan);
  return leak === undefined ? undefined : refuse('secret', `${wordsOf(leak)}; ${allowing(leak)}`);
}

/** What can only be told from the content: records by field and lifecycle, logs by what stood there. */
async function checkContent(git: Git, change: Written, { localpart }: LaneDelta): Promise<Verdict> {
  const { path, before, after, inMain } = change;
  if (after === undefined) return { take: { path, kind: 'remove' } };
  const { kind } = classifyPath(path);
  if (kind !== 'events' && kind !== 'task-meta' && kind !== 'agent') {
    return { take: { path, kind: 'entry', mode: after.mode, id: after.id } };
  }
  const [base, lane, main] = await git.read([before?.id ?? '-', after.id, inMain ?? '-']);
  const texts = [base, lane, main].map((bytes) => (bytes === undefined ? undefined : decode(bytes)));
  const outcome = checkRecord(kind, path, { base: texts[0], lane: texts[1], main: texts[2] }, localpart);
  // Nobody runs a record.
  if (outcome.kind === 'whole') return { take: { path, kind: 'entry', mode: FILE_MODE, id: after.id } };
  if (outcome.kind === 'none') return { refused: outcome.refused };
  return {
    take: { path, kind: 'content', mode: FILE_MODE, content: Buffer.from(outcome.text, 'utf8') },
    refused: outcome.refused,
  };
}
