/**
 * Makes work of which one run does for many: it is never under way twice, and all who ask while it is share the next run,
 * which begins after they have asked.
 */
export function sharedWork<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let present: Promise<Result> | undefined;
  let next: Promise<Result> | undefined;
  const start = (): Promise<Result> => {
    next = undefined;
    const run = work();
    const end = (): void => {
      present = undefined;
    };
    present = run;
    void run.then(end, end);
    return run;
  };
  return () => {
    if (present === undefined) return start();
    next ??= present.then(start, start);
    return next;
  };
}
