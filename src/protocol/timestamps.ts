const RFC_3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d+)?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const DURATION = /^(\d{1,9})([smhd])$/;

const MILLIS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds since the epoch as UTC, second precision, `Z` (protocol.md §1.2). */
export function stampOf(millis: number): string {
  return new Date(millis).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Any RFC 3339 time as milliseconds since the epoch; `undefined` for everything else. */
export function parseTime(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, date = '', hours, minutes, seconds, fraction = '', sign, offsetHours, offsetMinutes] = match;
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return undefined;
  const clock = Number(hours) * MILLIS.h + Number(minutes) * MILLIS.m + Number(seconds) * MILLIS.s;
  const offset = sign === undefined ? 0 : Number(offsetHours) * MILLIS.h + Number(offsetMinutes) * MILLIS.m;
  return day + clock + Math.floor(Number(`0${fraction}`) * 1_000) - (sign === '-' ? -offset : offset);
}

export function isTime(text: string): boolean {
  return parseTime(text) !== undefined;
}

/** `30s`, `15m`, `1h`, `7d` in milliseconds; `undefined` for everything else. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * MILLIS[match[2] as keyof typeof MILLIS];
}

/** The earlier of two times, as written; what is no time loses (set-once fields, protocol.md §11.5). */
export function earliest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const [first, second] = [parseTime(a), parseTime(b)];
  if (first === undefined || second === undefined) return first === undefined ? (second === undefined ? a : b) : a;
  return second < first ? b : a;
}
