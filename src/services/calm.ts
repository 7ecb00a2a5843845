import type { Finding } from '../rules/consistency.ts';

/** Files that are broken are told at once; all else may be the half of an edit, or of a checkout that is under way. */
const AT_ONCE: ReadonlySet<string> = new Set(['broken-file', 'invalid-result']);

export interface Calm {
  /** Of what was found just now and of what waited since: what may be told now. `now` in milliseconds that only grow. */
  due(fresh: readonly Finding[], standing: ReadonlyMap<string, Finding>, now: number): readonly Finding[];
  /** Whether something waits to be told. */
  waits(): boolean;
}

/** Holds back what contradicts itself until it has stood for a moment (milliseconds); what was cleared meanwhile is forgotten. */
export function createCalm(moment: number): Calm {
  const since = new Map<string, number>();
  return {
    due(fresh, standing, now) {
      const told = fresh.filter(({ kind }) => AT_ONCE.has(kind));
      for (const { key, kind } of fresh) if (!AT_ONCE.has(kind)) since.set(key, now);
      for (const [key, at] of since) {
        const finding = standing.get(key);
        if (finding !== undefined && now - at < moment) continue;
        since.delete(key);
        if (finding !== undefined) told.push(finding);
      }
      return told;
    },
    waits: () => since.size > 0,
  };
}
