import { FlowError } from '../../protocol/errors.ts';
import { localpartOf } from '../../protocol/identity.ts';
import type { PlanNode } from '../../protocol/plan-types.ts';
import type { TaskMeta } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import type { WaitingNode } from '../../rules/auto-dispatch.ts';
import { blockersIn, isTerminalNode } from '../../rules/dag.ts';
import { isWorked } from '../../rules/project-lifecycle.ts';
import { requiredFor } from '../../rules/selection.ts';
import { findAgent } from '../agent-flow/roster.ts';
import { checkBrokenLoop } from '../project-flow/ready.ts';
import { checkBrokenPlan, findTask, requireProject } from '../shared.ts';
import type { OpenProject } from '../shared.ts';
import { requireSameProject } from '../task-flow/delegate.ts';
import { optional } from '../work-fields.ts';

/** A node of a plan with all that giving it out needs. */
export interface Waiting extends WaitingNode {
  readonly project: OpenProject;
  readonly node: PlanNode;
  readonly meta: TaskMeta | undefined;
}

type Found = Pick<Waiting, 'project' | 'node' | 'meta' | 'position' | 'open'>;

/** Nodes of one project that are open, and what could not be read. */
export interface WaitingIn {
  readonly nodes: readonly Waiting[];
  readonly unread: readonly { readonly projectId: string; readonly taskId?: string; readonly detail: string }[];
}

/**
 * The nodes of a project that have not ended, or the one that is named however it stands. Throws `broken-file` for a plan
 * of which nothing is scheduled, `not-found`.
 */
export function waitingIn(view: WorkspaceView, projectId: string, only?: string): WaitingIn {
  const project = requireProject(view, projectId);
  checkBrokenPlan(project);
  if (project.plan.kind === 'loop') checkBrokenLoop(project);
  const unread: WaitingIn['unread'][number][] = [];
  const blockersOf = blockersIn(project.plan);
  const nodes = project.plan.nodes.flatMap((node, position): Waiting[] => {
    if (only === undefined ? isTerminalNode(node.status) && node.status !== 'blocked' : node.id !== only) return [];
    try {
      const meta = findTask(view, node.id);
      if (meta !== undefined) requireSameProject(meta, project.id);
      return [waiting(view, { project, node, meta, position, open: blockersOf(node) })];
    } catch (thrown) {
      if (!(thrown instanceof FlowError) || only !== undefined) throw thrown;
      unread.push({ projectId, taskId: node.id, detail: thrown.message });
      return [];
    }
  });
  if (only === undefined || nodes.length > 0) return { nodes, unread };
  throw new FlowError('not-found', `task not found in project graph: ${only}`, { data: { taskId: only } });
}

/** The same of every project in which work is given out now. A project that cannot be read keeps no other from it. */
export function waitingAnywhere(view: WorkspaceView): WaitingIn {
  const found = view.projectIds().map((id): WaitingIn => {
    const meta = view.project(id)?.meta;
    if (meta === undefined || !isWorked(meta)) return { nodes: [], unread: [] };
    try {
      return waitingIn(view, id);
    } catch (thrown) {
      if (!(thrown instanceof FlowError)) throw thrown;
      return { nodes: [], unread: [{ projectId: id, detail: thrown.message }] };
    }
  });
  return { nodes: found.flatMap(({ nodes }) => nodes), unread: found.flatMap(({ unread }) => unread) };
}

function waiting(view: WorkspaceView, found: Found): Waiting {
  const { project, node, meta } = found;
  return {
    ...found,
    projectId: project.id,
    taskId: node.id,
    state: stateOf(found),
    owner: ownerOf(view, node, meta),
    priority: meta?.priority ?? project.meta.priority ?? 'P2',
    since: meta?.created_at ?? project.meta.created_at ?? '',
    ...wishesOf(view, found),
  };
}

function stateOf({ node, meta }: Found): string {
  const isPending = node.status === 'pending' && (meta === undefined || meta.status === 'pending');
  return isPending ? 'pending' : (meta?.status ?? node.status);
}

/** What the task asks of whoever gets it. */
function wishesOf(view: WorkspaceView, { node, meta }: Found): Pick<Waiting, 'type' | 'agentType' | 'capabilities'> {
  const type = meta?.type ?? node.type;
  const own = meta?.required_capabilities;
  const asked = { taskId: node.id, ...optional('type', type), ...optional('own', own) };
  return {
    type,
    agentType: meta?.agent_type,
    capabilities: requiredFor(asked, view.team.policies.capabilityMap),
  };
}

/** The plan decides who is meant; a record may know of one where the plan does not. */
function ownerOf(view: WorkspaceView, { assignee }: PlanNode, meta: TaskMeta | undefined): string {
  const planned = localpartOf(assignee);
  if (planned === '') return meta?.assigned_to ?? '';
  return findAgent(view, assignee)?.agent_id ?? planned;
}
