import { z } from 'zod';
import { FlowError } from '../protocol/errors.ts';
import { PRIORITIES } from '../protocol/records/types.ts';
import { parseDuration, parseTime, stampOf } from '../protocol/timestamps.ts';
import { wordsIn } from '../protocol/words.ts';
import { inOneLine } from '../protocol/one-line.ts';

/** A list of words, names or ids, none of which can hold a comma: `dev,test` is two, at every door. */
export const words = (what: string) =>
  z.array(z.string().min(1)).transform(wordsIn).optional().describe(`${what}; with commas between them`);

/** What may be said of any piece of work, whether it is one task or many (features.md §2.3). */
export const workFields = {
  title: z.string().min(1).describe('one line that names the work'),
  priority: z.enum(PRIORITIES).optional().describe('how urgent it is, default P2'),
  description: z.string().optional().describe('what it is about, Markdown'),
  eta: z.string().optional().describe('when it should be done: a time, or a duration from now such as 2h'),
  tags: words('words to find it by'),
};

/** A title as records and plans hold it. Throws `invalid-argument` for one of blanks. */
export function titleOf(text: string): string {
  const title = inOneLine(text);
  if (title === '') throw new FlowError('invalid-argument', 'payload.title is required');
  return title;
}

/** An RFC 3339 time or a duration from `now`, as a time (features.md §7.10). Throws `invalid-argument`. */
export function etaOf(text: string | undefined, now: string): string | undefined {
  const wanted = text?.trim() ?? '';
  if (wanted === '') return undefined;
  const at = parseTime(wanted) ?? laterBy(parseDuration(wanted), now);
  if (at !== undefined && Number.isFinite(at) && at < LAST) return stampOf(at);
  throw new FlowError('invalid-argument', `payload.eta is no time: ${wanted}`, {
    remedy: 'write a time such as 2026-06-06T12:00:00Z, or a duration such as 30m, 2h or 7d',
  });
}

/** The end of the years that have four digits. */
const LAST = Date.UTC(10_000, 0);

function laterBy(duration: number | undefined, now: string): number | undefined {
  const start = parseTime(now);
  return duration === undefined || start === undefined ? undefined : start + duration;
}

/** A property only where there is a value. */
export function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in Key]: Value });
}
