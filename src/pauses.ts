import { setImmediate } from 'node:timers/promises';

/** Milliseconds for which one piece of work may hold up everything else that this process does. */
const LONGEST = 10;

/** To be awaited after each small piece of work that is done without a pause: lets others have their turn now and then. */
export function createPauses(): () => Promise<void> {
  let begun = performance.now();
  return async () => {
    if (performance.now() - begun < LONGEST) return;
    await setImmediate();
    begun = performance.now();
  };
}
