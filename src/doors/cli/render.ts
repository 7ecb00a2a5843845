import type { Envelope } from '../../app-types.ts';
import { isFields, projectWordOf, wordOf, type Fields } from './answer.ts';
import { clip, printable, printableLines, table, type Palette } from './text.ts';

/**
 * Any answer as a few aligned lines. What every answer carries is left out or shortened, known records get one line,
 * lists one line an entry; what is not known by name is still shown, so that nothing an action answers is hidden.
 */
export function renderEnvelope(envelope: Envelope, palette: Palette, width: number): string {
  const rows: string[][] = [];
  const blocks: string[] = [];
  for (const [key, value] of Object.entries(envelope)) {
    if (HIDDEN.has(key) || value === undefined || value === null) continue;
    if (LONG_TEXTS.has(key) && typeof value === 'string') blocks.push(printableLines(value));
    else rows.push(...rowsOf(key, value, palette, width));
  }
  const head = palette.green('done') + marksOf(envelope, palette);
  const body = table([[head, printable([envelope.tool, envelope.action].filter(Boolean).join(' '))], ...rows]);
  return [body, ...blocks].join('\n\n');
}

/** Said by the head line, or only of use to programs. */
const HIDDEN: ReadonlySet<string> = new Set([
  'ok',
  'tool',
  'action',
  'dryRun',
  'reused',
  'unchanged',
  'notificationNeeded',
]);

const LONG_TEXTS: ReadonlySet<string> = new Set(['spec', 'text', 'report', 'assignmentMessage']);

function marksOf(envelope: Envelope, palette: Palette): string {
  const marks = [
    envelope['dryRun'] === true ? 'dry run' : undefined,
    envelope['reused'] === true ? 'as before' : undefined,
    envelope['unchanged'] === true ? 'unchanged' : undefined,
  ].filter((mark) => mark !== undefined);
  return marks.length === 0 ? '' : palette.dim(` (${marks.join(', ')})`);
}

function rowsOf(key: string, value: unknown, palette: Palette, width: number): readonly string[][] {
  const name = palette.dim(key);
  const room = Math.max(24, width - 18);
  if (Array.isArray(value)) {
    if (value.length === 0) return [[name, palette.dim('none')]];
    return value.map((entry, index) => [index === 0 ? name : '', clip(lineOf(entry), room)]);
  }
  return [[name, clip(lineOf(value), room)]];
}

/** One value in one line: records by their telling fields, others as compact JSON. */
function lineOf(value: unknown): string {
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (!isFields(value)) return wordOf(value) || JSON.stringify(value);
  const known = TELLING.find(({ has }) => has in value);
  if (known === undefined) return printable(JSON.stringify(value));
  const told: Fields = known.has === 'project_id' ? { ...value, status: projectWordOf(value) } : value;
  return known.shows
    .map((field) => told[field])
    .map(partOf)
    .filter((part) => part !== '')
    .join('  ');
}

function partOf(part: unknown): string {
  if (Array.isArray(part)) return part.map(partOf).join(', ');
  return isFields(part) ? printable(JSON.stringify(part)) : printable(wordOf(part));
}

/** Which fields tell a record, by the field that gives it away; the first that fits is taken. */
const TELLING: readonly { readonly has: string; readonly shows: readonly string[] }[] = [
  {
    has: 'issueType',
    shows: ['issueType', 'projectId', 'taskId', 'taskTitle', 'assignedTo', 'recommendation', 'error'],
  },
  { has: 'task_title', shows: ['task_id', 'status', 'assigned_to', 'task_title', 'submission_id'] },
  { has: 'task_id', shows: ['task_id', 'status', 'assigned_to', 'title'] },
  { has: 'project_id', shows: ['project_id', 'status', 'title'] },
  { has: 'stop_condition', shows: ['status', 'current_iteration', 'max_iterations', 'goal'] },
  { has: 'deliverables', shows: ['status', 'summary', 'deliverables', 'notes'] },
  { has: 'sent', shows: ['sent', 'assignee', 'roomId', 'reason', 'error', 'eventId'] },
  { has: 'remedy', shows: ['severity', 'kind', 'file', 'line', 'message', 'remedy'] },
  {
    has: 'agent_id',
    shows: ['agent_id', 'name', 'matrix_user_id', 'role', 'status', 'capabilities', 'current_tasks', 'team_room'],
  },
  { has: 'sessionId', shows: ['kind', 'roomId', 'name', 'projectId'] },
  { has: 'eventId', shows: ['at', 'room', 'sender', 'text'] },
];
