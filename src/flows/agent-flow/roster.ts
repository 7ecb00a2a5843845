import { FlowError } from '../../protocol/errors.ts';
import { localpartKey, localpartOf, resolveUserId, sameLocalpart } from '../../protocol/identity.ts';
import { nearNames } from '../../protocol/near.ts';
import type { AgentRecord } from '../../protocol/records/types.ts';
import type { WorkspaceView } from '../../protocol/view.ts';
import { capacityText } from '../../rules/auto-dispatch.ts';
import { holdingsIn, loadsOf } from '../../rules/load.ts';
import type { Holdings } from '../../rules/load.ts';
import { word } from '../../rules/shell.ts';
import type { Pool } from '../../rules/selection.ts';
import type { Decision, OperationContext } from '../types.ts';

/** What an agent may hold of whom nothing is recorded (features.md §4.8). */
const UNRECORDED_MAX = 1;

/** The server name that stands in where only the localpart counts. */
const ANY_SERVER = 'local';

/** The agents that work may go to, and what each holds. */
export function poolOf(view: WorkspaceView, holdings: Holdings = holdingsIn(view)): Pool {
  return { agents: view.agents(), loads: loadsOf(holdings), order: view.team.policies.selectionOrder };
}

/** The entry of an agent, by localpart, Matrix id or display name. */
export function findAgent(view: WorkspaceView, name: string): AgentRecord | undefined {
  const agents = view.agents();
  const exact = agents.find(({ agent_id: id }) => localpartKey(id) === localpartKey(name));
  if (exact !== undefined) return exact;
  const full = agents.length === 0 ? undefined : resolveUserId(name, agents, ANY_SERVER);
  return full === undefined ? undefined : view.agent(localpartOf(full));
}

/** Throws `not-found` (`Agent not found: <name>`). */
export function requireAgent(view: WorkspaceView, name: string): AgentRecord {
  const agent = findAgent(view, name);
  if (agent !== undefined) return agent;
  throw new FlowError('not-found', `Agent not found: ${localpartOf(name)}`, {
    remedy: `${didYouMean(
      localpartOf(name),
      view.agents().map(({ agent_id: id }) => id),
    )}\`baton agent list\` shows who there is, and \`baton agent register\` puts somebody on the roster`,
    data: { agentId: localpartOf(name) },
  });
}

/**
 * features.md §7.7: names are checked once Workers are registered; a roster without any says nothing about them. Throws
 * `not-found`, with `agentId`, for doors that have words of their own for it.
 */
export function requireKnownAgent(view: WorkspaceView, name: string): void {
  if (view.agents().some(({ role }) => role === 'worker')) requireAgent(view, name);
}

/** What puts somebody on the roster, as it is typed. */
export function registering(name: string): string {
  return `baton agent register ${word(name)}`;
}

/** `did you mean ana? `, where a name is near. */
function didYouMean(name: string, names: readonly string[]): string {
  const near = nearNames(name, names);
  return near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `;
}

/**
 * The decision, with a warning when it gives work to somebody of whom nothing is known: not on the roster, and without a
 * lane. Where lanes cannot be told names are taken as they are (features.md §7.7, docs/decisions/0032-hand-over.md).
 */
export function warned<Output extends object>(
  { view, facts }: Pick<OperationContext<unknown>, 'view' | 'facts'>,
  decision: Decision<Output>,
  name: unknown,
): Decision<Output & { readonly warning?: string }> {
  const lanes = typeof name !== 'string' || name === '' ? undefined : facts.lanes?.();
  if (typeof name !== 'string' || lanes === undefined || findAgent(view, name) !== undefined) return decision;
  if (lanes.some((lane) => sameLocalpart(lane, name))) return decision;
  const known = [...view.agents().map(({ agent_id: id }) => id), ...lanes];
  const warning = `nobody here is known as ${name}: ${didYouMean(name, known)}\`${registering(name)}\` puts that name on the roster`;
  return { ...decision, output: { ...decision.output, warning } };
}

/**
 * features.md §7.3: an explicit dispatch to an agent that is full is refused; `delegate_task` does not ask. Throws
 * `at-capacity` (`Agent at capacity: <name> (<load>/<max>)`), and `not-found` as `requireKnownAgent` does.
 */
export function requireCapacity(view: WorkspaceView, name: string): void {
  requireKnownAgent(view, name);
  const agent = findAgent(view, name);
  const localpart = agent?.agent_id ?? localpartOf(name);
  const load = loadsOf(holdingsIn(view)).get(localpartKey(localpart)) ?? 0;
  const max = agent?.max_concurrent ?? UNRECORDED_MAX;
  if (load < max) return;
  throw new FlowError('at-capacity', capacityText([{ agent: localpart, load, max }]), {
    remedy: 'wait until it hands something in, choose another agent, or raise its max_concurrent',
    data: { agentId: localpart, load, max },
  });
}
