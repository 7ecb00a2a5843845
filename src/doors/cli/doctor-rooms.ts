import { objectsOf, wordOf, type Fields } from './answer.ts';

/** One thing looked at. A finding that is not `ok` says what mends it. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

/** What the node says of homeserver, rooms and waiting messages, line by line. */
export function roomFindings(answer: Fields): readonly Finding[] {
  return objectsOf(answer['findings']).map(({ check, severity, message, remedy }) => ({
    check: wordOf(check),
    ok: severity !== 'error',
    detail: wordOf(message),
    ...(typeof remedy === 'string' ? { remedy } : {}),
  }));
}
