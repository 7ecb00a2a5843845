import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks until the answer is there; a bounded look at something that happens elsewhere (another process, another clone),
 * not a guess at how long it takes. Fails with what was seen last.
 */
export async function eventually<Value>(
  look: () => Promise<Value | undefined> | Value | undefined,
  what: string,
): Promise<Value> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited 30 s in vain: ${what}`);
    await pause(50);
  }
}
