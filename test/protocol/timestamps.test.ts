import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { earliest, isTime, parseDuration, parseTime, stampOf } from '../../src/protocol/timestamps.ts';

describe('timestamps', () => {
  test('are written in UTC, by the second', () => {
    expect(stampOf(Date.UTC(2026, 5, 6, 1, 2, 3, 999))).toBe('2026-06-06T01:02:03Z');
  });

  test.each([
    ['2026-06-06T00:00:00Z', Date.UTC(2026, 5, 6)],
    ['2026-06-06t00:00:00z', Date.UTC(2026, 5, 6)],
    ['2026-06-06 00:00:00Z', Date.UTC(2026, 5, 6)],
    ['2026-06-06T02:30:00+02:30', Date.UTC(2026, 5, 6)],
    ['2026-06-05T19:00:00-05:00', Date.UTC(2026, 5, 6)],
    ['2026-06-06T00:00:00.2509999Z', Date.UTC(2026, 5, 6, 0, 0, 0, 250)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
  ])('%s is read', (text, millis) => {
    expect(parseTime(text)).toBe(millis);
    expect(isTime(text)).toBe(true);
  });

  test.each([
    '',
    'yesterday',
    '2026-06-06',
    '2026-06-06T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-06-06T24:00:00Z',
    '2026-06-06T00:60:00Z',
    '2026-06-06T00:00:00+24:00',
    ' 2026-06-06T00:00:00Z',
  ])('%j is no time', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  test('what is written is read back to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (millis) => {
        expect(parseTime(stampOf(millis))).toBe(Math.floor(millis / 1_000) * 1_000);
      }),
    );
  });

  test('the earlier of two is kept as it was written, and what is no time loses', () => {
    expect(earliest('2026-01-01T00:00:00Z', '2026-01-01T00:30:00+01:00')).toBe('2026-01-01T00:30:00+01:00');
    expect(earliest('2026-01-01T00:00:00Z', '2026-01-01T00:00:00+00:00')).toBe('2026-01-01T00:00:00Z');
    expect(earliest('soon', '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:00Z');
    expect(earliest('2026-01-01T00:00:00Z', 'soon')).toBe('2026-01-01T00:00:00Z');
    expect(earliest('soon', 'later')).toBe('soon');
    expect(earliest(undefined, '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:00Z');
    expect(earliest('soon', undefined)).toBe('soon');
    expect(earliest(undefined, undefined)).toBeUndefined();
  });
});

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('%s is read', (text, millis) => {
    expect(parseDuration(text)).toBe(millis);
  });

  test.each(['', '15', 'm', '15 m', '-1h', '1.5h', '1w', '1h30m', '9999999999s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
