import { sameLocalpart } from './identity.ts';
import { isRecord, sameJson } from './json.ts';
import type { JsonRecord } from './json.ts';
import { foldName, isLeadersName, isReservedName, steersGit } from './names.ts';
import { classifyPath } from './paths.ts';
import type { PathClass } from './paths.ts';
import { isGiven, own } from './records/fields.ts';
import { canonicalTask } from './records/task.ts';
import type { Actor } from './records/types.ts';
import { isLeading } from './roles.ts';

/** The fields of a task record that its assignee writes (protocol.md §2); all others are the Leader's. */
export const OWNED_TASK_FIELDS: ReadonlySet<string> = new Set([
  'status',
  'acknowledged_at',
  'acknowledged_by_role',
  'submitted_at',
  'submitted_by_role',
  'submission_id',
  'result_status',
  'result_path',
  'result_digest',
  'summary',
  'deliverables',
  'continuation',
  'completion_event_id',
  'completion_event_status',
  'attention',
  'history',
  'progress',
]);

/** The part of an attention record that only who answers it writes, in every spelling that is read. */
const ANSWER_FIELDS = ['answer', 'answeredBy', 'answered_by', 'answeredAt', 'answered_at'] as const;

/** What is said once: whatever rests on it must be able to trust that it stays (protocol.md §5, "submission_id"). */
const SAID_ONCE: ReadonlySet<string> = new Set([
  'acknowledged_at',
  'acknowledged_by_role',
  'submitted_at',
  'submitted_by_role',
  'submission_id',
  'result_digest',
]);

/** How far a Worker's word goes: the rest of the lifecycle is the Leader's. */
const WORKER_STATUSES: ReadonlySet<unknown> = new Set(['in_progress', 'submitted']);

export type WriteVerdict =
  | { readonly allowed: true }
  /** `owner` completes "belongs to the …"; `reason` says which rule it is. */
  | { readonly allowed: false; readonly owner: string; readonly reason: string };

const ALLOWED: WriteVerdict = { allowed: true };

/**
 * Whether somebody may write at a path at all (protocol.md §2, architecture.md "Files and owners"). Two kinds of file
 * are owned by field as well: see `forbiddenMetaFields` and `forbiddenAgentFields`. A directory is judged by its
 * name only: whoever takes all that is in it has to ask for each file.
 */
export function mayWrite(actor: Actor, path: string, assigneeOf: (taskId: string) => string | undefined): WriteVerdict {
  const place = classifyPath(path);
  if (place.kind === 'events') return eventLog(actor, place.writer);
  if (place.kind === 'global') return refused('administrator', 'global-shared/ is read-only');
  const verdict = isLeading(actor)
    ? leaderVerdict(actor, place, path, assigneeOf)
    : workerVerdict(actor, place, path, assigneeOf);
  return verdict ?? ALLOWED;
}

/**
 * The keys of a task record that a Worker changed but may not, in canonical spelling. Pass the raw JSON values;
 * `before` is `undefined` for a record that the Worker made up. Rewriting a record of another dialect in Baton's
 * form changes nothing.
 */
export function forbiddenMetaFields(before: JsonRecord | undefined, after: JsonRecord): readonly string[] {
  const old = before === undefined ? {} : canonicalTask(before).record;
  const fresh = canonicalTask(after).record;
  return changedKeys(old, fresh).filter((key) => {
    if (!OWNED_TASK_FIELDS.has(key)) return true;
    if (key === 'status') return !WORKER_STATUSES.has(fresh[key]);
    if (key === 'attention') return !sameJson(answersIn(old[key]), answersIn(fresh[key]));
    if (SAID_ONCE.has(key)) return isGiven(own(old, key));
    return key === 'continuation' && (isResolved(old[key]) || isResolved(fresh[key]));
  });
}

