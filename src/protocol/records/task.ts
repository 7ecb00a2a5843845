import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { hasErrors } from '../diagnostic.ts';
import { isReadableId } from '../ids.ts';
import { isUserId, localpartOf, serverOf } from '../identity.ts';
import type { JsonRecord } from '../json.ts';
import { taskPaths } from '../paths.ts';
import {
  isGiven,
  mismatch,
  missingField,
  nested,
  own,
  raisedFindings,
  readRecord,
  renderRecord,
  respell,
  singleLine,
  spellingsOf,
  time,
  unknownPart,
} from './fields.ts';
import type { RecordShape, Respelled } from './fields.ts';
import { ATTENTION_KINDS, PRIORITIES, RESULT_STATUSES, TASK_STATUSES } from './types.ts';
import type { HistoryEntry, TaskMeta } from './types.ts';

/** protocol.md §5: older entries live on in git. */
export const MAX_HISTORY = 50;

const FIELDS = {
  task_id: z.string(),
  project_id: z.string().refine(isReadableId, 'expected the id of a project'),
  task_title: singleLine,
  assigned_to: z.string(),
  assigned_to_mxid: z.string(),
  earlier_assignees: z.array(z.string()),
  room_id: z.string(),
  status: z.enum(TASK_STATUSES),
  depends_on: z.array(z.string()),
  type: z.string(),
  priority: z.enum(PRIORITIES),
  agent_type: z.string(),
  required_capabilities: z.array(z.string()),
  parent_task_id: z.string(),
  created_at: time,
  created_by: z.string(),
  eta: time,
  tags: z.array(z.string()),
  progress: z.number().min(0).max(100),
  assigned_at: time,
  acknowledged_at: time,
  acknowledged_by_role: z.string(),
  submitted_at: time,
  submitted_by_role: z.string(),
  event_id: z.string(),
  notify_txn: z.string(),
  spec_path: z.string(),
  result_path: z.string(),
  source_room_id: z.string(),
  result_status: z.enum(RESULT_STATUSES),
  summary: z.string(),
  deliverables: z.array(z.string()),
  submission_id: z.string(),
  result_digest: z.string(),
  continuation: nested({
    status: z.enum(['pending', 'resolved']),
    delivery_id: z.string(),
    resolution: z.enum(['completed', 'revision', 'blocked', 'cancelled']).exactOptional(),
    resolved_at: z.string().exactOptional(),
  }),
  cancel_reason: z.string(),
  replacement_task_id: z.string(),
  cancelled_at: time,
  completed_at: time,
  accepted_by: z.string(),
  blocked_reason: z.string(),
  failed_at: time,
  failure_reason: z.string(),
  superseded_by: z.string(),
  supersedes: z.string(),
  delegate_reason: z.string(),
  sla_due_at: time,
  sla_violated_at: time,
  raised: raisedFindings,
  completion_event_id: z.string(),
  completion_event_status: z.string(),
  attention: z.array(
    nested({
      kind: z.enum(ATTENTION_KINDS),
      question: z.string(),
      attempt: z.int(),
      requestedAt: z.string(),
      resolved: z.boolean(),
      eventId: z.string().exactOptional(),
      answer: z.string().exactOptional(),
      answeredBy: z.string().exactOptional(),
      answeredAt: z.string().exactOptional(),
    }),
  ),
  history: z.array(
    nested({
      ts: z.string(),
      from: z.string(),
      to: z.string(),
      action: z.string(),
      actor: z.string(),
      note: z.string().exactOptional(),
      truncated: z.boolean().exactOptional(),
    }),
  ),
  metadata: z.record(z.string(), z.unknown()),
} satisfies Record<Exclude<keyof TaskMeta, 'unknown'>, z.ZodType>;

const SPELLINGS = spellingsOf(Object.keys(FIELDS));

/** For records without `assigned_at`: there the assignment was the creation (protocol.md §5). */
const SPELLINGS_UNDATED = new Map([...SPELLINGS, ['createdAt', 'assigned_at']]);

const SHAPE: RecordShape<typeof FIELDS> = {
  fields: FIELDS,
  required: ['task_id', 'project_id'],
  essential: ['task_id', 'project_id', 'status'],
  canonical: canonicalTask,
};

/**
 * A raw task record in the form in which Baton writes it: snake_case keys, `status` and `assigned_to` present, the
 * assignee as a localpart with the full id beside it (protocol.md §5). Two records that differ only by dialect are
 * equal afterwards.
 */
export function canonicalTask(raw: JsonRecord): Respelled {
  const dated = isGiven(own(raw, 'assigned_at')) || isGiven(own(raw, 'assignedAt'));
  const { record, origins } = respell(raw, dated ? SPELLINGS : SPELLINGS_UNDATED);
  const given = own(record, 'status');
  const status = given === 'planned' ? 'pending' : isGiven(given) ? given : 'assigned';
  const title = own(record, 'task_title');
  return {
    record: {
      ...record,
      ...(isGiven(title) ? {} : { task_title: own(record, 'task_id') }),
      status,
      ...assigneeOf(record),
    },
    origins,
  };
}

function assigneeOf(record: JsonRecord): JsonRecord {
  const raw = own(record, 'assigned_to') ?? '';
  if (typeof raw !== 'string') return {};
  const localpart = raw.trim() === '-' ? '' : localpartOf(raw);
  const full = `@${localpart}:${serverOf(raw) ?? ''}`;
  const known = isGiven(own(record, 'assigned_to_mxid')) || !isUserId(full);
  return { assigned_to: localpart, ...(known ? {} : { assigned_to_mxid: full }) };
}

/**
 * `shared/tasks/<id>/meta.json` (protocol.md §5). No `meta` without an id, a project and a status that hold. A missing
 * assignee reads as `''` (the plan node may know one), a missing title as the id.
 */
export function parseTaskMeta(
  text: string,
  id: string,
): { readonly meta?: TaskMeta; readonly diagnostics: readonly Diagnostic[] } {
  const file = taskPaths(id).meta;
  const { values, unknown, diagnostics } = readRecord(text, file, SHAPE);
  const { task_id: taskId, project_id: projectId, status } = values;
  if (taskId !== undefined && taskId !== id) {
    return { diagnostics: [...diagnostics, mismatch(text, file, 'task_id', taskId, id)] };
  }
  if (hasErrors(diagnostics) || taskId === undefined || projectId === undefined || status === undefined) {
    return { diagnostics };
  }
  const { task_title: title = taskId, assigned_to: assignedTo = '' } = values;
  return {
    meta: {
      ...values,
      task_id: taskId,
      project_id: projectId,
      task_title: title,
      assigned_to: assignedTo,
      status,
      ...unknownPart(unknown),
    },
    diagnostics: assignedTo === '' && status !== 'pending' ? [...diagnostics, nobody(file)] : diagnostics,
  };
}

function nobody(file: string): Diagnostic {
  return { ...missingField(file, 'assigned_to'), severity: 'warning' };
}

/** Schema order, then unknown keys (protocol.md §3). */
export function renderTaskMeta(meta: TaskMeta): string {
  return renderRecord(FIELDS, meta, meta.unknown);
}

/** Adds the newest entry and keeps the last 50 (protocol.md §8.4). */
export function appendHistory(meta: TaskMeta, entry: HistoryEntry): TaskMeta {
  return { ...meta, history: [...(meta.history ?? []), entry].slice(-MAX_HISTORY) };
}
