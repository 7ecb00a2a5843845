import type { NodeStatus, PlanNode } from '../protocol/plan-types.ts';
import type { TaskMeta, TaskStatus } from '../protocol/records/types.ts';
import { isWithdrawn, markerFor } from './lifecycle.ts';

/** How a marker and a task record that disagree are brought together. */
export type Repair =
  | { readonly side: 'record'; readonly to: TaskStatus }
  | { readonly side: 'marker'; readonly to: NodeStatus; readonly cancelled?: string };

/** A disagreement without a repair is one that only a person can settle. */
export interface Disagreement {
  readonly message: string;
  readonly repair?: Repair;
}

/** A Worker's result has been handed in, whatever became of it. */
function hasSubmission(meta: TaskMeta): boolean {
  return meta.status === 'submitted' || meta.submission_id !== undefined || meta.submitted_at !== undefined;
}

/**
 * Which side yields when plan.md and the task's record differ (architecture.md, "States"; protocol.md §10.16): the
 * marker decides acceptance, so a record follows `[x]`, `[!]` and `[→]`, and loses an acceptance that the plan does
 * not show; the record decides execution and withdrawal, so `[ ]` follows what was delegated or cancelled. Nothing
 * is ever promoted to `[x]`. `undefined` when the two agree.
 */
export function disagreement(node: Pick<PlanNode, 'id' | 'status'>, meta: TaskMeta): Disagreement | undefined {
  if (node.status === markerFor(meta.status)) return undefined;
  const repair = repairFor(node.status, meta);
  if (repair === 'agree') return undefined;
  const message = `plan.md shows ${node.id} as ${node.status}, its record says ${meta.status}`;
  return repair === undefined ? { message } : { message, repair };
}

function repairFor(marker: NodeStatus, meta: TaskMeta): Repair | 'agree' | undefined {
  if (marker === 'pending' || marker === 'delegated') return openRepair(marker, meta);
  if (marker === 'completed') {
    return hasSubmission(meta) && !isWithdrawnForGood(meta.status) ? { side: 'record', to: marker } : undefined;
  }
  if (!isWithdrawn(meta.status)) return { side: 'record', to: marker };
  // `[!]` stands for every way of ending without a result.
  return marker === 'revision' ? undefined : 'agree';
}

function openRepair(marker: 'pending' | 'delegated', meta: TaskMeta): Repair | undefined {
  const { status } = meta;
  if (isWithdrawn(status)) {
    const to = markerFor(status);
    return { side: 'marker', to, ...(to === 'cancelled' ? { cancelled: status } : {}) };
  }
  if (status === 'completed' || status === 'revision' || status === 'blocked') {
    return { side: 'record', to: beforeDecision(meta) };
  }
  return marker === 'pending' ? { side: 'marker', to: 'delegated' } : undefined;
}

/** A late result of a cancelled or superseded task never becomes accepted by itself. */
function isWithdrawnForGood(status: TaskStatus): boolean {
  return status === 'cancelled' || status === 'superseded';
}

/** The state that a task was in before somebody decided on it. */
function beforeDecision(meta: TaskMeta): TaskStatus {
  if (hasSubmission(meta)) return 'submitted';
  return meta.acknowledged_at === undefined ? 'assigned' : 'in_progress';
}
