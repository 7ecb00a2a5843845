import { setImmediate } from 'node:timers/promises';

/** Milliseconds for which work on files may hold up everything else that this process does. */
const TURN = 10;

/** To be awaited after each small piece of work that is done without a pause: lets others have their turn now and then. */
export function createTurns(): () => Promise<void> {
  let begun = performance.now();
  return async () => {
    if (performance.now() - begun < TURN) return;
    await setImmediate();
    begun = performance.now();
  };
}
