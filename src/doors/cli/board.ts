import {
  clip,
  count,
  createPalette,
  displayWidth,
  pad,
  paintOf,
  printable,
  type Paint,
  type Paints,
  type Palette,
} from './text.ts';
import { markerOf } from '../../protocol/plan-types.ts';

/** What a board shows of one project; read from the answer of `node.board` by `board-data.ts`. */
export interface BoardProject {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly kind: 'dag' | 'loop';
  readonly nodes: readonly BoardNode[];
  readonly loop?: BoardLoop;
  /** Ids that may be delegated now. */
  readonly ready: readonly string[];
}

export interface BoardNode {
  readonly id: string;
  readonly title: string;
  /** Status of the plan node: it decides marker and colour. */
  readonly status: string;
  readonly assignee: string;
  readonly dependsOn: readonly string[];
  /** Status of the task's meta, when there is one: how far a delegated task is. */
  readonly task?: string;
  /** What the Worker said of its result. */
  readonly summary?: string;
}

export interface BoardLoop {
  readonly goal: string;
  readonly stopCondition: string;
  readonly status: string;
  readonly currentIteration: number;
  readonly maxIterations: number;
  /** `Iteration <n>: <decision> — <summary>[ Next: <action>]`, oldest first. */
  readonly history: readonly string[];
}

