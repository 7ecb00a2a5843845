import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../ports.ts';

/** The machine's own clock and chance. */
export const systemClock: Clock = createClock(() => Date.now());

/** A clock that takes the time from `millis` (milliseconds since the epoch) and chance from the system. */
export function createClock(millis: () => number): Clock {
  const chance = createChance();
  const ulid = createUlid(chance);
  return {
    now: () => new Date(millis()).toISOString().replace(/\.\d+Z$/, 'Z'),
    millis,
    elapsed: () => performance.now(),
    id: () => ulid(millis()),
    localStamp() {
      const at = new Date(millis());
      const day = `${at.getFullYear()}${pad(at.getMonth() + 1)}${pad(at.getDate())}`;
      return `${day}-${pad(at.getHours())}${pad(at.getMinutes())}${pad(at.getSeconds())}`;
    },
    hex: chance,
    async sleep(ms, signal) {
      try {
        await wait(ms, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        // Being woken early is what the signal is for.
        if (signal?.aborted !== true) throw error;
      }
    },
  };
}

/** Bytes that are asked of the system at once: it takes longer to ask than to get them. */
const PORTION = 512;

/** So many bytes of chance, as hexadecimal digits; none is given twice. */
function createChance(): (bytes: number) => string {
  let portion = Buffer.alloc(0);
  return (bytes) => {
    if (portion.length < bytes) portion = randomBytes(Math.max(PORTION, bytes));
    const given = portion.toString('hex', 0, bytes);
    portion = portion.subarray(bytes);
    return given;
  };
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Crockford's alphabet: digits and letters without I, L, O and U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_BITS = 48n;
const CHANCE_BITS = 80n;

/**
 * ULIDs that sort by time, and within a millisecond (or when the clock steps back) in the order they were asked for:
 * then the last one is counted up by one.
 */
function createUlid(chance: (bytes: number) => string): (millis: number) => string {
  let last = -1n;
  return (millis) => {
    const time = BigInt(Math.max(0, Math.trunc(millis))) & ((1n << TIME_BITS) - 1n);
    const fresh = (time << CHANCE_BITS) | BigInt(`0x${chance(10)}`);
    last = time > last >> CHANCE_BITS ? fresh : last + 1n;
    let text = '';
    for (let rest = last; text.length < 26; rest >>= 5n) text = `${ALPHABET[Number(rest & 31n)] ?? ''}${text}`;
    return text;
  };
}
