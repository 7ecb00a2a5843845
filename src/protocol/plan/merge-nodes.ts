import type { NodeStatus, PlanNode } from '../plan-types.ts';
import type { PlanDocument, TaskLine } from './document.ts';
import { renderNodeLine } from './render.ts';

/** One node of the merged plan and the line that says so. */
export interface MergedNode {
  readonly node: Omit<PlanNode, 'line'>;
  readonly text: string;
}

/** Terminal beats delegated beats pending; among the terminal ones the order only has to be the same for everyone. */
const RANK: Readonly<Record<NodeStatus, number>> = {
  pending: 0,
  delegated: 1,
  blocked: 2,
  revision: 3,
  cancelled: 4,
  completed: 5,
};

/**
 * Merges two plans node by node (protocol.md §11.5): what one side changed holds; where both changed, the leader's
 * side holds, and for markers the higher rank. Additions of either side stay; what the leader's side removed stays
 * removed, what the other removed goes unless the leader's side changed it.
 */
export function mergeNodes(
  base: PlanDocument,
  leader: PlanDocument,
  other: PlanDocument,
): ReadonlyMap<string, MergedNode> {
  const [before, ours, theirs] = [byId(base), byId(leader), byId(other)];
  const merged = new Map<string, MergedNode>();
  for (const id of new Set([...ours.keys(), ...theirs.keys()])) {
    const [b, l, o] = [before.get(id), ours.get(id), theirs.get(id)];
    if (l !== undefined && o !== undefined) {
      const node = mergeNode(b?.node, l.node, o.node);
      merged.set(id, { node, text: lineFor(node, leader, l, other, o) });
    } else if (l !== undefined) {
      const removed = b !== undefined && sameNode(l.node, b.node);
      if (!removed) merged.set(id, asWritten(leader, l));
    } else if (o !== undefined && b === undefined) {
      merged.set(id, asWritten(other, o));
    }
  }
  return merged;
}

export function sameNode(a: Omit<PlanNode, 'line'>, b: Omit<PlanNode, 'line'>): boolean {
  return renderNodeLine(a) === renderNodeLine(b);
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** One value by three-way merge; `undefined` as base means that both sides added it. */
export function threeWay<Value>(
  base: Value | undefined,
  leader: Value,
  other: Value,
  bothChanged: (leader: Value, other: Value) => Value,
): Value {
  if (same(leader, other) || same(base, other)) return leader;
  return same(base, leader) ? other : bothChanged(leader, other);
}

function byId(document: PlanDocument): ReadonlyMap<string, TaskLine> {
  return new Map(document.tasks.filter(({ duplicate }) => !duplicate).map((task) => [task.node.id, task]));
}

const leaders = <Value>(ours: Value): Value => ours;
const higher = (a: NodeStatus, b: NodeStatus): NodeStatus => (RANK[a] >= RANK[b] ? a : b);

function mergeNode(base: PlanNode | undefined, leader: PlanNode, other: PlanNode): MergedNode['node'] {
  const status = threeWay(base?.status, leader.status, other.status, higher);
  const typeBefore = base === undefined ? undefined : (base.type ?? '');
  const type = threeWay(typeBefore, leader.type ?? '', other.type ?? '', leaders);
  const cancelled = leader.cancelled ?? other.cancelled;
  return {
    id: leader.id,
    title: threeWay(base?.title, leader.title, other.title, leaders),
    assignee: threeWay(base?.assignee, leader.assignee, other.assignee, leaders),
    dependsOn: threeWay(base?.dependsOn, leader.dependsOn, other.dependsOn, leaders),
    status,
    ...(type === '' ? {} : { type }),
    ...(status === 'cancelled' && cancelled !== undefined ? { cancelled } : {}),
  };
}

/** A line that already says what is merged stays as it was written. */
function lineFor(
  node: MergedNode['node'],
  leader: PlanDocument,
  l: TaskLine,
  other: PlanDocument,
  o: TaskLine,
): string {
  if (sameNode(node, l.node)) return asWritten(leader, l).text;
  if (sameNode(node, o.node)) return asWritten(other, o).text;
  return l.indent + renderNodeLine(node);
}

function asWritten(document: PlanDocument, { node, index, indent }: TaskLine): MergedNode {
  return { node, text: document.lines[index]?.text ?? indent + renderNodeLine(node) };
}
