/** How a task in progress looks now. */
export interface Sight {
  /** A fingerprint of its progress and its context. */
  readonly context: string;
  /** 0 to 100. */
  readonly progress: number;
}

/** What the heartbeats have seen of one task. */
export interface Beat {
  readonly context: string;
  /** So many heartbeats in a row have found it so. */
  readonly count: number;
  /** As the last heartbeat found it; absent where none did. */
  readonly progress?: number;
  /** How much of its progress, in percent points, came with the last heartbeat; absent until two have seen it. */
  readonly gained?: number;
}

export type Beats = ReadonlyMap<string, Beat>;

/** One heartbeat more. `sights` are those of the tasks in progress now, by id; the others are forgotten. */
export function afterBeat(before: Beats, sights: ReadonlyMap<string, Sight>): Beats {
  return new Map(
    [...sights].map(([id, { context, progress }]) => {
      const known = before.get(id);
      const gained = known?.progress === undefined ? {} : { gained: progress - known.progress };
      return [id, { context, count: known?.context === context ? known.count + 1 : 1, progress, ...gained }];
    }),
  );
}

/**
 * What is known between two heartbeats: whose context has changed since the last one has not been seen at all. What was
 * gained since then counts at once, as what is cured need not wait for the next one.
 */
export function betweenBeats(before: Beats, sights: ReadonlyMap<string, Sight>): Beats {
  return new Map(
    [...sights].map(([id, { context, progress }]) => {
      const known = before.get(id);
      if (known === undefined) return [id, { context, count: 0 }];
      const since = known.progress === undefined ? 0 : progress - known.progress;
      const gained = known.gained === undefined ? {} : { gained: Math.max(known.gained, since) };
      return [id, { ...known, ...gained, ...(known.context === context ? {} : { context, count: 0 }) }];
    }),
  );
}