export interface BoardOptions {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

const PAINTS: Paints = {
  delegated: 'yellow',
  completed: 'green',
  blocked: 'red',
  cancelled: 'red',
  revision: 'magenta',
  active: 'green',
  planning: 'yellow',
  running: 'green',
  paused: 'yellow',
  waiting_user: 'yellow',
};

/** The board as text: each project's head, then its DAG in layers or its Loop with the iterations so far. Pure. */
export function renderBoard(projects: readonly BoardProject[], { color, width }: BoardOptions): string {
  const palette = createPalette(color);
  if (projects.length === 0) return 'no projects yet: `baton project create TITLE` makes one\n';
  return `${projects.map((project) => renderProject(project, palette, width)).join('\n\n')}\n`;
}

function renderProject(project: BoardProject, palette: Palette, width: number): string {
  const lines = [renderHead(project, palette, width)];
  if (project.loop !== undefined) lines.push('', ...renderLoop(project.loop, palette, width));
  lines.push('', ...renderLayers(project, palette, width));
  return lines.join('\n');
}

function renderHead(project: BoardProject, palette: Palette, width: number): string {
  const accepted = project.nodes.filter(({ status }) => status === 'completed').length;
  const facts = [
    printable(project.id),
    project.kind,
    paintOf(PAINTS, project.status, palette)(printable(project.status)),
    `${accepted} of ${count(project.nodes.length, 'node')} accepted`,
  ];
  return `${palette.bold(clip(printable(project.title), width))}\n${facts.join(palette.dim(' · '))}`;
}

// ---------------------------------------------------------------- the DAG

/**
 * Nodes by their distance from the start: a node stands one layer below its deepest dependency. Unknown dependencies
 * count as met, and a cycle (a broken plan) ends where it closes, so that a broken plan can still be looked at.
 */
export function layersOf(nodes: readonly BoardNode[]): readonly (readonly BoardNode[])[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const depths = new Map<string, number>();
  const depthOf = (node: BoardNode, open: ReadonlySet<string>): number => {
    const known = depths.get(node.id);
    if (known !== undefined) return known;
    const within = new Set([...open, node.id]);
    const above = node.dependsOn
      .map((id) => byId.get(id))
      .filter((dependency) => dependency !== undefined && !within.has(dependency.id))
      .map((dependency) => (dependency === undefined ? 0 : depthOf(dependency, within) + 1));
    const depth = Math.max(0, ...above);
    depths.set(node.id, depth);
    return depth;
  };
  const layers: BoardNode[][] = [];
  for (const node of nodes) (layers[depthOf(node, new Set())] ??= []).push(node);
  return layers.filter((layer) => layer !== undefined);
}

function renderLayers(project: BoardProject, palette: Palette, width: number): readonly string[] {
  if (project.nodes.length === 0) return [palette.dim('  no tasks planned')];
  const short = (id: string): string =>
    printable(id.startsWith(`${project.id}-`) ? id.slice(project.id.length + 1) : id);
  const ready = new Set(project.ready);
  const rows = layersOf(project.nodes).map((layer) =>
    layer.map((node) => ({
      node,
      id: short(node.id),
      title: printable(node.title),
      assignee: printable(node.assignee === '' ? '-' : node.assignee),
      state: stateOf(node, ready),
      after: node.dependsOn.length === 0 ? '' : `← ${node.dependsOn.map(short).join(' ')}`,
    })),
  );
  const all = rows.flat();
  const widest = (of: (row: (typeof all)[number]) => string): number =>
    Math.max(...all.map((row) => displayWidth(of(row))));
  const columns = {
    id: widest((row) => row.id),
    assignee: widest((row) => row.assignee),
    state: widest((row) => row.state),
  };
  const gutter = String(rows.length).length;
  const after = Math.min(
    24,
    widest((row) => row.after),
  );
  // Margin, marker and gaps take 15 columns; the title gets what the others leave, but never too little to be read.
  const fixed = 15 + gutter + columns.id + columns.assignee + columns.state + (after === 0 ? 0 : after + 2);
  const room = width - fixed;
  const titles = Math.min(
    widest((row) => row.title),
    Math.max(16, room),
  );
  return rows.flatMap((layer, depth) =>
    layer.map((row, place) => {
      const paint = paintOf(PAINTS, row.node.status, palette);
      const head = place === 0 ? String(depth + 1).padStart(gutter) : ' '.repeat(gutter);
      return [
        `  ${palette.dim(head)}`,
        paint(`[${markerOf(row.node.status)}]`),
        palette.bold(pad(row.id, columns.id)),
        pad(clip(row.title, titles), titles),
        palette.cyan(pad(row.assignee, columns.assignee)),
        paintState(row.state, paint, palette)(pad(row.state, columns.state)),
        palette.dim(row.after),
      ]
        .join('  ')
        .trimEnd();
    }),
  );
}

function stateOf(node: BoardNode, ready: ReadonlySet<string>): string {
  if (ready.has(node.id)) return 'ready';
  if (node.status === 'delegated') return printable(node.task ?? 'delegated');
  return node.status === 'pending' ? 'waiting' : printable(node.status);
}

function paintState(state: string, paint: Paint, palette: Palette): Paint {
  if (state === 'ready') return palette.blue;
  return state === 'waiting' ? palette.dim : paint;
}

// ---------------------------------------------------------------- the Loop

const HISTORY = /^Iteration (\d+): (\S+)(?: — (.*))?$/su;

interface Turn {
  readonly iteration: number;
  readonly decision: string;
  readonly summary: string;
}

function turnsOf(loop: BoardLoop): readonly Turn[] {
  return loop.history.map((line) => {
    const [, iteration, decision, summary] = HISTORY.exec(printable(line)) ?? [];
    return iteration === undefined
      ? { iteration: 0, decision: '?', summary: printable(line) }
      : { iteration: Number(iteration), decision: decision ?? '', summary: summary ?? '' };
  });
}

function renderLoop(loop: BoardLoop, palette: Palette, width: number): readonly string[] {
  const turns = turnsOf(loop);
  const field = (name: string, text: string): string =>
    `  ${palette.dim(pad(name, 9))}  ${clip(printable(text), Math.max(20, width - 13))}`;
  const rows = turns.map(({ iteration, decision, summary }) => {
    const head = `  ${pad(iteration === 0 ? '' : `#${iteration}`, 9)}  ${pad(decision, 12)}  `;
    return paintDecision(decision, palette)(head) + clip(summary, Math.max(20, width - displayWidth(head)));
  });
  return [
    field('goal', loop.goal),
    ...(loop.stopCondition === '' ? [] : [field('stop when', loop.stopCondition)]),
    field('loop', `${loop.status}, iteration ${loop.currentIteration} of at most ${loop.maxIterations}`),
    `  ${drawIterations(loop, turns, palette)}`,
    ...rows,
  ];
}

/** `(1 ✓)──(2 ●)─ ─ max 5`: what is decided, what is under way, and how far it may go. */
function drawIterations(loop: BoardLoop, turns: readonly Turn[], palette: Palette): string {
  const last = new Map(turns.map((turn) => [turn.iteration, turn.decision]));
  const upTo = Math.max(loop.currentIteration, ...last.keys(), 0);
  const drawn = Array.from({ length: upTo }, (_, index) => {
    const iteration = index + 1;
    const decision = last.get(iteration);
    if (decision === undefined) return palette.yellow(`(${iteration} ●)`);
    return paintDecision(decision, palette)(`(${iteration} ${decision === 'stop_blocked' ? '✗' : '✓'})`);
  });
  const ended = loop.status === 'completed' || loop.status === 'blocked';
  const rest =
    ended || upTo >= loop.maxIterations
      ? ''
      : palette.dim(`${drawn.length === 0 ? '' : '─ ─ '}max ${loop.maxIterations}`);
  return [drawn.join(palette.dim('──')), rest].join('');
}

function paintDecision(decision: string, palette: Palette): Paint {
  if (decision === 'stop_success') return palette.green;
  if (decision === 'stop_blocked') return palette.red;
  return decision === 'ask_user' ? palette.yellow : palette.cyan;
}
