import { localpartKey } from '../protocol/identity.ts';
import type { Priority } from '../protocol/records/types.ts';
import { selectAgent } from './selection.ts';
import type { Candidate, ChosenBy, Pool, Wanted } from './selection.ts';

/** A node that may be given out, or the reason why it may not be yet. */
export interface WaitingNode {
  readonly projectId: string;
  readonly taskId: string;
  /** Where it stands; only what is `pending` is given out. */
  readonly state: string;
  /** Dependencies that are not accepted yet. */
  readonly open: readonly string[];
  /** Localpart of who is planned for it; `''`: anybody who can. */
  readonly owner: string;
  readonly priority: Priority;
  /** When it was made, UTC; `''` where nobody knows. */
  readonly since: string;
  /** Its place in the plan. */
  readonly position: number;
  readonly type?: string | undefined;
  readonly agentType?: string | undefined;
  readonly capabilities: readonly string[];
}

export interface PlannedDispatch<Node extends WaitingNode> {
  readonly node: Node;
  readonly agent: string;
  readonly by: ChosenBy;
  /** What spoke for the agent; absent where the plan named it and the roster does not. */
  readonly candidate?: Candidate;
}

/** Words that callers may rely on; the sentence beside them is for people. */
export type SkipReason = 'not pending' | 'deps' | 'capacity' | 'no agent' | 'guard';

export interface SkippedNode<Node extends WaitingNode> {
  readonly node: Node;
  readonly reason: SkipReason;
  readonly detail: string;
}

/** Says no to giving this node to this agent, with the reason. Asked last, when all else is settled. */
export type DispatchGuard<Node extends WaitingNode> = (node: Node, agent: string) => string | undefined;

export interface DispatchPlan<Node extends WaitingNode> {
  readonly dispatches: readonly PlannedDispatch<Node>[];
  readonly skipped: readonly SkippedNode<Node>[];
}

/**
 * Who gets what now (features.md S002-25, §3.1, §7.3): what is urgent first, then what is old, each to its owner or to whom
 * `selectAgent` chooses, while agents fill up. What an able agent that is full could do waits for it: the fallback agent
 * and those for whom nothing speaks only get what nobody else can do. The same values give the same plan, whatever the
 * order of the nodes.
 */
export function planDispatches<Node extends WaitingNode>(
  nodes: readonly Node[],
  pool: Pool,
  guards: readonly DispatchGuard<Node>[],
): DispatchPlan<Node> {
  const dispatches: PlannedDispatch<Node>[] = [];
  const skipped: SkippedNode<Node>[] = [];
  const loads = new Map(pool.loads);
  for (const node of nodes.toSorted(byUrgency)) {
    const verdict = notReady(node) ?? choose(node, { ...pool, loads });
    const refusal = 'reason' in verdict ? verdict : guarded(node, verdict.agent, guards);
    if (refusal !== undefined) {
      skipped.push({ node, ...refusal });
    } else if ('agent' in verdict) {
      const key = localpartKey(verdict.agent);
      loads.set(key, (loads.get(key) ?? 0) + 1);
      dispatches.push({ node, ...verdict });
    }
  }
  return { dispatches, skipped };
}

type Refusal = Pick<SkippedNode<WaitingNode>, 'reason' | 'detail'>;
type Choice = Omit<PlannedDispatch<WaitingNode>, 'node'>;

/** `P0` before `P3`, the older one first, then as plans list them. */
function byUrgency(a: WaitingNode, b: WaitingNode): number {
  return (
    compare(a.priority, b.priority) ||
    compare(a.since, b.since) ||
    compare(a.projectId, b.projectId) ||
    a.position - b.position
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function notReady({ state, open }: WaitingNode): Refusal | undefined {
  if (state !== 'pending') return { reason: 'not pending', detail: `it is ${state}` };
  return open.length === 0 ? undefined : { reason: 'deps', detail: `Dependency not DONE: ${open.join(', ')}` };
}

function guarded<Node extends WaitingNode>(
  node: Node,
  agent: string,
  guards: readonly DispatchGuard<Node>[],
): Refusal | undefined {
  for (const guard of guards) {
    const detail = guard(node, agent);
    if (detail !== undefined) return { reason: 'guard', detail };
  }
  return undefined;
}

function choose(node: WaitingNode, pool: Pool): Choice | Refusal {
  const { type, agentType, capabilities, owner } = node;
  const wanted: Wanted = { type, agentType, capabilities, excluded: [], withFallback: true };
  if (owner !== '') return owned(owner, wanted, pool);
  const { agent, by = 'score', candidates } = selectAgent(wanted, pool);
  const chosen = candidates.find((one) => one.agent === agent);
  const isSecondBest = by === 'fallback' || chosen === undefined || chosen.tier === 0;
  const busy = isSecondBest ? candidates.filter((one) => one.reason === 'full' && one.score > 0 && one.tier > 0) : [];
  const full = busy.length > 0 || agent !== undefined ? busy : candidates.filter((one) => couldBe(one, pool, type));
  if (full.length > 0) return { reason: 'capacity', detail: capacityText(full) };
  if (agent === undefined || chosen === undefined) return { reason: 'no agent', detail: nobodyText(wanted) };
  return { agent, by, candidate: chosen };
}

/** Whether one that is full would be taken if it were not. */
function couldBe(one: Candidate, { agents }: Pool, type: string | undefined): boolean {
  if (one.reason !== 'full') return false;
  return (
    one.score > 0 || (type !== undefined && agents.some((agent) => agent.agent_id === one.agent && agent.fallback))
  );
}

/** Work that has an owner goes to nobody else; features.md §4.8 says what one may hold that is not on the roster. */
function owned(owner: string, wanted: Wanted, pool: Pool): Choice | Refusal {
  const { candidates } = selectAgent({ ...wanted, ordered: owner }, pool);
  const known = candidates.find((one) => localpartKey(one.agent) === localpartKey(owner));
  if (known === undefined) {
    if (pool.agents.some(({ role }) => role === 'worker')) {
      return { reason: 'no agent', detail: `Agent not found: ${owner}` };
    }
    const load = pool.loads.get(localpartKey(owner)) ?? 0;
    const stranger = { agent: owner, load, max: 1 };
    return load > 0 ? { reason: 'capacity', detail: capacityText([stranger]) } : { agent: owner, by: 'order' };
  }
  if (known.reason === 'disabled' || known.reason === 'offline') {
    return { reason: 'no agent', detail: `${known.agent} is ${known.reason}` };
  }
  if (known.load >= known.max) return { reason: 'capacity', detail: capacityText([known]) };
  return { agent: known.agent, by: 'order', candidate: known };
}

/** How every door says that agents have all that they may hold (S002-36). */
export function capacityText(full: readonly Pick<Candidate, 'agent' | 'load' | 'max'>[]): string {
  return `Agent at capacity: ${full.map(({ agent, load, max }) => `${agent} (${load}/${max})`).join(', ')}`;
}

function nobodyText({ type, agentType, capabilities }: Wanted): string {
  const asked = [
    ...(type === undefined ? [] : [`type ${type}`]),
    ...(agentType === undefined ? [] : [`kind of agent ${agentType}`]),
    ...(capabilities.length === 0 ? [] : [`able to ${capabilities.join(', ')}`]),
  ];
  return asked.length === 0 ? 'no agent is free' : `no agent is free and fit (${asked.join('; ')})`;
}
