import type { Spread } from './numbers.ts';
import { markdownTable, range, shown, textTable } from './numbers.ts';

/** One row of the table: what was measured, against what, and what it must reach. */
export interface Figure {
  /** Of the list of figures (`P1`); several rows may belong to one. */
  readonly id: string;
  readonly what: string;
  /** `null` where nothing could be measured. */
  readonly value: number | null;
  readonly unit: string;
  /** The same work by other means, in the same unit and run; `null` where the limit is absolute. */
  readonly floor: number | null;
  /** `value / floor`; `null` without a floor. */
  readonly ratio: number | null;
  /** What the ratio, or without a floor the value, must reach; `null` where nothing could be measured. */
  readonly limit: number | null;
  /** Whether the limit is a least or a most. */
  readonly bound: 'most' | 'least';
  readonly ok: boolean;
  readonly spread?: Spread;
  readonly floorSpread?: Spread;
  /** What else was seen; sentences. */
  readonly notes: readonly string[];
}

interface Measured {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly limit: number;
  readonly bound?: 'most' | 'least';
  /** False when what was measured was not right, however fast it was. */
  readonly sound?: boolean;
  /** What was reached when the time was over, where that is not all; such a figure is short. */
  readonly cut?: string | undefined;
  readonly notes?: readonly string[];
}

/** A figure whose limit is on the ratio to a floor. */
export function against(measured: Measured, value: Spread | number, floor: Spread | number): Figure {
  const [amount, least] = [amountOf(value), amountOf(floor)];
  return { ...figure(measured, value, amount / least), floor: least, ratio: amount / least, ...spreadOfFloor(floor) };
}

/** A figure whose limit is on the value itself. */
export function absolute(measured: Measured, value: Spread | number): Figure {
  return figure(measured, value, amountOf(value));
}

/** A figure of which nothing can be said but why. */
export function unmeasured(id: string, what: string, reason: string): Figure {
  const none = { value: null, unit: '', floor: null, ratio: null, limit: null, bound: 'most' } as const;
  return { id, what, ...none, ok: false, notes: [reason] };
}

function figure(measured: Measured, value: Spread | number, judged: number): Figure {
  const { id, what, unit, limit, bound = 'most', sound = true, cut, notes = [] } = measured;
  const reached = bound === 'most' ? judged <= limit : judged >= limit;
  return {
    id,
    what,
    value: amountOf(value),
    unit,
    floor: null,
    ratio: null,
    limit,
    bound,
    ok: sound && cut === undefined && reached,
    notes: [
      ...(sound ? [] : ['not sound: see below']),
      ...(cut === undefined ? [] : [`the time was over: ${cut}`]),
      ...notes,
    ],
    ...(typeof value === 'number' ? {} : { spread: value }),
  };
}

const amountOf = (value: Spread | number): number => (typeof value === 'number' ? value : value.median);
const spreadOfFloor = (floor: Spread | number): Pick<Figure, 'floorSpread'> =>
  typeof floor === 'number' ? {} : { floorSpread: floor };

const HEAD = ['', 'what', 'measured', 'floor', 'ratio', 'must reach', ''];

/** The rows as cells of text, head first. */
function cellsOf(figures: readonly Figure[]): readonly (readonly string[])[] {
  return [
    HEAD,
    ...figures.map(({ id, what, value, unit, floor, ratio, limit, bound, ok, spread, floorSpread }) => [
      id,
      what,
      value === null ? 'nothing' : `${shown(value)} ${unit}${range(spread)}`,
      floor === null ? '' : `${shown(floor)} ${unit}${range(floorSpread)}`,
      ratio === null ? '' : shown(ratio),
      limit === null
        ? ''
        : `${bound === 'most' ? '≤' : '≥'} ${shown(limit)}${ratio === null ? ` ${unit}` : ' × floor'}`,
      ok ? 'ok' : 'SHORT',
    ]),
  ];
}

/** One figure in short, for those who watch. */
export function asLine({ id, value, unit, ratio, ok }: Figure): string {
  const compared = ratio === null ? '' : `, ${shown(ratio)} × floor`;
  return `  ${id} ${value === null ? 'nothing' : `${shown(value)} ${unit}`}${compared}: ${ok ? 'ok' : 'SHORT'}`;
}

export function asText(figures: readonly Figure[]): string {
  const lines = textTable(cellsOf(figures));
  const notes = figures
    .filter(({ notes: said }) => said.length > 0)
    .flatMap(({ id, what, notes: said }) => ['', `${id}  ${what}`, ...said.map((note) => `    ${note}`)]);
  return [...lines, ...notes].join('\n');
}

export function asMarkdown(figures: readonly Figure[]): string {
  return markdownTable(cellsOf(figures));
}
