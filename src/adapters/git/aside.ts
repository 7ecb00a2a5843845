/** Work that goes on beside what its caller does next. */
export interface Aside {
  begin(work: () => Promise<void>): void;
  /** Resolves when all that was begun is over, to one caller after the other; what failed of it was told to `failed`. */
  done(): Promise<void>;
}

export function createAside(failed: (error: unknown) => void): Aside {
  const going = new Set<Promise<void>>();
  let last = Promise.resolve();
  return {
    begin(work) {
      const begun = work()
        .catch(failed)
        .finally(() => going.delete(begun));
      going.add(begun);
    },
    done() {
      last = last.then(async () => void (await Promise.all(going)));
      return last;
    },
  };
}
