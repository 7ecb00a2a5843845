import { markdownTable, range, shown, textTable } from './numbers.ts';
import type { Spread } from './numbers.ts';

/** What one step costs at one size, in milliseconds; a missing value was not measured. */
export interface Costs {
  /** One delegation through the node. */
  readonly delegation?: Spread;
  /** The same files by a plain script that is alone on the branch. */
  readonly script?: Spread;
  /** One step of a script among others on one shared branch. */
  readonly shared?: Spread;
  /** From a Worker's submit until it is answered. */
  readonly answered?: Spread;
  /** From a Worker's submit until the Leader's node has it. */
  readonly known?: Spread;
}

export interface GrowthRow {
  /** The size: so many tasks, Workers, nodes or milliseconds. */
  readonly at: number;
  readonly label: string;
  readonly costs: Costs;
  /** Why something is missing. */
  readonly notes: readonly string[];
}

export interface Growth {
  /** What grows: `tasks`. */
  readonly axis: string;
  readonly what: string;
  /** Whether sizes are compared by ratio, or by difference since they begin at nothing. */
  readonly scale: 'ratio' | 'difference';
  readonly rows: readonly GrowthRow[];
}

const COLUMNS: readonly (readonly [key: keyof Costs, name: string, head: string])[] = [
  ['delegation', 'a delegation', 'delegation'],
  ['script', 'the plain script', 'plain script'],
  ['shared', 'a step on one shared branch', 'step on one shared branch'],
  ['answered', 'a submission until it is answered', 'submit → answered'],
  ['known', 'a submission until the Leader’s node knows', 'submit → known'],
];

/** Cells of the table of one growth, head first; medians in milliseconds with least and 90th percentile. */
function cellsOf({ what, rows }: Growth): readonly (readonly string[])[] {
  const head = [what, ...COLUMNS.map(([, , title]) => `${title} (ms)`)];
  return [
    head,
    ...rows.map(({ label, costs }) => [
      label,
      ...COLUMNS.map(([key]) => {
        const spread = costs[key];
        return spread === undefined ? '' : `${shown(spread.median)}${range(spread)}`;
      }),
    ]),
  ];
}

export function growthAsText(growth: Growth): string {
  return [...textTable(cellsOf(growth)), '', ...sentencesOf(growth).map((line) => `    ${line}`)].join('\n');
}

export function growthAsMarkdown(growth: Growth): string {
  const sentences = sentencesOf(growth).map((line) => `- ${line}`);
  return [`### ${growth.what}`, '', markdownTable(cellsOf(growth)), '', ...sentences].join('\n');
}

/** The shape of every column in words, then what is missing. */
function sentencesOf(growth: Growth): readonly string[] {
  const shapes = shapesOf(growth).map(({ name, words }) => `${name} ${words}`);
  const missing = growth.rows.flatMap(({ label, notes }) => notes.map((note) => `${label}: ${note}`));
  return [...shapes, ...missing];
}

interface Shape {
  readonly cost: keyof Costs;
  readonly name: string;
  /** Of `cost ~ size^exponent`; or milliseconds for each of the size, where sizes are compared by difference. */
  readonly slope: number;
  readonly words: string;
}

/** How the median of each column grows; columns with fewer than two measured sizes have no shape. */
export function shapesOf({ scale, rows }: Growth): readonly Shape[] {
  return COLUMNS.flatMap(([cost, name]) => {
    const points = rows.flatMap(({ at, costs }) => {
      const spread = costs[cost];
      return spread === undefined ? [] : [[at, spread.median] as const];
    });
    if (points.length < 2) return [];
    const onScale = scale === 'difference' ? points : points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
    const { slope, fit } = lineThrough(onScale);
    const values = points.map(([, y]) => y);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const shapeless = fit < POOR && most > 1.5 * least;
    const words = scale === 'difference' ? perUnit(slope) : byRatio(slope);
    return [{ cost, name, slope, words: shapeless ? between(least, most) : words }];
  });
}

/** A line that explains less than this share of what is seen says nothing. */
const POOR = 0.7;

/** The straight line that fits best (least squares), and the share of the differences that it explains. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): {
  readonly slope: number;
  readonly fit: number;
} {
  const mean = (index: 0 | 1): number => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (of: (dx: number, dy: number) => number): number =>
    points.reduce((total, point) => total + of(point[0] - x, point[1] - y), 0);
  const [xy, xx, yy] = [sum((dx, dy) => dx * dy), sum((dx) => dx * dx), sum((_, dy) => dy * dy)];
  return { slope: xy / xx, fit: yy === 0 ? 1 : (xy * xy) / (xx * yy) };
}

/** Names of growth by the exponent up to which they hold. */
const KINDS: readonly (readonly [most: number, words: string])[] = [
  [-0.1, 'falls'],
  [0.1, 'does not grow'],
  [0.4, 'grows slowly'],
  [0.8, 'grows, less than in proportion'],
  [1.2, 'grows in proportion'],
  [Number.POSITIVE_INFINITY, 'grows faster than in proportion'],
];

function byRatio(exponent: number): string {
  const [, words = ''] = KINDS.find(([most]) => exponent <= most) ?? [];
  return `${words}: × ${shown(10 ** exponent)} for each tenfold (exponent ${exponent.toFixed(2)})`;
}

const perUnit = (slope: number): string =>
  slope < 0.5 ? 'does not wait for the wire' : `takes ${slope.toFixed(1)} round trips`;

const between = (least: number, most: number): string =>
  `is between ${shown(least)} and ${shown(most)} ms, without a simple shape`;
