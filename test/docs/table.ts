/** Steps that differ only by where they come from share a row. */
export function joined<Step extends { readonly from: string }>(
  steps: readonly Step[],
  cells: (step: Step) => readonly string[],
): readonly (readonly string[])[] {
  const rows = new Map<string, { from: string[]; cells: readonly string[] }>();
  for (const step of steps) {
    const key = cells(step).join('\n');
    const row = rows.get(key) ?? { from: [], cells: cells(step) };
    row.from.push(step.from);
    rows.set(key, row);
  }
  return [...rows.values()].map((row) => [row.from.join(', '), ...row.cells]);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
