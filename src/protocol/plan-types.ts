import type { Diagnostic } from './diagnostic.ts';

/** protocol.md §6.1 and §8.3. `cancelled` is `[!]` with a `cancelled:` key in the meta group. */
export type NodeStatus = 'pending' | 'delegated' | 'completed' | 'blocked' | 'revision' | 'cancelled';

const MARKERS: Readonly<Record<NodeStatus, string>> = {
  pending: ' ',
  delegated: '~',
  completed: 'x',
  blocked: '!',
  revision: '→',
  cancelled: '!',
};

/** The character between the brackets of a task line; `?` for a status that this version does not know. */
export function markerOf(status: string): string {
  return Object.hasOwn(MARKERS, status) ? MARKERS[status as NodeStatus] : '?';
}

export interface PlanNode {
  readonly id: string;
  readonly title: string;
  /** As planned: a localpart, a full Matrix id, or `''` when unassigned (`-` and a missing group read as `''`). */
  readonly assignee: string;
  readonly dependsOn: readonly string[];
  readonly status: NodeStatus;
  readonly type?: string;
  /** The reason slug of a cancelled node. */
  readonly cancelled?: string;
  /** 1-based line of the node in the text it was read from. */
  readonly line: number;
}

/** The part of a node that a planner gives; status and place come from the document. */
export type PlannedNode = Pick<PlanNode, 'id' | 'title' | 'assignee' | 'dependsOn'> & { readonly type?: string };

export const LOOP_STATUSES = [
  'running',
  'waiting_results',
  'evaluating',
  'waiting_user',
  'completed',
  'blocked',
] as const;
export type LoopStatus = (typeof LOOP_STATUSES)[number];

export interface Loop {
  readonly goal: string;
  readonly stopCondition: string;
  readonly iterationTemplate: string;
  readonly maxIterations: number;
  readonly currentIteration: number;
  readonly status: LoopStatus;
  /** The history lines without their dash, oldest first. */
  readonly history: readonly string[];
}

export interface Plan {
  readonly kind: 'dag' | 'loop';
  /** In document order. Duplicate ids keep the first and give an error diagnostic. */
  readonly nodes: readonly PlanNode[];
  /** Present when `kind` is `loop`. */
  readonly loop?: Loop;
  readonly diagnostics: readonly Diagnostic[];
}
