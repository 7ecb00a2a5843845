/** Work that goes on beside what its caller does next. */
export interface Aside {
  begin(work: () => Promise<void>): void;
  /** Resolves when all that was begun is over; what failed of it was told to `failed`. */
  done(): Promise<void>;
}

export function createAside(failed: (error: unknown) => void): Aside {
  const going = new Set<Promise<void>>();
  return {
    begin(work) {
      const begun = work()
        .catch(failed)
        .finally(() => going.delete(begun));
      going.add(begun);
    },
    async done() {
      await Promise.all(going);
    },
  };
}
