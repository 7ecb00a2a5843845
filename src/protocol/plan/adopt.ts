import type { ProjectMeta } from '../records/types.ts';
import { importPlan } from './import.ts';
import { initialPlan } from './render.ts';
import { replaceDag, replaceLoop } from './rewrite.ts';

/** The list that upstream renders from its own graph and never reads back (protocol.md §6.3). */
const DERIVED = /^## Tasks[ \t]*$/m;

/**
 * The plan.md that a project of upstream's dialect should have: its graph stands in meta.json (protocol.md §16.3).
 * Call it for a plan without any task line; `undefined` when the record carries no graph either. A rendered list of
 * upstream's is not kept, since nobody would bring it up to date any more.
 */
export function adoptedPlanText(planText: string, meta: ProjectMeta): string | undefined {
  const { project_id: projectId, title, plan_type: planType, created_at: createdAt, unknown } = meta;
  const imported = importPlan({ ...unknown, ...(planType === undefined ? {} : { plan_type: planType }) });
  if (imported === undefined) return undefined;
  const isDerived = planText.trim() === '' || DERIVED.test(planText);
  const base = isDerived ? initialPlan({ title, projectId, createdAt: createdAt ?? 'unknown' }) : planText;
  const { nodes, loop } = imported;
  return loop === undefined ? replaceDag(base, nodes) : replaceLoop(base, loop, nodes);
}
