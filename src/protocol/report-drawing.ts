import { clip, plainText } from './plain-text.ts';
import type { Loop, PlanNode } from './plan-types.ts';
import { NODE_MARKS, symbolOf } from './report-marks.ts';
import type { Labels } from './labels/labels.ts';
import type { Mark } from './report-marks.ts';

/** Larger graphs are drawn around what changed. */
const MOST_DRAWN = 24;
const WIDTH = 80;
const ID_MAX = 40;
const ITERATIONS = 5;
const TEXT_MAX = 160;

export interface DrawingStyle {
  readonly style: 'emoji' | 'plain';
  readonly labels: Labels;
}

/** The name of a node in a drawing: without the project's id, which all of them share (protocol.md §1.1). */
export function shortId(id: string, projectId: string): string {
  const short = id.startsWith(`${projectId}-`) ? id.slice(projectId.length + 1) : id;
  return clip(short === '' ? id : short, ID_MAX);
}

/**
 * A DAG as what follows on what: `a ✅ -> b 🔄 -> c ⏳`, and `a ✅ -> b 🔄, c ⏳ -> d ⏳` where `d` waits for both
 * (protocol.md §14.3). Nodes that wait for the same ones stand together, so that each edge is drawn once; a node shows
 * its symbol where it is met first. Of a large graph only `around` and its neighbours are drawn.
 */
export function drawGraph(
  nodes: readonly PlanNode[],
  around: ReadonlySet<string>,
  projectId: string,
  { style, labels }: DrawingStyle,
): readonly string[] {
  const drawn = nodes.length <= MOST_DRAWN ? nodes : neighbourhood(nodes, around);
  const byId = new Map(drawn.map((node) => [node.id, node]));
  const seen = new Set<string>();
  const show = (ids: readonly string[]): string =>
    ids
      .map((id) => {
        const node = byId.get(id);
        const name = shortId(id, projectId);
        if (node === undefined || seen.has(id)) return name;
        seen.add(id);
        return `${name} ${symbolOf(NODE_MARKS[node.status], style)}`;
      })
      .join(', ');

  const lines = chainsOf(stepsOf(drawn)).map((chain) => {
    const [first] = chain;
    return [show(first?.after ?? []), ...chain.map(({ ids }) => show(ids))].join(' -> ');
  });
  const alone = drawn.filter(({ id }) => !seen.has(id)).map(({ id }) => id);
  if (alone.length > 0) lines.push(show(alone));
  const folded = lines.flatMap(fold);
  return drawn.length < nodes.length ? [...folded, labels.more(nodes.length - drawn.length)] : folded;
}

/** All nodes that wait for the same ones. */
interface Step {
  readonly after: readonly string[];
  readonly ids: readonly string[];
}

function stepsOf(nodes: readonly PlanNode[]): readonly Step[] {
  const place = new Map(nodes.map(({ id }, index) => [id, index]));
  const steps = new Map<string, { readonly after: readonly string[]; readonly ids: string[] }>();
  for (const { id, dependsOn } of nodes) {
    const after = inOrder(dependsOn, place);
    if (after.length === 0) continue;
    const key = after.join(' ');
    const step = steps.get(key) ?? { after, ids: [] };
    step.ids.push(id);
    steps.set(key, step);
  }
  return [...steps.values()];
}

function inOrder(ids: readonly string[], place: ReadonlyMap<string, number>): readonly string[] {
  return [...new Set(ids)].filter((id) => place.has(id)).sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
}

/**
 * Steps one after the other, each once all it waits for has been drawn; where one waits for exactly what the last one
 * brought, it goes on in the same chain. Steps of a cycle (a broken plan) come when no other can.
 */
function chainsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  const left = new Set(steps);
  const coming = new Set(steps.flatMap(({ ids }) => ids));
  const chains: Step[][] = [];
  while (left.size > 0) {
    const open = [...left];
    const chain: Step[] = [];
    let next = open.find(({ after }) => after.every((id) => !coming.has(id))) ?? open[0];
    while (next !== undefined) {
      chain.push(next);
      left.delete(next);
      for (const id of next.ids) coming.delete(id);
      const { ids } = next;
      next = [...left].find(({ after }) => after.join(' ') === ids.join(' '));
    }
    chains.push(chain);
  }
  return chains;
}

/** Long lines go on indented, broken between nodes. */
function fold(line: string): readonly string[] {
  const lines: string[] = [];
  for (const piece of line.split(/(?<=,) | (?=-> )/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + piece.length <= WIDTH) lines[lines.length - 1] = `${last} ${piece}`;
    else lines.push(last === undefined ? piece : `   ${piece}`);
  }
  return lines;
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
    ...(topic === '' ? [] : [`${labels.topic}${labels.colon}${plainText(topic, TEXT_MAX)}`]),
    ...(last === undefined ? [] : [`${labels.lastDecision}${labels.colon}${plainText(last, TEXT_MAX)}`]),
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
