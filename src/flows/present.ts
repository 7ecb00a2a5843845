import type { Loop, PlanNode } from '../protocol/plan-types.ts';
import type { AgentRecord, ProjectMeta, TaskMeta, Unknowns } from '../protocol/records/types.ts';

/**
 * Records as responses show them: the on-disk snake_case object with its unknown keys beside the known ones
 * (protocol.md §0.2 item 3). A known key always wins over an unknown one of the same name.
 */
function flat(record: { readonly unknown?: Unknowns }): Record<string, unknown> {
  const { unknown = {}, ...known } = record;
  const present = Object.entries(known).filter(([, value]) => value !== undefined);
  const names = new Set(present.map(([name]) => name));
  return Object.fromEntries([...present, ...Object.entries(unknown).filter(([name]) => !names.has(name))]);
}

/** The `project` of a response. */
export function presentProject(meta: ProjectMeta): Record<string, unknown> {
  return flat(meta);
}

/** The `task` of a response. */
export function presentTask(meta: TaskMeta): Record<string, unknown> {
  return flat(meta);
}

/** The `agent` of a response. */
export function presentAgent(agent: AgentRecord): Record<string, unknown> {
  return flat(agent);
}

/** A plan node as responses list it (protocol.md §10.11, DagTask). */
export function presentNode(node: PlanNode): Record<string, unknown> {
  return {
    task_id: node.id,
    title: node.title,
    assigned_to: node.assignee,
    depends_on: [...node.dependsOn],
    status: node.status,
    ...(node.type === undefined ? {} : { type: node.type }),
    ...(node.cancelled === undefined ? {} : { cancelled: node.cancelled }),
  };
}

/** The `loop` of a response (protocol.md §10.12). */
export function presentLoop(loop: Loop, nodes: readonly PlanNode[]): Record<string, unknown> {
  return {
    goal: loop.goal,
    stop_condition: loop.stopCondition,
    iteration_template: loop.iterationTemplate,
    max_iterations: loop.maxIterations,
    current_iteration: loop.currentIteration,
    status: loop.status,
    tasks: nodes.map(presentNode),
    history: [...loop.history],
  };
}
