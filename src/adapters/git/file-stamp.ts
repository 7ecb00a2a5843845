import { statSync } from 'node:fs';

/** The stamp of what is not there. */
export const ABSENT = '-';

/**
 * What a file or folder looks like from outside: the same text as before means that it has not been touched since.
 */
export function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? ABSENT : `${found.ino}/${found.uid}/${found.size}/${found.ctimeNs}`;
}
