import { FlowError } from './errors.ts';
import { isReservedName } from './names.ts';

/** Longest id that Baton gives out (protocol.md §1.1). */
export const MAX_ID = 128;

/** No file system holds a longer directory name. */
const LONGEST_NAME = 255;

/** Room for the stamp, the counter and the task numbers that are put behind a slug. */
const LONGEST_SLUG = 80;

/** protocol.md §1.1: both grammars met in the wild, so that existing trees can be read. */
const READABLE = /^(?:[A-Za-z0-9_-]+|[A-Za-z0-9][A-Za-z0-9._-]*)$/;

const NEW = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$/;

/** Whether a project or task may be read under this id; `.` and `..` never match. */
export function isReadableId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_NAME && READABLE.test(value);
}

/**
 * The id of something that is created now, trimmed (protocol.md §1.1). Throws `invalid-argument` for what is unsafe
 * as a directory name anywhere.
 */
export function requireNewId(value: unknown, field: string): string {
  const id = typeof value === 'string' ? value.trim() : '';
  if (id.length <= MAX_ID && NEW.test(id) && !id.includes('..') && !isReservedName(id)) return id;
  throw invalidId(value, field);
}

/** The id of something that may exist, trimmed. Throws `invalid-argument`. */
export function requireReadableId(value: unknown, field: string): string {
  const id = typeof value === 'string' ? value.trim() : value;
  if (isReadableId(id)) return id;
  throw invalidId(value, field);
}

/** The readable part of a generated project id (protocol.md §1.1). */
export function slugOf(title: string): string {
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_SLUG)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'project' : slug;
}

/** The built-in project of tasks that name none (features.md C2). */
export const INBOX = 'inbox';

/** What numbered ids begin with where the team has chosen nothing else (features.md S002-34). */
export const ID_PREFIX = 'TASK';

/** `TASK-001`, as the task engine counts (features.md §7.6). */
export function numberedId(number: number, prefix: string = ID_PREFIX): string {
  return `${prefix}-${String(number).padStart(3, '0')}`;
}

/** The number in a `TASK-001`, however it is cased: some disks cannot tell the cases apart. */
export function numberOfId(id: string, prefix: string): number | undefined {
  const digits = id.toLowerCase().startsWith(`${prefix.toLowerCase()}-`) ? id.slice(prefix.length + 1) : '';
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}

/** Whether an id may be numbered, by this prefix or an earlier one. */
export function isNumberedId(id: string): boolean {
  return /^[A-Za-z]\w*-\d{1,9}$/.test(id);
}

/** `<projectId>-01`: a node of a project whose ids Baton gives out. */
export function nodeId(projectId: string, number: number): string {
  return `${projectId}-${String(number).padStart(2, '0')}`;
}

/** The number of a node that `nodeId` may have named; `undefined` for every other id. */
export function numberOfNode(projectId: string, id: string): number | undefined {
  const digits = id.startsWith(`${projectId}-`) ? /^\d{1,9}$/.exec(id.slice(projectId.length + 1))?.[0] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

/** The node that a caller of the task engine means by `subtask_01` (features.md C6); other names are ids already. */
export function nodeOfSubtask(projectId: string, name: string): string {
  const digits = /^subtask_(\d{1,9})$/i.exec(name.trim())?.[1];
  return digits === undefined ? name.trim() : nodeId(projectId, Number(digits));
}

/** `subtask_01` for the node `TASK-001-01`; ids that `nodeOfSubtask` would not find again are their own names. */
export function subtaskOfNode(projectId: string, id: string): string {
  const number = numberOfNode(projectId, id);
  return number === undefined || nodeId(projectId, number) !== id ? id : `subtask_${String(number).padStart(2, '0')}`;
}

function invalidId(value: unknown, field: string): FlowError {
  return new FlowError('invalid-argument', `invalid id: ${field} must be a safe id: ${shown(value)}`, {
    remedy: `use letters, digits, - and _, beginning with a letter or digit, at most ${MAX_ID} characters`,
  });
}

/** Somebody else's text in one of our sentences: short, and on one line. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
  return text.slice(0, LONGEST_NAME).replace(/\p{Cc}/gu, '\u{FFFD}');
}
