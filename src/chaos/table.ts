import type { Violation } from './facts.ts';
import type { SeedResult } from './seed.ts';

/** One row: what was tried, how much of it, and what did not hold. */
export interface Row {
  readonly what: string;
  readonly seeds: number;
  readonly steps: number;
  readonly faults: number;
  readonly kills: number;
  /** Kill points that were taken, of how many there are; absent where points have no names. */
  readonly points?: string;
  readonly violations: number;
  readonly seconds: number;
}

const HEAD = ['what', 'seeds', 'steps', 'faults', 'kills', 'points', 'violations', 'seconds'];

/** The rows as aligned text. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [
    HEAD,
    ...rows.map(({ what, seeds, steps, faults, kills, points, violations, seconds }) => [
      what,
      ...[seeds, steps, faults, kills].map(String),
      points ?? '',
      String(violations),
      seconds.toFixed(1),
    ]),
  ];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  return `${lines.join('\n')}\n`;
}

/** The row of seeds that were played one after the other. */
export function rowOf(what: string, results: readonly SeedResult[]): Row {
  const sum = (of: (result: SeedResult) => number): number => results.reduce((total, one) => total + of(one), 0);
  return {
    what,
    seeds: results.length,
    steps: sum(({ steps }) => steps),
    faults: sum(({ faults }) => faults),
    kills: sum(({ kills }) => kills),
    violations: sum(({ violations }) => violations.length),
    seconds: sum(({ seconds }) => seconds),
  };
}

/** One violation on a line. */
export const asSentence = ({ rule, message }: Violation): string => `${rule}: ${message}`;
