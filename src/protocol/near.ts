/** Steps of typing by which names may differ that are taken for one another. */
const NEAR = 2;

/** The names that somebody who wrote `name` may have meant, the nearest first; three at most, in any letter case. */
export function nearNames(name: string, names: readonly string[]): readonly string[] {
  const wanted = name.toLowerCase();
  const most = Math.min(NEAR, Math.floor(wanted.length / 2));
  return [...new Set(names)]
    .map((other) => ({ other, steps: stepsBetween(wanted, other.toLowerCase()) }))
    .filter(({ steps }) => steps <= most)
    .toSorted((a, b) => a.steps - b.steps || (a.other < b.other ? -1 : 1))
    .slice(0, 3)
    .map(({ other }) => other);
}

/** How many letters have to be put in, taken out or changed to make one word of another. */
function stepsBetween(from: string, to: string): number {
  // What differs that much in length is never near.
  if (Math.abs(from.length - to.length) > NEAR) return NEAR + 1;
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let at = 0; at < from.length; at += 1) {
    const next = [at + 1];
    for (let column = 0; column < to.length; column += 1) {
      const same = from[at] === to[column] ? 0 : 1;
      next.push(Math.min((row[column] ?? 0) + same, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
