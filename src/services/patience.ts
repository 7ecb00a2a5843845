import type { Clock } from '../ports.ts';

/** So long a call waits for the chat, milliseconds: a homeserver that is well answers in a fraction of it. */
const PATIENCE = 2_500;

/**
 * Waits for `work`, but not for ever; true when it was over in time. Otherwise `signal` tells it that nobody waits for it
 * any more: what it has begun goes on, and what it throws then is left to whoever takes that up.
 */
export async function inTime(clock: Clock, work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  const left = new AbortController();
  const over = new AbortController();
  const late = clock.sleep(PATIENCE, over.signal).then(() => false);
  try {
    const isOver = await Promise.race([work(left.signal).then(() => true), late]);
    if (!isOver) left.abort();
    return isOver;
  } finally {
    over.abort();
  }
}
