import { z } from 'zod';
import { isNumberedId } from '../../protocol/ids.ts';
import { projectPaths } from '../../protocol/paths.ts';
import { proseLines } from '../../protocol/plan/prose.ts';
import { initialPlan } from '../../protocol/plan/render.ts';
import { parseProjectMeta } from '../../protocol/records/project.ts';
import { ACCEPTANCES } from '../../protocol/records/types.ts';
import type { ProjectMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { nextTaskId } from '../../rules/next-id.ts';
import { isTerminalProject } from '../../rules/project-lifecycle.ts';
import { presentProject } from '../present.ts';
import { LEADERS, writeProject } from '../shared.ts';
import { defineOperation } from '../types.ts';
import { etaOf, optional, titleOf, workFields } from '../work-fields.ts';

/** features.md C1: what the task engine calls a task is a project whose subtasks are the nodes of its plan. */
export const createComposite = defineOperation({
  name: 'project.create_composite',
  kind: 'command',
  roles: LEADERS,
  summary: 'Create a task of several subtasks, which begins once its plan is approved.',
  input: z.object({
    ...workFields,
    plan: z.string().optional().describe('how it is to be done, Markdown; stands in plan.md'),
    acceptance: z.enum(ACCEPTANCES).optional().describe('who accepts results, default auto: at once'),
  }),
  fresh: 'required',
  precheck: ({ input: { title, eta }, now }) => {
    titleOf(title);
    etaOf(eta, now);
  },
  run({ view, input, now }) {
    const id = nextTaskId(view);
    const title = titleOf(input.title);
    const meta: ProjectMeta = {
      project_id: id,
      title,
      status: 'active',
      created_at: now,
      mode: 'composite',
      phase: 'planning',
      acceptance: input.acceptance ?? 'auto',
      priority: input.priority ?? 'P2',
      ...optional('description', input.description),
      ...optional('eta', etaOf(input.eta, now)),
      ...optional('tags', input.tags),
    };
    const prose = proseLines(input.plan ?? '');
    return {
      changes: [
        writeProject(meta),
        {
          kind: 'write',
          path: projectPaths(id).plan,
          text: initialPlan({ title, projectId: id, createdAt: now, prose }),
        },
      ],
      events: [
        {
          type: 'project.created',
          action: 'create_composite',
          subject: { kind: 'project', id },
          to: 'planning',
          note: title,
        },
      ],
      announcements: [],
      output: { project: presentProject(meta), ...warningOf(view) },
    };
  },
});

/** Too many tasks at a time are allowed, and told (features.md §7.3). */
function warningOf(view: WorkspaceView): { readonly warning?: string } {
  const { maxActive } = view.team.policies;
  const open = 1 + view.projectIds().filter((id) => isNumberedId(id) && isOpen(view, id)).length;
  return maxActive === 0 || open <= maxActive
    ? {}
    : { warning: `${open} tasks are open, more than policies.maxActive (${maxActive})` };
}

/** Only the record is read: plans are long. */
function isOpen(view: WorkspaceView, id: string): boolean {
  const { meta } = parseProjectMeta(view.text(projectPaths(id).meta) ?? '', id);
  return meta?.mode === 'composite' && !isTerminalProject(meta.status);
}
