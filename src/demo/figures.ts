import { clip } from '../protocol/plain-text.ts';
import { markdownText } from '../protocol/report-facts.ts';
import type { Commit } from './history.ts';

export function linesOf({ files }: Commit): number {
  return files.reduce((sum, { added, removed }) => sum + added + removed, 0);
}

/** How many commits share a key, most first. */
export function groupCount(
  commits: readonly Commit[],
  keyOf: (commit: Commit) => string,
): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const commit of commits) counts.set(keyOf(commit), (counts.get(keyOf(commit)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

export function topFiles(commits: readonly Commit[], limit: number): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { files } of commits) for (const { path } of files) counts.set(path, (counts.get(path) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, limit);
}

export function byDay(commits: readonly Commit[]): readonly (readonly [string, number])[] {
  return [...groupCount(commits, ({ date }) => date.slice(0, 10))].sort((a, b) => a[0].localeCompare(b[0]));
}

/** A Markdown table; words of others are escaped. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const texts = rows.map((cells) => cells.map((cell) => (typeof cell === 'string' ? markdownText(cell, 120) : cell)));
  return `${[line(head), line(head.map(() => '---')), ...texts.map(line)].join('\n')}\n`;
}

/** Commits a day as a table with a bar, the last fourteen days that had any. */
export function ageTable(days: readonly (readonly [string, number])[]): string {
  const recent = days.slice(-14);
  const most = Math.max(1, ...recent.map(([, count]) => count));
  const rows = recent.map(
    ([day, count]) => [day, count, '█'.repeat(Math.max(1, Math.round((count / most) * 20)))] as const,
  );
  return table(['Day', 'Commits', ''], rows);
}

/** Changed lines by area as a bar chart. */
export function areaChart(areas: readonly (readonly [string, number])[]): string {
  const most = Math.max(1, ...areas.map(([, lines]) => lines));
  const bars = areas.map(([area, lines], index) => {
    const y = 10 + index * 24;
    const width = Math.max(1, Math.round((lines / most) * 300));
    const label = clip(area, 16).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    return `  <text x="8" y="${y + 13}">${label}</text><rect x="140" y="${y}" width="${width}" height="16"/><text x="${148 + width}" y="${y + 13}">${lines}</text>`;
  });
  const height = 20 + areas.length * 24;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="520" height="${height}" font-family="sans-serif" font-size="12">\n${bars.join('\n')}\n</svg>\n`;
}
