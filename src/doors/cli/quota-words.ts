import { numberOf, wordOf, type Fields } from './answer.ts';
import { count } from './text.ts';

/** How pushes are held back, from the `quota` of a status; empty where they are not. */
export function quotaInWords(quota: Fields): string {
  const interval = numberOf(quota['minPushInterval']);
  if (interval === 0) return '';
  const next = wordOf(quota['nextPushAt']);
  const waiting = numberOf(quota['waiting']);
  return [
    `at least ${interval / 1000} s apart (git.minPushInterval)`,
    next === '' ? 'the next may be now' : `the next may be at ${next}`,
    ...(waiting === 0 ? [] : [`${count(waiting, 'caller')} ${waiting === 1 ? 'waits' : 'wait'} for it`]),
  ].join('; ');
}
