import { setImmediate } from 'node:timers/promises';

/** Milliseconds for which one piece of work may hold up everything else that this process does. */
const LONGEST = 10;

/**
 * To be awaited after each small piece of work that is done without a pause: lets others have their turn now and then. `undefined`
 * while no pause is due; whoever does tens of thousands of pieces need not wait for that.
 */
export function createPauses(): () => Promise<void> | undefined {
  let begun = performance.now();
  const pause = async (): Promise<void> => {
    await setImmediate();
    begun = performance.now();
  };
  return () => (performance.now() - begun < LONGEST ? undefined : pause());
}
