import { isRecord, parseJson, renderJson, sameJson } from '../protocol/json.ts';
import type { JsonRecord } from '../protocol/json.ts';
import { OWNED_TASK_FIELDS, forbiddenAgentFields, forbiddenMetaFields } from '../protocol/ownership.ts';
import { own } from '../protocol/records/fields.ts';
import { MAX_HISTORY, canonicalTask } from '../protocol/records/task.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import type { LaneRefusal } from '../ports.ts';
import { isLegalPath, isTerminalTask } from '../rules/lifecycle.ts';
import { isTaskStatus } from './resolve-json.ts';

/** A record as the lane has it, as it was when the lane left main, and as main has it; `undefined` where it is not. */
export interface RecordTexts {
  readonly base: string | undefined;
  readonly lane: string | undefined;
  readonly main: string | undefined;
}

type Refusal = Pick<LaneRefusal, 'reason' | 'detail'>;

export type RecordOutcome =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly text: string; readonly refused: readonly Refusal[] }
  | { readonly kind: 'none'; readonly refused: readonly Refusal[] };

const none = (reason: string, detail: string): RecordOutcome => ({ kind: 'none', refused: [{ reason, detail }] });

/**
 * What of a record that the lane of `localpart` changed may be taken: fields by their owner, statuses by the lifecycle,
 * logs as appended.
 */
export function checkRecord(
  kind: 'events' | 'task-meta' | 'agent',
  path: string,
  texts: RecordTexts,
  localpart: string,
): RecordOutcome {
  if (texts.lane === undefined) return none('broken-file', 'is not UTF-8 text');
  if (kind === 'events') {
    const appended = texts.base === undefined || texts.lane.startsWith(texts.base);
    return appended ? { kind: 'whole' } : none('not-owner', 'an event log is only ever appended to');
  }
  if (kind === 'agent' && texts.main === undefined)
    return none('not-owner', 'the record of an agent is made by the Leader');
  const lane = parseJson(texts.lane, path);
  if (!('value' in lane)) return none('broken-file', `${lane.diagnostic.message}, line ${lane.diagnostic.line}`);
  const spell = kind === 'task-meta' ? (raw: JsonRecord) => canonicalTask(raw).record : (raw: JsonRecord) => raw;
  const [base, main] = [valueOf(texts.base, path), valueOf(texts.main, path)].map((raw) =>
    raw === undefined ? raw : spell(raw),
  );
  const fresh = spell(lane.value);
  if (kind === 'task-meta') {
    const step = checkStatus(base, fresh, main);
    if (step !== undefined) return none('illegal-transition', step);
  }
  const changed =
    kind === 'agent'
      ? forbiddenAgentFields(base, fresh)
      : new Set([...forbiddenMetaFields(base, fresh), ...forbiddenByMain({ base, lane: fresh, main }, localpart)]);
  const forbidden = [...changed].filter((key) => !sameJson(own(fresh, key), own(main ?? {}, key)));
  if (forbidden.length === 0) {
    return isFaithful(texts.lane, lane.value)
      ? { kind: 'whole' }
      : { kind: 'part', text: renderJson(fresh), refused: [] };
  }
  const text = renderJson(withoutChanges(fresh, base ?? {}, forbidden));
  return { kind: 'part', text, refused: [{ reason: 'forbidden-field', detail: whyForbidden(forbidden) }] };
}

/** A notice is cut at 500 characters, and a Worker may make up any number of fields with names of any length. */
const MOST_FIELDS = 10;
const LONGEST_FIELD = 30;

/** What is told of the fields that were refused of a record: one sentence for all, since each refusal is a message. */
function whyForbidden(keys: readonly string[]): string {
  const unsayable = keys.filter((key) => OWNED_TASK_FIELDS.has(key));
  const leaders = keys.filter((key) => !OWNED_TASK_FIELDS.has(key));
  return [
    ...(unsayable.length === 0
      ? []
      : [`${named(unsayable)} ${unsayable.length === 1 ? 'says' : 'say'} what its Worker may not say now`]),
    ...(leaders.length === 0 ? [] : [`${named(leaders)} ${leaders.length === 1 ? 'is' : 'are'} the Leader's`]),
  ].join('; ');
}

