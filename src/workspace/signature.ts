import type { BigIntStats } from 'node:fs';

/**
 * A file that was changed less than this before it was read may change again without a visible difference in its
 * time stamps (file systems count in ticks of several milliseconds), so it is read again instead of trusted.
 */
const UNSETTLED_MS = 100;

/** The same where a file system keeps whole seconds, or every other one. */
const UNSETTLED_SECONDS_MS = 2_000;

/** Absent things have one signature; a changed link, file or directory always has another. */
export function signatureOf(found: BigIntStats | undefined): string | undefined {
  if (found === undefined) return undefined;
  return `${found.dev}:${found.ino}:${found.mode}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
}

/** Whether a signature that was taken at `now` (milliseconds since the epoch) tells of every later change. */
export function isSettled(found: BigIntStats | undefined, now: number | undefined): boolean {
  if (found === undefined) return true;
  if (now === undefined) return false;
  const changed = found.mtimeMs > found.ctimeMs ? found.mtimeMs : found.ctimeMs;
  const isWhole = found.ctimeNs % 1_000_000_000n === 0n;
  return Number(changed) < now - (isWhole ? UNSETTLED_SECONDS_MS : UNSETTLED_MS);
}
