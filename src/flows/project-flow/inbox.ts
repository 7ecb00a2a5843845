import type { Change } from '../../protocol/changes.ts';
import { INBOX } from '../../protocol/ids.ts';
import { projectPaths } from '../../protocol/paths.ts';
import { parsePlan } from '../../protocol/plan/parse.ts';
import { initialPlan } from '../../protocol/plan/render.ts';
import type { EventDraft, ProjectMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { requireProject, writeProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';

export interface Inbox {
  readonly project: OpenProject;
  /** What makes it, where it is not there yet; its plan is written by whoever plans the first task. */
  readonly changes: readonly Change[];
  readonly events: readonly EventDraft[];
}

/** features.md C2: tasks that name no project are nodes of this one, which the first of them makes. */
export function inboxOf(view: WorkspaceView, now: string): Inbox {
  const isThere = view.exists(projectPaths(INBOX).meta) || view.project(INBOX) !== undefined;
  if (isThere) return { project: requireProject(view, INBOX), changes: [], events: [] };
  const title = 'Inbox';
  const meta: ProjectMeta = {
    project_id: INBOX,
    title,
    status: 'active',
    created_at: now,
    mode: 'inbox',
    acceptance: 'auto',
  };
  const planText = initialPlan({ title, projectId: INBOX, createdAt: now });
  return {
    project: { id: INBOX, meta, plan: parsePlan(planText), planText, diagnostics: [] },
    changes: [writeProject(meta)],
    events: [
      {
        type: 'project.created',
        action: 'create_task',
        subject: { kind: 'project', id: INBOX },
        to: meta.status,
        note: title,
      },
    ],
  };
}