/** `a`, `a and b`, `a, b and c`, `a, b, … and 3 more`. */
function named(keys: readonly string[]): string {
  const names = keys.slice(0, MOST_FIELDS).map((key) => {
    return key.length > LONGEST_FIELD ? `${key.slice(0, LONGEST_FIELD - 1).toWellFormed()}…` : key;
  });
  const last = keys.length > MOST_FIELDS ? `${keys.length - MOST_FIELDS} more` : names.pop();
  return [names.join(', '), last].filter((part) => part !== '').join(' and ');
}

/** What may still be said of a task that is over: that its last line was told, and what was done for it before. */
const AFTER_THE_END: ReadonlySet<string> = new Set(['completion_event_id', 'completion_event_status', 'history']);

interface Sides {
  readonly base: JsonRecord | undefined;
  readonly lane: JsonRecord;
  readonly main: JsonRecord | undefined;
}

/** Fields that are the assignee's, but not in the state that main is in, or not to say this. */
function forbiddenByMain({ base, lane, main }: Sides, localpart: string): readonly string[] {
  const status = main?.['status'];
  const over = isTaskStatus(status) && isTerminalTask(status);
  const known = [base, main].flatMap((side) => (side === undefined ? [] : [side]));
  return Object.keys({ ...base, ...lane }).filter((key) => {
    if (sameJson(own(base ?? {}, key) ?? null, own(lane, key) ?? null)) return false;
    if (key === 'history' && !continues(known, lane, localpart)) return true;
    return over && !AFTER_THE_END.has(key);
  });
}

/** Whether a history only goes on: by steps of the lane's own Worker, and without those that fell off its beginning. */
function continues(known: readonly JsonRecord[], lane: JsonRecord, localpart: string): boolean {
  const entries = listOf(lane['history']);
  if (entries === undefined) return false;
  const [before = [], ...others] = known.map(({ history }) => listOf(history) ?? []);
  const added = entries.filter((entry) => ![before, ...others].flat().some((old) => sameJson(old, entry)));
  const full = entries.length >= MAX_HISTORY;
  const gone = before.filter((entry) => !entries.some((kept) => sameJson(kept, entry)));
  return (full || gone.length === 0) && added.every((entry) => isOwnStep(entry, localpart));
}

function isOwnStep(entry: unknown, localpart: string): boolean {
  const actor = isRecord(entry) ? own(entry, 'actor') : undefined;
  const [, role = '', name = ''] = /^([^:]*):(.*)$/s.exec(typeof actor === 'string' ? actor : '') ?? [];
  return (role === 'worker' || role === 'remote-member') && sameLocalpart(name, localpart);
}

const listOf = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);

/** Whether a text says what was read of it and nothing else: no key twice, no mark, nothing that stands for nothing. */
function isFaithful(text: string, value: JsonRecord): boolean {
  if (Object.values(value).includes(null)) return false;
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1') === JSON.stringify(value);
}

function valueOf(text: string | undefined, path: string): JsonRecord | undefined {
  if (text === undefined) return undefined;
  const parsed = parseJson(text, path);
  return 'value' in parsed ? parsed.value : undefined;
}

/** The step that the lane takes, when main's state does not allow it any more; statuses that are no state are fields. */
function checkStatus(base: JsonRecord | undefined, lane: JsonRecord, main: JsonRecord | undefined): string | undefined {
  const [from, to] = [main?.['status'], lane['status']];
  if (to === base?.['status'] || to === from) return undefined;
  if (!isTaskStatus(from) || (to !== 'in_progress' && to !== 'submitted')) return undefined;
  return isLegalPath(from, to, 'worker') ? undefined : `the task is '${from}', which '${to}' cannot follow`;
}

function withoutChanges(lane: JsonRecord, base: JsonRecord, keys: readonly string[]): JsonRecord {
  const undone = new Set(keys);
  const kept = Object.entries(lane).map(([key, value]): [string, unknown] => [
    key,
    undone.has(key) ? own(base, key) : value,
  ]);
  const restored = keys
    .filter((key) => !Object.hasOwn(lane, key))
    .map((key): [string, unknown] => [key, own(base, key)]);
  return Object.fromEntries([...kept, ...restored]);
}
