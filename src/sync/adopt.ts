import type { UnfitFile } from '../ports.ts';
import type { ObjectId } from '../ports-git.ts';
import type { Change } from '../protocol/changes.ts';
import { parseJson } from '../protocol/json.ts';
import { forbiddenAgentFields, forbiddenMetaFields, mayWrite } from '../protocol/ownership.ts';
import { FlowError } from '../protocol/errors.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { classifyPath, isSharedPath, localpartOfLane, taskPaths } from '../protocol/paths.ts';
import type { Actor } from '../protocol/records/types.ts';
import { canonicalTask } from '../protocol/records/task.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { isLeading } from '../protocol/roles.ts';
import { isLegalPath } from '../rules/lifecycle.ts';
import { blobId, lanesIn } from './context.ts';
import { differing } from './differing.ts';
import { notTaken, requireFit, unfit } from './fitness.ts';
import type { DiskFile } from './fitness.ts';
import type { SyncContext } from './context.ts';
import { isTaskStatus } from './resolve-json.ts';
import { decode } from './resolve.ts';
import { scanOf } from './secret-check.ts';

const LEADERS_FILES: ReadonlySet<string> = new Set(['task-spec', 'task-base', 'task-late', 'task-meta']);

/** What a step takes from the disk. */
interface Wanted {
  readonly path: string;
  readonly actor: Actor;
  /** Files of somebody else are refused; absent: they are left out. */
  readonly whole?: true;
  /** What the step writes itself, whatever is on disk. */
  readonly written: ReadonlySet<string>;
}

/**
 * The files below `path` that differ from the commit, ready to be committed (architecture.md, "Operations"), as far
 * as they are the actor's: a Worker's push leaves out the Leader's files in the task folder (protocol.md §2). Throws
 * `broken-file` for what may never be committed: links, reserved names, oversize files, secrets (protocol.md §11.6);
 * `not-owner` for files of somebody else where all of them are wanted.
 */
export async function adoptable(
  context: SyncContext,
  head: ObjectId,
  { path, actor, whole, written }: Wanted,
): Promise<readonly DiskFile[]> {
  const { files, problems } = await differing(context, head, path);
  const skipped = (file: string): boolean => !isLeading(actor) && LEADERS_FILES.has(classifyPath(file).kind);
  const [problem] = problems.filter((file) => !skipped(file.path));
  if (problem !== undefined) throw notTaken(problem.path, problem.why);
  const view = context.workTree.view();
  const own = files.filter((file) => !skipped(file.path));
  if (whole === true) for (const file of own) if (!written.has(file.path)) requireOwn(context, actor, file.path, view);
  const taken = own.filter((file) => !isForeign(context, actor, file.path, view));
  for (const file of taken) await requireFit(context, head, file);
  return taken;
}

const assigneeIn = (view: WorkspaceView) => (taskId: string) => view.task(taskId)?.meta?.assigned_to;

/** A folder was asked for as a whole, and this file in it is somebody else's: a lane would not bring it either. */
function isForeign(context: SyncContext, actor: Actor, path: string, view: WorkspaceView): boolean {
  if (takesAll(context, actor, path, view)) return false;
  const verdict = mayWrite(actor, path, assigneeIn(view));
  if (verdict.allowed) return false;
  context.log.warn({ path, owner: verdict.owner, reason: verdict.reason }, 'not published with its folder');
  return true;
}

/** Throws `not-owner`, which tells whose the file is and where it is published. */
function requireOwn(context: SyncContext, actor: Actor, path: string, view: WorkspaceView): void {
  if (takesAll(context, actor, path, view) || mayWrite(actor, path, assigneeIn(view)).allowed) return;
  const assignee = assigneeOf(path, view) ?? '';
  const lane = laneRefOf(context, assignee)?.replace('refs/heads/', '');
  const where = lane === undefined ? 'is not on the roster' : `works in a clone of its own (${lane})`;
  const advice =
    lane === undefined
      ? `put ${assignee} on the roster if this clone is where its work is`
      : `let ${assignee} hand in its work`;
  throw new FlowError('not-owner', `${path} belongs to ${assignee}, who ${where}: it is not published from here`, {
    remedy: `${advice}, or take the file out of the task's folder; then try again`,
    data: { path },
  });
}

