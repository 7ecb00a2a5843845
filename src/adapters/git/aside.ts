/** Work that goes on beside what its caller does next. */
export interface Aside {
  begin(work: () => Promise<unknown>): void;
  /** Resolves when all that was begun is done. Throws what failed, to everybody who waits for it, and not again. */
  done(): Promise<void>;
}

export function createAside(): Aside {
  let going: Promise<unknown>[] = [];
  return {
    begin(work) {
      const begun = work();
      // Told by `done`.
      begun.catch(() => undefined);
      going = [...going, begun];
    },
    async done() {
      const all = going;
      const settled = await Promise.allSettled(all);
      going = going.filter((one) => !all.includes(one));
      const failed = settled.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}
