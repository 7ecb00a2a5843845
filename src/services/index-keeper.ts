import type { EventBus } from '../events.ts';
import type { Clock, WorkIndex } from '../ports.ts';

export interface IndexKeeperDependencies {
  readonly index: WorkIndex;
  readonly events: EventBus;
  readonly clock: Clock;
  /** Whether the process goes on; one that ends after a call writes the index at its end only. */
  readonly watched: boolean;
}

/** Milliseconds that a node lets pass after a change, so that many changes are written down together. */
const SOON = 1_000;

/** Brings `.baton/index.json` up to what has changed, after whoever changed it was answered. */
export function keepIndex({ index, events, clock, watched }: IndexKeeperDependencies): Disposable {
  const ending = new AbortController();
  let isChanged = false;
  let isWaiting = false;

  async function soon(): Promise<void> {
    isWaiting = true;
    await clock.sleep(SOON, ending.signal);
    isWaiting = false;
    if (!ending.signal.aborted) save();
  }

  function save(): void {
    index.save({ changed: isChanged });
    isChanged = false;
  }

  const stop = events.on('sync:changed', ({ changed }) => {
    if (!changed.some((path) => /^shared\/(?:projects|tasks|archive)\//.test(path))) return;
    isChanged = true;
    if (watched && !isWaiting) void soon();
  });
  return {
    [Symbol.dispose]() {
      stop();
      ending.abort();
      save();
    },
  };
}