/** The keys of its own record that an agent changed but may not: all but `status`. */
export function forbiddenAgentFields(before: JsonRecord | undefined, after: JsonRecord): readonly string[] {
  return changedKeys(before ?? {}, after).filter((key) => before === undefined || key !== 'status');
}

function changedKeys(before: JsonRecord, after: JsonRecord): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !sameJson(own(before, key) ?? null, own(after, key) ?? null));
}

/** A Worker asks and does not answer itself, nor unsay what it was told. */
function answersIn(attention: unknown): unknown {
  if (!Array.isArray(attention)) return [];
  const records: readonly unknown[] = attention;
  return records.flatMap((record) => {
    const said = isRecord(record) ? ANSWER_FIELDS.map((field) => own(record, field) ?? null) : [];
    return isRecord(record) && said.some((value) => value !== null)
      ? [[own(record, 'kind') ?? null, own(record, 'attempt') ?? null, ...said]]
      : [];
  });
}

/** A submission is closed by whoever decides on it (protocol.md §7.7). */
function isResolved(continuation: unknown): boolean {
  return isRecord(continuation) && own(continuation, 'status') === 'resolved';
}

function refused(owner: string, reason: string): WriteVerdict {
  return { allowed: false, owner, reason };
}

function eventLog({ localpart }: Actor, writer: string): WriteVerdict {
  return sameLocalpart(localpart, writer) ? ALLOWED : refused(`writer ${writer}`, 'an event log has one writer');
}

type Judge = (
  actor: Actor,
  place: PathClass,
  path: string,
  assigneeOf: (taskId: string) => string | undefined,
) => WriteVerdict | undefined;

/** The Leader writes everything but results and workspaces of others, and what belongs to a clone. */
const leaderVerdict: Judge = (actor, place, path, assigneeOf) => {
  if (place.kind === 'task-result' || place.kind === 'task-other') {
    return assigneeVerdict(actor, assigneeOf(place.taskId));
  }
  return place.kind === 'other' ? outside(path) : undefined;
};

const workerVerdict: Judge = (actor, place, path, assigneeOf) => {
  if (place.kind === 'task-spec' || place.kind === 'task-base') {
    return refused('leader', 'spec.md and base/ say what the task is');
  }
  if (place.kind === 'task-late') return refused('leader', 'late/ keeps what others have handed in');
  if ('taskId' in place) {
    const verdict = assigneeVerdict(actor, assigneeOf(place.taskId));
    return verdict ?? (place.kind === 'task-other' ? taskFile(path) : undefined);
  }
  if (place.kind === 'agent' && sameLocalpart(actor.localpart, place.agentId)) return undefined;
  return refused('leader', 'a worker writes in its own tasks and in its own agent record only');
};

function assigneeVerdict({ localpart }: Actor, assignee: string | undefined): WriteVerdict | undefined {
  if (assignee === undefined || assignee === '') return refused('assignee', 'the task is assigned to nobody');
  if (sameLocalpart(localpart, assignee)) return undefined;
  return refused(`worker ${assignee}`, 'only the assignee writes the record, the result and the workspace of a task');
}

/** Names in a task's folder that look like the Leader's, or that make git treat the rest of the folder differently. */
function taskFile(path: string): WriteVerdict | undefined {
  const [name = '', ...rest] = path.split('/').slice(3);
  if (isLeadersName(name)) {
    return refused('leader', `${name} takes the place of a file of the leader`);
  }
  return [name, ...rest].some(steersGit) ? refused('leader', 'git would treat other files differently') : undefined;
}

/** What is not shared: the Leader's where it is part of the repository, nobody's where it is part of one clone. */
function outside(path: string): WriteVerdict | undefined {
  const segments = path.replace(/\/$/, '').split('/');
  const first = foldName(segments[0] ?? '');
  const local = first === '.baton' || first === 'baton.json' || segments.some(isReservedName);
  return local ? refused('owner of the clone', 'it is not part of the shared tree') : undefined;
}
