import { parseJson, renderJson, sameJson } from '../protocol/json.ts';
import type { JsonRecord } from '../protocol/json.ts';
import { forbiddenAgentFields, forbiddenMetaFields } from '../protocol/ownership.ts';
import { own } from '../protocol/records/fields.ts';
import { canonicalTask } from '../protocol/records/task.ts';
import type { LaneRefusal } from '../ports.ts';
import { isLegalPath } from '../rules/lifecycle.ts';
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

/** What of a record that a lane changed may be taken: fields by their owner, statuses by the lifecycle, logs as appended. */
export function checkRecord(kind: 'events' | 'task-meta' | 'agent', path: string, texts: RecordTexts): RecordOutcome {
  if (texts.lane === undefined) return none('broken-file', 'is not UTF-8 text');
  if (kind === 'events') {
    const appended = texts.base === undefined || texts.lane.startsWith(texts.base);
    return appended ? { kind: 'whole' } : none('not-owner', 'an event log is only ever appended to');
  }
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
  const changed = kind === 'agent' ? forbiddenAgentFields(base, fresh) : forbiddenMetaFields(base, fresh);
  const forbidden = changed.filter((key) => !sameJson(own(fresh, key), own(main ?? {}, key)));
  if (forbidden.length === 0) return { kind: 'whole' };
  const text = renderJson(withoutChanges(fresh, base ?? {}, forbidden));
  const refused = forbidden.map((key) => ({ reason: 'forbidden-field', detail: `${key} is the Leader's` }));
  return { kind: 'part', text, refused };
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
