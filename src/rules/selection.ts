import { localpartKey } from '../protocol/identity.ts';
import type { AgentRecord } from '../protocol/records/types.ts';

/** What an agent is wanted for (features.md §4). */
export interface Wanted {
  /** Kind of task. */
  readonly type?: string | undefined;
  /** Kind of agent. */
  readonly agentType?: string | undefined;
  /** Empty: anybody will do. */
  readonly capabilities: readonly string[];
  /** Taken before all others if it may and can. */
  readonly preferred?: string | undefined;
  /** Taken whatever it can, and also when it is full; whoever calls decides what that means. */
  readonly ordered?: string | undefined;
  readonly excluded: readonly string[];
  /** Whether the fallback agent stands in where nobody can (never for 001's assign). */
  readonly withFallback: boolean;
}

/** The agents to choose from, and how much each holds by `localpartKey`. */
export interface Pool {
  readonly agents: readonly AgentRecord[];
  readonly loads: ReadonlyMap<string, number>;
  /** `policies.selection.order`: breaks ties before the alphabet does. */
  readonly order: readonly string[];
}

/** Why an agent is not asked. */
export type Unfit = 'not a worker' | 'disabled' | 'offline' | 'full' | 'excluded';

export interface Candidate {
  readonly agent: string;
  readonly eligible: boolean;
  /** Of one that is not eligible. */
  readonly reason?: Unfit;
  readonly load: number;
  readonly max: number;
  /** 0 to 1: how much of what is required it has, ½ where nothing is. */
  readonly match: number;
  readonly score: number;
  /** 2: prefers the type; 1: can it; 0: nothing speaks for it. */
  readonly tier: 0 | 1 | 2;
  /** Its place among those that may be chosen, from 1; absent for the others. */
  readonly place?: number;
}

/** How the choice came about. */
export type ChosenBy = 'order' | 'preference' | 'score' | 'fallback';

export interface Selection {
  /** `undefined`: nobody. */
  readonly agent: string | undefined;
  readonly by?: ChosenBy;
  /** Everybody of the pool: who may be chosen first, in order, then the others by name. */
  readonly candidates: readonly Candidate[];
}

/** What a full agent loses of its score, by its share of load. */
const LOAD_WEIGHT = 0.3;

/** Scores that differ only by rounding are equal. */
const PRECISION = 1e9;

/**
 * The one rule by which an agent is chosen (features.md §4). The same values give the same answer, whatever the order in
 * which agents are listed. Where a task has a type that nobody of tier 1 or 2 may take, an eligible fallback agent goes
 * before those of tier 0 (S002-33).
 */
export function selectAgent(wanted: Wanted, pool: Pool): Selection {
  const judged = pool.agents.map((agent) => ({ agent, candidate: judge(wanted, agent, pool) }));
  const rank = rankIn(pool.order);
  const inOrder = judged
    .filter(({ candidate }) => candidate.eligible && candidate.score > 0)
    .sort((a, b) => better(a.candidate, b.candidate) || rank(a.candidate.agent, b.candidate.agent));
  const places = new Map(inOrder.map(({ candidate }, index) => [candidate.agent, index + 1]));
  const others = judged
    .filter(({ candidate }) => !places.has(candidate.agent))
    .sort((a, b) => rank(a.candidate.agent, b.candidate.agent));
  const candidates = [...inOrder, ...others].map(({ candidate }): Candidate => {
    const place = places.get(candidate.agent);
    return place === undefined ? candidate : { ...candidate, place };
  });
  return {
    ...chosen(
      wanted,
      judged,
      inOrder.map(({ candidate }) => candidate),
      rank,
    ),
    candidates,
  };
}

interface Judged {
  readonly agent: AgentRecord;
  readonly candidate: Candidate;
}

type Rank = (a: string, b: string) => number;

