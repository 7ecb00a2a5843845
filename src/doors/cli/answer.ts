import { isRecord } from '../../protocol/json.ts';

export { isRecord as isFields, recordsIn as objectsOf, textsIn as textsOf } from '../../protocol/json.ts';

/** An answer, or a part of one, whose fields are looked at one by one. */
export type Fields = Readonly<Record<string, unknown>>;

/** A part that is an object; empty when it is something else. */
export function fieldsOf(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

/** Texts and numbers in words; everything else is empty. */
export function wordOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** How far a project is, in a word: one whose plan waits for approval gives nothing out, though its status is `active`. */
export function projectWordOf({ status, phase }: Fields): string {
  return status === 'active' && phase === 'planning' ? phase : wordOf(status);
}

/** Whether a sync status knows of any attempt to reach the remote. */
export function wasAsked(sync: Fields): boolean {
  return sync['online'] === true || wordOf(sync['problem']) !== '' || wordOf(sync['lastPullAt']) !== '';
}
