import { clip, plainText } from './plain-text.ts';
import type { Loop, PlanNode } from './plan-types.ts';
import { NODE_MARKS, symbolOf } from './report-labels.ts';
import type { Mark, ReportLabels } from './report-labels.ts';

/** Larger graphs are drawn around what changed. */
const SMALL_GRAPH = 12;
const MOST_DRAWN = 24;
const CHAIN = 6;
const ID_MAX = 40;
const ITERATIONS = 5;
const TEXT_MAX = 160;

export interface DrawingStyle {
  readonly style: 'emoji' | 'plain';
  readonly labels: ReportLabels;
}

/** The name of a node in a drawing: without the project's id, which all of them share (protocol.md §1.1). */
export function shortId(id: string, projectId: string): string {
  const short = id.startsWith(`${projectId}-`) ? id.slice(projectId.length + 1) : id;
  return clip(short === '' ? id : short, ID_MAX);
}

/**
 * A DAG as chains, one per line: `a ✅ -> b 🔄 -> c ⏳`, with a `└` line for every further branch (protocol.md §14.3).
 * Each edge is drawn once, and a node shows its symbol where it is met first. Of a large graph only `around` and
 * its neighbours are drawn.
 */
export function drawGraph(
  nodes: readonly PlanNode[],
  around: ReadonlySet<string>,
  projectId: string,
  { style, labels }: DrawingStyle,
): readonly string[] {
  const drawn = nodes.length <= SMALL_GRAPH ? nodes : neighbourhood(nodes, around);
  const byId = new Map(drawn.map((node) => [node.id, node]));
  const next = new Map<string, string[]>(drawn.map(({ id }) => [id, []]));
  for (const { id, dependsOn } of drawn) for (const dependency of new Set(dependsOn)) next.get(dependency)?.push(id);

  const seen = new Set<string>();
  const lines: string[] = [];
  const open: string[] = [];
  const show = (id: string): string => {
    const node = byId.get(id);
    const name = shortId(id, projectId);
    if (node === undefined || seen.has(id)) return name;
    seen.add(id);
    open.push(id);
    return `${name} ${symbolOf(NODE_MARKS[node.status], style)}`;
  };
  const chain = (start: string, prefix: string): void => {
    const parts = [show(start)];
    let current: string | undefined = start;
    while (current !== undefined && parts.length < CHAIN) {
      const follower: string | undefined = next.get(current)?.shift();
      if (follower === undefined) break;
      const known = seen.has(follower);
      parts.push(show(follower));
      current = known ? undefined : follower;
    }
    lines.push(prefix + parts.join(' -> '));
  };
  const roots = drawn.filter(({ dependsOn }) => !dependsOn.some((id) => byId.has(id)));
  // Whatever hangs in a cycle has no root; it is drawn last, from its first node.
  for (const { id } of [...roots, ...drawn]) {
    if (seen.has(id)) continue;
    chain(id, '');
    for (let from = open.shift(); from !== undefined; from = open.shift()) {
      while ((next.get(from)?.length ?? 0) > 0) chain(from, '└ ');
    }
  }
  return drawn.length < nodes.length ? [...lines, labels.more(nodes.length - drawn.length)] : lines;
}

/** With nothing to look at, the start of the plan. */
function neighbourhood(nodes: readonly PlanNode[], around: ReadonlySet<string>): readonly PlanNode[] {
  const centre = nodes.filter(({ id }) => around.has(id));
  const dependants = nodes.filter(({ dependsOn }) => dependsOn.some((id) => around.has(id)));
  const candidates =
    centre.length === 0
      ? nodes.map(({ id }) => id)
      : [
          ...centre.map(({ id }) => id),
          ...centre.flatMap(({ dependsOn }) => dependsOn),
          ...dependants.map(({ id }) => id),
        ];
  const known = new Set(nodes.map(({ id }) => id));
  const wanted = new Set([...new Set(candidates)].filter((id) => known.has(id)).slice(0, MOST_DRAWN));
  return nodes.filter(({ id }) => wanted.has(id));
}

const DECISION_MARKS: ReadonlyMap<string, Mark> = new Map([
  ['continue', 'done'],
  ['replan', 'revision'],
  ['ask_user', 'pending'],
  ['stop_success', 'done'],
  ['stop_blocked', 'blocked'],
]);

const LOOP_MARKS: Readonly<Record<Loop['status'], Mark>> = {
  running: 'active',
  waiting_results: 'active',
  evaluating: 'active',
  waiting_user: 'pending',
  completed: 'done',
  blocked: 'blocked',
};

/** `Iteration 1 ✅ -> Iteration 2 🔄 … Max 5`, the topic and the last decision (protocol.md §14.3). */
export function drawLoop(loop: Loop, topic: string, { style, labels }: DrawingStyle): readonly string[] {
  const decisions = decisionsOf(loop);
  const current = Math.max(1, loop.currentIteration);
  const first = Math.max(1, current - ITERATIONS + 1);
  const numbers = Array.from({ length: current - first + 1 }, (_, index) => first + index);
  const parts = numbers.map((number) => {
    const ahead = loop.currentIteration === 0 && loop.status === 'running' ? 'pending' : LOOP_MARKS[loop.status];
    const mark = decisions.get(number)?.mark ?? (number < current ? 'done' : ahead);
    return `${labels.iteration} ${number} ${symbolOf(mark, style)}`;
  });
  const last = loop.history.at(-1);
  return [
    `${first > 1 ? '… -> ' : ''}${parts.join(' -> ')} … ${labels.max} ${loop.maxIterations}`,
    ...(topic === '' ? [] : [`${labels.topic}: ${plainText(topic, TEXT_MAX)}`]),
    ...(last === undefined ? [] : [`${labels.lastDecision}: ${plainText(last, TEXT_MAX)}`]),
  ];
}

/** Whether the loop's current iteration has been decided on. */
export function isDecided(loop: Loop): boolean {
  return decisionsOf(loop).has(loop.currentIteration);
}

function decisionsOf(loop: Loop): ReadonlyMap<number, { readonly mark: Mark }> {
  const decisions = new Map<number, { readonly mark: Mark }>();
  for (const entry of loop.history) {
    const [, number = '', decision = ''] = /^Iteration (\d{1,9}): ([a-z_]+)/.exec(entry) ?? [];
    const mark = DECISION_MARKS.get(decision);
    if (mark !== undefined) decisions.set(Number(number), { mark });
  }
  return decisions;
}