/**
 * In solo mode one person edits everybody's files in the one workspace, so the Leader's node takes the hosted
 * Workers' files too. In a team it takes those of agents of the roster that have no lane, hence no clone of their own, and
 * for the others their removal with that of the whole task.
 */
function takesAll(context: SyncContext, actor: Actor, path: string, view: WorkspaceView): boolean {
  if (!isLeading(actor) || !path.startsWith('shared/tasks/')) return false;
  if (context.remote === undefined || isHosted(context, assigneeOf(path, view), view)) return true;
  return context.workTree.bytes(path) === undefined && removedTask(context, path) !== undefined;
}

/** Who has the task in whose folder this is. */
function assigneeOf(path: string, view: WorkspaceView): string | undefined {
  const found = classifyPath(path);
  return 'taskId' in found ? assigneeIn(view)(found.taskId) : undefined;
}

/** An agent of the roster without a lane works where the Leader does (docs/decisions/0032-hand-over.md). */
function isHosted(context: SyncContext, assignee: string | undefined, view: WorkspaceView): boolean {
  if (assignee === undefined || laneRefOf(context, assignee) !== undefined) return false;
  return view.agents().some(({ agent_id: id }) => sameLocalpart(id, assignee));
}

/** The lane of somebody on the remote as it was last seen, by full ref name. */
function laneRefOf({ state, lanePrefix }: SyncContext, localpart: string): string | undefined {
  const found = lanesIn(state.tracked, lanePrefix).find(([ref]) => {
    const owner = localpartOfLane(lanePrefix, ref);
    return owner !== undefined && sameLocalpart(owner, localpart);
  });
  return found?.[0];
}

/** Those of the reported paths that can be looked at: not links, and not behind one. */
export function withinReach({ workTree, log }: SyncContext, paths: readonly string[]): readonly string[] {
  return paths.filter((path) => {
    try {
      if (path.endsWith('/')) workTree.files(path);
      else workTree.bytes(path);
      return true;
    } catch (error) {
      log.warn({ path, reason: String(error) }, 'changed by hand, and cannot be published');
      return false;
    }
  });
}

/** Whether a path stands as this node itself last wrote it: what a watcher reports of the own checkouts. */
export function isOwnEcho({ git, workTree, state }: SyncContext, path: string): boolean {
  if (path.endsWith('/') || !state.placed.has(path)) return false;
  const content = workTree.bytes(path);
  return (content === undefined ? undefined : blobId(git, content)) === state.placed.get(path);
}

export interface HandEdits {
  /** What the node's actor may commit. */
  readonly own: readonly DiskFile[];
  /** What belongs to somebody else. */
  readonly foreign: readonly string[];
  /** What may never be committed as it stands. */
  readonly unfit: readonly UnfitFile[];
}

/**
 * Divides what people changed by hand below these paths by ownership. A record that is broken, or a text with
 * conflict markers, is in the middle of being edited: it is left alone until it holds.
 */
export async function handEdits(context: SyncContext, head: ObjectId, paths: readonly string[]): Promise<HandEdits> {
  const found = new Map<string, DiskFile>();
  const shared = paths.filter((candidate) => isSharedPath(candidate) && candidate.startsWith('shared/'));
  const folders = shared.flatMap((path) => removedTask(context, path) ?? []);
  for (const path of await unlikeCommit(context, head, [...new Set([...shared, ...folders])])) {
    for (const file of (await differing(context, head, path)).files) found.set(file.path, file);
  }
  const files = [...found.values()];
  const before = await context.git.read(files.map(({ path }) => `${head}:${path}`));
  const own: DiskFile[] = [];
  const foreign: string[] = [];
  const unfitFiles: UnfitFile[] = [];
  const view = context.workTree.view();
  const scan = await scanOf(context, view);
  for (const [index, file] of files.entries()) {
    if (!ownsEdit(context, file, before[index], view)) foreign.push(file.path);
    else if (isFinished(file)) {
      const problem = unfit(context, file, before[index], scan);
      if (problem === undefined) own.push(file);
      else unfitFiles.push(problem);
    }
  }
  return { own, foreign, unfit: unfitFiles };
}

