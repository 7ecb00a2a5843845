import type { ProjectEntry, WorkspaceView } from '../../protocol/view.ts';
import { workFacts } from '../../protocol/work/facts.ts';
import type { WorkFacts } from '../../protocol/work/facts.ts';
import type { OperationContext } from '../types.ts';

/** What all live work says: from the index, where the operation asked for it and there is one. */
export function factsOf({ view, facts }: Pick<OperationContext<unknown>, 'view' | 'facts'>): WorkFacts {
  return facts.work?.() ?? workFacts(view);
}

/** Whose record names its project; a node that has none yet is looked for in the plans. */
export function projectOf(view: WorkspaceView, id: string): ProjectEntry | undefined {
  const owner = view.task(id)?.meta?.project_id;
  if (owner !== undefined) return view.project(owner);
  const owners = view.projectIds().flatMap((projectId) => view.project(projectId) ?? []);
  return owners.find(({ plan }) => plan.nodes.some((node) => node.id === id));
}
