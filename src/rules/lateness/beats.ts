/** What the heartbeats have seen of one task. */
export interface Beat {
  /** A fingerprint of its progress and its context. */
  readonly context: string;
  /** So many heartbeats in a row have found it so. */
  readonly count: number;
}

export type Beats = ReadonlyMap<string, Beat>;

/** One heartbeat more. `contexts` are those of the tasks in progress now, by id; the others are forgotten. */
export function afterBeat(before: Beats, contexts: ReadonlyMap<string, string>): Beats {
  return new Map(
    [...contexts].map(([id, context]) => {
      const known = before.get(id);
      return [id, { context, count: known?.context === context ? known.count + 1 : 1 }];
    }),
  );
}

/** What is known between two heartbeats: whose context has changed since the last one has not been seen at all. */
export function betweenBeats(before: Beats, contexts: ReadonlyMap<string, string>): Beats {
  return new Map(
    [...contexts].map(([id, context]) => {
      const known = before.get(id);
      return [id, known?.context === context ? known : { context, count: 0 }];
    }),
  );
}
