/** What was measured several times, in one unit. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly p90: number;
  readonly runs: number;
}

/** The value below which `share` of the values lie (nearest rank). Throws on none, since nothing was measured then. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: percentile(values, 0.5),
    min: percentile(values, 0),
    p90: percentile(values, 0.9),
    runs: values.length,
  };
}

/** Milliseconds that a piece of work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Three significant digits, as people read measurements. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** Least and 90th percentile, to stand behind a median. */
export function range(spread: Spread | undefined): string {
  return spread === undefined || spread.runs < 2 ? '' : ` (${shown(spread.min)} … ${shown(spread.p90)})`;
}

type Cells = readonly (readonly string[])[];

/** Lines of a table for a terminal; head first. */
export function textTable(rows: Cells): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The same for a page; head first. */
export function markdownTable([head = [], ...rows]: Cells): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
