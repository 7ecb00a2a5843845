import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { hasErrors } from '../diagnostic.ts';
import { projectPaths } from '../paths.ts';
import {
  isGiven,
  mismatch,
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
import type { RecordShape } from './fields.ts';
import { ACCEPTANCES, PHASES, PRIORITIES } from './types.ts';
import type { ProjectMeta } from './types.ts';

const FIELDS = {
  project_id: z.string(),
  title: singleLine,
  status: z.enum(['active', 'paused', 'completed', 'failed', 'rejected', 'blocked', 'planning']),
  source: z.string(),
  requester: z.string(),
  parent_task_id: z.string(),
  created_at: time,
  planned_at: time,
  planned_later: z.record(z.string(), time),
  plan_type: z.string(),
  mode: z.string(),
  phase: z.enum(PHASES),
  acceptance: z.enum(ACCEPTANCES),
  priority: z.enum(PRIORITIES),
  description: z.string(),
  plan: nested({
    summary: z.string().exactOptional(),
    approved_by: z.string().exactOptional(),
    approved_at: z.string().exactOptional(),
  }),
  eta: time,
  tags: z.array(z.string()),
  team_id: z.string(),
  reply_route: nested({
    channel: z.string(),
    target_user: z.string().exactOptional(),
    target_session: z.string(),
  }),
  source_room_id: z.string(),
  requester_report: nested({
    pending: z.boolean(),
    reason: z.string().exactOptional(),
    task_id: z.string().exactOptional(),
    result_status: z.string().exactOptional(),
    summary: z.string().exactOptional(),
    report_path: z.string().exactOptional(),
    sent_at: z.string().exactOptional(),
    told: z.record(z.string(), z.string()).exactOptional(),
  }),
  sla_due_at: time,
  sla_violated_at: time,
  raised: raisedFindings,
  pause_reason: z.string(),
  blocked_reason: z.string(),
  failure_reason: z.string(),
  started_at: time,
  reopened: z.int().min(0),
  updated_by: z.string(),
  updated_at: time,
  completed_at: time,
  project_completion_event_id: z.string(),
} satisfies Record<Exclude<keyof ProjectMeta, 'unknown'>, z.ZodType>;

const SPELLINGS = spellingsOf(Object.keys(FIELDS));

const SHAPE: RecordShape<typeof FIELDS> = {
  fields: FIELDS,
  required: ['project_id', 'title'],
  essential: ['project_id', 'title', 'status'],
  canonical(raw) {
    const { record, origins } = respell(raw, SPELLINGS);
    const status = own(record, 'status');
    return { record: isGiven(status) ? record : { ...record, status: 'active' }, origins };
  },
};

/**
 * `shared/projects/<id>/meta.json` (protocol.md §4). No `meta` without an id, a title and a status that hold; any
 * other defect is a warning, and the value stays in the file.
 */
export function parseProjectMeta(
  text: string,
  id: string,
): { readonly meta?: ProjectMeta; readonly diagnostics: readonly Diagnostic[] } {
  const file = projectPaths(id).meta;
  const { values, unknown, diagnostics } = readRecord(text, file, SHAPE);
  const { project_id: projectId, title, status } = values;
  if (projectId !== undefined && projectId !== id) {
    return { diagnostics: [...diagnostics, mismatch(text, file, 'project_id', projectId, id)] };
  }
  if (hasErrors(diagnostics) || projectId === undefined || title === undefined || status === undefined) {
    return { diagnostics };
  }
  return { meta: { ...values, project_id: projectId, title, status, ...unknownPart(unknown) }, diagnostics };
}

/** Schema order, then unknown keys (protocol.md §3). */
export function renderProjectMeta(meta: ProjectMeta): string {
  return renderRecord(FIELDS, meta, meta.unknown);
}