function chosen(
  { ordered, preferred, type, withFallback }: Wanted,
  judged: readonly Judged[],
  inOrder: readonly Candidate[],
  rank: Rank,
): Pick<Selection, 'agent' | 'by'> {
  if (ordered !== undefined) {
    const known = judged.find(({ agent }) => isNamed(agent, ordered));
    return { agent: known?.agent.agent_id ?? ordered, by: 'order' };
  }
  if (preferred !== undefined) {
    const found = inOrder.find(({ agent, tier }) => tier > 0 && localpartKey(agent) === localpartKey(preferred));
    if (found !== undefined) return { agent: found.agent, by: 'preference' };
  }
  const [best] = inOrder;
  if (best !== undefined && best.tier > 0) return { agent: best.agent, by: 'score' };
  const [stand] = withFallback && type !== undefined ? fallbacks(judged, rank) : [];
  if (stand !== undefined) return { agent: stand, by: 'fallback' };
  return best === undefined ? { agent: undefined } : { agent: best.agent, by: 'score' };
}

function fallbacks(judged: readonly Judged[], rank: Rank): readonly string[] {
  return judged
    .filter(({ agent, candidate }) => agent.fallback && candidate.eligible)
    .map(({ candidate }) => candidate.agent)
    .sort(rank);
}

function judge(wanted: Wanted, agent: AgentRecord, { loads }: Pool): Candidate {
  const { agent_id: id, max_concurrent: max, reliability } = agent;
  const load = loads.get(localpartKey(id)) ?? 0;
  const match = matchOf(wanted.capabilities, agent.capabilities);
  const reason = unfitness(wanted, agent, load);
  return {
    agent: id,
    eligible: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    load,
    max,
    match,
    score: Math.max(0, Math.round(match * reliability * (1 - (LOAD_WEIGHT * load) / max) * PRECISION) / PRECISION),
    tier: tierOf(wanted, agent, match),
  };
}

function unfitness({ excluded }: Wanted, agent: AgentRecord, load: number): Unfit | undefined {
  if (agent.role !== 'worker') return 'not a worker';
  if (!agent.enabled) return 'disabled';
  if (agent.status === 'OFFLINE') return 'offline';
  if (excluded.some((name) => isNamed(agent, name))) return 'excluded';
  return load < agent.max_concurrent ? undefined : 'full';
}

function isNamed({ agent_id: id }: AgentRecord, name: string): boolean {
  return localpartKey(id) === localpartKey(name);
}

/** A capability counts when it is a part of what is required, or the other way round, in any letter case. */
function matchOf(required: readonly string[], capabilities: readonly string[]): number {
  if (required.length === 0) return 0.5;
  const known = capabilities.map((word) => word.toLowerCase()).filter((word) => word !== '');
  const hits = required.filter((word) => {
    const needed = word.toLowerCase();
    return known.some((capability) => capability.includes(needed) || needed.includes(capability));
  });
  return hits.length / required.length;
}

function tierOf({ type, agentType, capabilities }: Wanted, agent: AgentRecord, match: number): 0 | 1 | 2 {
  if (type !== undefined && has(agent.preferred_types, type)) return 2;
  if (type === undefined && agentType === undefined && capabilities.length === 0) return 1;
  const isAble =
    (type !== undefined && has(agent.capabilities, type)) ||
    (capabilities.length > 0 && match > 0) ||
    (agentType !== undefined && has(agent.agent_types, agentType));
  return isAble ? 1 : 0;
}

function has(words: readonly string[], wanted: string): boolean {
  return words.some((word) => word.toLowerCase() === wanted.toLowerCase());
}

function better(a: Candidate, b: Candidate): number {
  return b.tier - a.tier || b.score - a.score || a.load / a.max - b.load / b.max || a.load - b.load;
}

/** As the team lists its agents, who is not listed behind, by name. */
function rankIn(order: readonly string[]): Rank {
  const places = new Map(order.map((name, index) => [localpartKey(name), index]));
  const place = (id: string): number => places.get(localpartKey(id)) ?? places.size;
  return (a, b) => place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** What is required for a task: its own list, else the team's map by its id, else by its type (`policies.capabilityMap`). */
export function requiredFor(
  { taskId, type, own }: { readonly taskId?: string; readonly type?: string; readonly own?: readonly string[] },
  map: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  if (own !== undefined && own.length > 0) return own;
  const keys = [taskId, type].flatMap((key) => (key !== undefined && Object.hasOwn(map, key) ? [key] : []));
  return map[keys[0] ?? ''] ?? [];
}
