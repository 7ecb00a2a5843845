import type { TeamSettings } from '../protocol/records/team-types.ts';
import type { Acceptance, ProjectMeta } from '../protocol/records/types.ts';
import type { WorkspaceView } from '../protocol/view.ts';
import { automaticSteps, isWorked } from './project-lifecycle.ts';

/** Projects without a plan by a Leader, whose results count by themselves unless they say otherwise. */
const BY_THEMSELVES: ReadonlySet<string> = new Set(['inbox', 'composite']);

/** Who accepts the results of a project (features.md §2.1 C3): its own word, that of its mode, the team's. */
export function acceptanceOf(
  { acceptance, mode = '' }: Pick<ProjectMeta, 'acceptance' | 'mode'>,
  team: Pick<TeamSettings, 'policies'>,
): Acceptance {
  if (acceptance !== undefined) return acceptance;
  return BY_THEMSELVES.has(mode) ? 'auto' : team.policies.acceptance;
}

/** What a project's own rules call for, without anybody's word. */
export type AutomaticWork =
  | { readonly operation: 'project.accept_automatically'; readonly projectId: string; readonly taskId: string }
  | { readonly operation: 'project.advance'; readonly projectId: string };

/** Submitted results that count by themselves, and projects that may go on to testing or review, among these projects. */
export function automaticWork(view: WorkspaceView, among: readonly string[]): readonly AutomaticWork[] {
  return among.flatMap((projectId): readonly AutomaticWork[] => {
    const entry = view.project(projectId);
    if (entry?.meta === undefined || !isWorked(entry.meta)) return [];
    const { meta, plan } = entry;
    const isAuto = acceptanceOf(meta, view.team) === 'auto';
    const submitted = isAuto
      ? plan.nodes.filter((node) => node.status === 'delegated' && isSubmitted(view, node.id))
      : [];
    // A project starts with its first task; what is left to start is of a time before there were phases.
    const goesOn = automaticSteps(meta, plan, view.team.policies).some((event) => event !== 'start');
    return [
      ...submitted.map(({ id }) => ({ operation: 'project.accept_automatically', projectId, taskId: id }) as const),
      ...(goesOn ? [{ operation: 'project.advance', projectId } as const] : []),
    ];
  });
}

function isSubmitted(view: WorkspaceView, taskId: string): boolean {
  return view.task(taskId)?.meta?.status === 'submitted';
}
