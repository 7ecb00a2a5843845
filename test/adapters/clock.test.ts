import { describe, expect, test } from 'vitest';
import { createClock, systemClock } from '../../src/adapters/clock.ts';

const at = Date.UTC(2026, 8, 1, 10, 15, 0, 987);

describe('the clock', () => {
  test('tells the time in UTC to the second, as records hold it', () => {
    expect(createClock(() => at).now()).toBe('2026-09-01T10:15:00Z');
    expect(Math.abs(systemClock.millis() - Date.now())).toBeLessThan(5000);
  });

  test('tells local wall time in the form of generated ids', () => {
    const local = new Date(2026, 0, 2, 3, 4, 5).getTime();
    expect(createClock(() => local).localStamp()).toBe('20260102-030405');
  });

  test('gives ids in ULID form that sort as they were given, even when time stands still or steps back', () => {
    let now = at;
    const clock = createClock(() => now);
    const ids = Array.from({ length: 2000 }, (_, index) => {
      now += index % 3 === 0 ? -5 : 1;
      return clock.id();
    });
    expect(ids.every((id) => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id))).toBe(true);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    now = at + 60_000;
    expect(clock.id() > (ids.at(-1) ?? '')).toBe(true);
  });

  test('encodes the time of an id in its first ten characters', () => {
    const encoded = createClock(() => 1_469_918_176_385)
      .id()
      .slice(0, 10);
    expect(encoded).toBe('01ARYZ6S41');
  });

  test('gives as many random bytes as asked', () => {
    expect(systemClock.hex(16)).toMatch(/^[0-9a-f]{32}$/);
    expect(systemClock.hex(6)).not.toBe(systemClock.hex(6));
  });

  test('wakes from its sleep at once when told to', async () => {
    const ending = new AbortController();
    const sleep = systemClock.sleep(3_600_000, ending.signal);
    ending.abort();
    await expect(sleep).resolves.toBeUndefined();
    await expect(systemClock.sleep(3_600_000, ending.signal)).resolves.toBeUndefined();
    await expect(systemClock.sleep(1)).resolves.toBeUndefined();
  });
});