/** The folder of a task whose record is gone from the disk: whoever removes a task removes what others left in it. */
function removedTask({ workTree }: SyncContext, path: string): string | undefined {
  const found = classifyPath(path);
  if (!('taskId' in found)) return undefined;
  const { dir, meta } = taskPaths(found.taskId);
  return workTree.bytes(meta) === undefined ? dir : undefined;
}

/** Those of the paths that do not stand as committed; directories are looked at by the caller. One question to git. */
async function unlikeCommit(
  { git, workTree }: SyncContext,
  head: ObjectId,
  paths: readonly string[],
): Promise<readonly string[]> {
  const ids = await git.resolve(paths.map((path) => `${head}:${path.replace(/\/$/, '')}`));
  return paths.filter((path, index) => {
    // A folder that is gone here and there has nothing to be compared.
    if (path.endsWith('/')) return ids[index] !== undefined || workTree.files(path).paths.length > 0;
    const content = workTree.bytes(path);
    return (content === undefined ? undefined : blobId(git, content)) !== ids[index];
  });
}

/** A text with unfinished merges, or a record that cannot be read, is still being worked on. */
function isFinished({ path, content }: DiskFile): boolean {
  if (content === undefined) return true;
  const text = decode(content);
  const { kind } = classifyPath(path);
  const isRecord = path.startsWith('shared/') && path.endsWith('.json') && kind !== 'task-other';
  if (text === undefined) return !isRecord && kind !== 'project-plan';
  if (/^<{7} /m.test(text) && /^>{7} /m.test(text)) return false;
  return !isRecord || 'value' in parseJson(text, path);
}

/** The ownership table decides, for records by field and lifecycle. */
function ownsEdit(context: SyncContext, file: DiskFile, before: Uint8Array | undefined, view: WorkspaceView): boolean {
  const { actor } = context;
  const { path, content } = file;
  const { kind } = classifyPath(path);
  if (takesAll(context, actor, path, view)) return true;
  if (!mayWrite(actor, path, assigneeIn(view)).allowed) return false;
  if (isLeading(actor) || (kind !== 'task-meta' && kind !== 'agent')) return true;
  const [old, fresh] = [recordOf(before, path), recordOf(content, path)];
  if (content === undefined) return false;
  if (fresh === undefined) return true;
  if (kind === 'agent') return forbiddenAgentFields(old, fresh).length === 0;
  if (forbiddenMetaFields(old, fresh).length > 0) return false;
  const [from, to] = [old, fresh].map((record) =>
    record === undefined ? undefined : canonicalTask(record).record['status'],
  );
  return !isTaskStatus(from) || !isTaskStatus(to) || isLegalPath(from, to, 'worker');
}

function recordOf(bytes: Uint8Array | undefined, path: string): Record<string, unknown> | undefined {
  const parsed = bytes === undefined ? undefined : parseJson(decode(bytes) ?? '', path);
  return parsed !== undefined && 'value' in parsed ? parsed.value : undefined;
}

/** The change that commits a hand edit. A Worker's own fields in a record are written, since adopting leaves records out. */
export function changeFor({ path }: DiskFile, actor: Actor, view: WorkspaceView): Change {
  const text = view.text(path);
  const byField = !isLeading(actor) && classifyPath(path).kind === 'task-meta';
  return byField && text !== undefined ? { kind: 'write', path, text } : { kind: 'adopt', path };
}
