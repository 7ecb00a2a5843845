import { diff3Merge } from 'node-diff3';

/** Beyond so many pairs of equal lines the comparison would take too long to be worth it. */
const MAX_PAIRS = 2_000_000;

/**
 * Merges texts as lists of line tokens; where both sides changed the same place, the leader's lines are taken.
 * `undefined` when the texts are too repetitive to compare.
 */
export function mergeTokens(
  base: readonly string[],
  leader: readonly string[],
  other: readonly string[],
): readonly string[] | undefined {
  const all = [base, leader, other];
  const shortest = Math.min(...all.map(({ length }) => length));
  let head = 0;
  while (head < shortest && leader[head] === base[head] && leader[head] === other[head]) head += 1;
  let tail = 0;
  while (
    tail < shortest - head &&
    leader.at(-1 - tail) === base.at(-1 - tail) &&
    leader.at(-1 - tail) === other.at(-1 - tail)
  ) {
    tail += 1;
  }
  const [b, l, o] = [base, leader, other].map((tokens) => tokens.slice(head, tokens.length - tail));
  if (b === undefined || l === undefined || o === undefined) return undefined;
  if (equalPairs(b, l) > MAX_PAIRS || equalPairs(b, o) > MAX_PAIRS) return undefined;
  const regions = diff3Merge([...l], [...b], [...o], { excludeFalseConflicts: true });
  const middle = regions.flatMap(({ ok, conflict }) => ok ?? conflict?.a ?? []);
  return [...leader.slice(0, head), ...middle, ...leader.slice(leader.length - tail)];
}

function equalPairs(a: readonly string[], b: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const token of a) counts.set(token, (counts.get(token) ?? 0) + 1);
  return b.reduce((sum, token) => sum + (counts.get(token) ?? 0), 0);
}
