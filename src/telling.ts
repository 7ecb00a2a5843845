import type { Hints } from './adapters/hints.ts';
import type { Clock } from './ports.ts';
import type { ObjectId } from './ports-git.ts';

/** Milliseconds after which the others are told of what the refs of the remote will have told them by then. */
const LATER = 2_000;

export interface Telling extends Disposable {
  pushed(ref: string, commit: ObjectId): void;
}

export interface TellingOptions {
  readonly hints: Hints;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Whether the others can watch the remote itself; then a hint only stands in for a watch that has missed something. */
  readonly isWatched: () => boolean;
}

/**
 * Tells the other nodes of this machine of a push: at once, or, where each hint would wake twenty nodes that know of it
 * already, one for all pushes of two seconds. What is still to be told when it is disposed of is told then.
 */
export function createTelling({ hints, clock, isWatched }: TellingOptions): Telling {
  const waiting = new Map<string, ObjectId>();
  const ending = new AbortController();
  let isTimed = false;

  function tellAll(): void {
    for (const [ref, commit] of waiting) hints.tell({ ref, commit });
    waiting.clear();
  }

  async function later(): Promise<void> {
    isTimed = true;
    await clock.sleep(LATER, ending.signal);
    isTimed = false;
    tellAll();
  }

  return {
    pushed(ref, commit) {
      if (ending.signal.aborted || !isWatched()) return hints.tell({ ref, commit });
      waiting.set(ref, commit);
      if (!isTimed) void later();
    },
    [Symbol.dispose]() {
      ending.abort();
      tellAll();
    },
  };
}
