import { FlowError } from '../protocol/errors.ts';
import { requireReadableId } from '../protocol/ids.ts';
import type { LoopStatus, NodeStatus, Plan, PlanNode, PlannedNode } from '../protocol/plan-types.ts';
import type { ProjectMeta } from '../protocol/records/types.ts';
import { isWorked } from './project-lifecycle.ts';

/**
 * Refuses a graph that cannot be worked (protocol.md §6.5): ids, then duplicates, then unknown dependencies, then
 * cycles. Throws `invalid-argument`.
 */
export function validateGraph(nodes: readonly Pick<PlannedNode, 'id' | 'dependsOn'>[]): void {
  for (const { id } of nodes) requireReadableId(id, 'taskId');
  const byId = new Map<string, readonly string[]>();
  const folded = new Map<string, string>();
  for (const { id, dependsOn } of nodes) {
    const twin = folded.get(id.toLowerCase());
    if (twin === id) throw refusal(`duplicate task id: ${id}`);
    if (twin !== undefined) throw refusal(`duplicate task id: ${twin} and ${id} differ only by case`);
    folded.set(id.toLowerCase(), id);
    byId.set(id, dependsOn);
  }
  for (const { id, dependsOn } of nodes) {
    const missing = dependsOn.filter((dependency) => !byId.has(dependency));
    if (missing.length > 0) throw refusal(`task ${id} depends on unknown task: ${missing.join(', ')}`, id);
  }
  const cycle = findCycle(byId);
  if (cycle !== undefined) throw refusal(`cycle in task graph: ${cycle.join(' -> ')}`, cycle[0]);
}

function refusal(message: string, taskId?: string): FlowError {
  return new FlowError('invalid-argument', message, {
    remedy: 'mend the graph and send all of it again',
    ...(taskId === undefined ? {} : { data: { taskId } }),
  });
}

/** The ids around one cycle, the first repeated at the end. Walks without recursion: plans have thousands of nodes. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of graph.keys()) {
    if (done.has(start)) continue;
    const path: string[] = [start];
    const onPath = new Set<string>(path);
    const iterators = [(graph.get(start) ?? []).values()];
    for (let top = iterators.at(-1); top !== undefined; top = iterators.at(-1)) {
      const next = top.next();
      if (next.done === true) {
        iterators.pop();
        const left = path.pop();
        if (left !== undefined) {
          onPath.delete(left);
          done.add(left);
        }
      } else if (onPath.has(next.value)) {
        return [...path.slice(path.indexOf(next.value)), next.value];
      } else if (!done.has(next.value)) {
        path.push(next.value);
        onPath.add(next.value);
        iterators.push((graph.get(next.value) ?? []).values());
      }
    }
  }
  return undefined;
}

/** A node that never becomes ready again; more work is a new node (protocol.md §8.3). */
export function isTerminalNode(status: NodeStatus): status is Exclude<NodeStatus, 'pending' | 'delegated'> {
  return status !== 'pending' && status !== 'delegated';
}

/** A task of a plan, as its line or a list of work has it. */
interface Placed {
  readonly id: string;
  readonly status: string;
  readonly dependsOn: readonly string[];
}

/**
 * Whether a result that was sent back keeps something from going on. What follows it is a new node (protocol.md §8.3), but as
 * long as the old one stands in the plan, what depends on it waits, and a task of the task engine does not go on to testing,
 * for which every node is accepted (features.md §3.2).
 */
export function holdsUp({ id, status }: Placed, nodes: readonly Placed[], mode: string | undefined): boolean {
  if (status !== 'revision') return false;
  return mode === 'composite' || nodes.some((node) => node.status === 'pending' && node.dependsOn.includes(id));
}

/** A loop that waits for a person or has ended has nothing to start (protocol.md §10.13). */
function isHalted(status: LoopStatus | undefined): boolean {
  return status === 'completed' || status === 'blocked' || status === 'waiting_user';
}

/**
 * What may be delegated now, in plan order: pending nodes whose dependencies are all accepted, in an active project
 * whose plan is approved (protocol.md §10.13, features.md §3.2). A dependency that the plan does not hold is not accepted.
 */
export function readyNodes(plan: Plan, project: Pick<ProjectMeta, 'status' | 'phase'>): readonly PlanNode[] {
  if (!isWorked(project) || isHalted(plan.loop?.status)) return [];
  const accepted = acceptedIds(plan);
  return plan.nodes.filter(
    ({ status, dependsOn }) => status === 'pending' && dependsOn.every((id) => accepted.has(id)),
  );
}

/** The dependencies of a node that are not accepted yet, as the node lists them. */
export function blockers(plan: Plan, id: string): readonly string[] {
  const node = plan.nodes.find((candidate) => candidate.id === id);
  return node === undefined ? [] : blockersIn(plan)(node);
}

/** The same for many nodes of one plan. */
export function blockersIn(plan: Plan): (node: Pick<PlanNode, 'dependsOn'>) => readonly string[] {
  const accepted = acceptedIds(plan);
  return ({ dependsOn }) => dependsOn.filter((dependency) => !accepted.has(dependency));
}

function acceptedIds(plan: Plan): ReadonlySet<string> {
  return new Set(plan.nodes.filter(({ status }) => status === 'completed').map(({ id }) => id));
}
