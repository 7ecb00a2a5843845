import { isRecord, sameJson } from '../protocol/json.ts';
import type { JsonRecord } from '../protocol/json.ts';
import { OWNED_TASK_FIELDS } from '../protocol/ownership.ts';
import { own } from '../protocol/records/fields.ts';
import { TASK_STATUSES } from '../protocol/records/types.ts';
import type { TaskStatus } from '../protocol/records/types.ts';
import { earliest, parseTime } from '../protocol/timestamps.ts';
import { isTerminalTask, statusRank } from '../rules/lifecycle.ts';

export type Side = 'local' | 'remote';

/** What one field holds on each side; `undefined` where it is absent. */
interface FieldSides {
  readonly base: unknown;
  readonly local: unknown;
  readonly remote: unknown;
}

/** Chooses the value of a field that both sides changed, differently. */
export type Choose = (key: string, sides: FieldSides) => unknown;

/**
 * Three-way merge of JSON objects by field: a field that one side changed takes that side; `choose` decides the rest.
 * Keys keep the order of the remote side, new ones of the local side follow.
 */
export function mergeFields(base: JsonRecord, local: JsonRecord, remote: JsonRecord, choose: Choose): JsonRecord {
  const keys = [...new Set([...Object.keys(remote), ...Object.keys(local)])];
  const merged = keys.map((key): [string, unknown] => {
    const sides = { base: own(base, key), local: own(local, key), remote: own(remote, key) };
    if (sameJson(sides.local, sides.remote) || sameJson(sides.base, sides.local)) return [key, sides.remote];
    if (sameJson(sides.base, sides.remote)) return [key, sides.local];
    return [key, choose(key, sides)];
  });
  return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
}

/** For records that one side owns as a whole: nested objects are merged too, and `preferred` has the last word. */
export function preferring(preferred: Side): Choose {
  const choose: Choose = (_, { base, local, remote }) =>
    isRecord(local) && isRecord(remote)
      ? mergeFields(isRecord(base) ? base : {}, local, remote, choose)
      : preferred === 'local'
        ? local
        : remote;
  return choose;
}

const SET_ONCE: ReadonlySet<string> = new Set([
  'created_at',
  'assigned_at',
  'acknowledged_at',
  'submitted_at',
  'started_at',
  'completed_at',
  'cancelled_at',
]);
const MAX_HISTORY = 50;

/**
 * A task's meta.json (protocol.md §11.5): status by rank, set-once times the earliest, history and attention as
 * unions, the assignee's fields from the Worker's side and all others from the Leader's.
 */
export function taskFields(leaderSide: Side): Choose {
  const workerSide: Side = leaderSide === 'local' ? 'remote' : 'local';
  const general = preferring(leaderSide);
  return (key, sides) => {
    const { local, remote } = sides;
    if (key === 'status') return higherStatus(sides, leaderSide);
    if (key === 'history') return mergeHistory(sides);
    if (key === 'attention') return mergeAttention(sides);
    if (key === 'continuation') return mergeContinuation(sides, workerSide);
    if (SET_ONCE.has(key)) return firstTime(local, remote);
    return OWNED_TASK_FIELDS.has(key) ? sides[workerSide] : general(key, sides);
  };
}

/** Without these a task's record is nobody's, so a side that has lost one does not take it from the other. */
const LASTING = ['room_id', 'assigned_to', 'project_id'] as const;

/** The record with what a merge would have lost of it (protocol.md §5). */
export function keepLasting(merged: JsonRecord, local: JsonRecord, remote: JsonRecord): JsonRecord {
  const kept = LASTING.flatMap((key): [string, unknown][] => {
    if (isFilled(own(merged, key))) return [];
    const value = [own(local, key), own(remote, key)].find(isFilled);
    return value === undefined ? [] : [[key, value]];
  });
  return { ...merged, ...Object.fromEntries(kept) };
}

const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';

function higherStatus(sides: FieldSides, leaderSide: Side): unknown {
  const [local, remote] = [rankOf(sides.local), rankOf(sides.remote)];
  if (local === remote) return sides[leaderSide];
  return local > remote ? sides.local : sides.remote;
}

function rankOf(status: unknown): number {
  return isTaskStatus(status) ? statusRank(status) : -1;
}

export function isTaskStatus(value: unknown): value is TaskStatus {
  return TASK_STATUSES.some((status) => status === value);
}

/** Missing times yield to those that are set. */
function firstTime(local: unknown, remote: unknown): unknown {
  return earliest(textOr(local), textOr(remote)) ?? remote;
}

const textOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * Union by (ts, from, to, action), the newest fifty (protocol.md §8.4); what comes again on one side, as two notes of one
 * second do, is as many steps. Each side's own order stands, since a clock may have
 * jumped between two of its steps; of steps that know nothing of each other the one that ends the task comes last, else the one
 * that leads further, as the status that stands is the further one, and else the later one.
 */
function mergeHistory({ local, remote }: FieldSides): unknown {
  const placesOf = (steps: readonly Step[]): ReadonlyMap<string, number> =>
    new Map(steps.map(({ identity }, index) => [identity, index]));
  const [left, right] = [stepsIn(remote), stepsIn(local)];
  const [inLeft, inRight] = [placesOf(left), placesOf(right)];
  const merged = new Map<string, unknown>();
  for (let [at, other] = [0, 0]; at < left.length || other < right.length;) {
    const [mine, theirs] = [left[at], right[other]];
    const [mineThere, theirsHere] = [placeOf(mine, inRight), placeOf(theirs, inLeft)];
    const isCommon = other < right.length && mineThere === other;
    const takesMine =
      isCommon ||
      other >= right.length ||
      (at < left.length &&
        (mineThere > other === theirsHere > at ? isBefore(mine?.entry, theirs?.entry) : theirsHere > at));
    const taken = takesMine ? mine : theirs;
    if (taken !== undefined && !merged.has(taken.identity)) merged.set(taken.identity, taken.entry);
    if (takesMine) at += 1;
    if (!takesMine || isCommon) other += 1;
  }
  return [...merged.values()].slice(-MAX_HISTORY);
}

const placeOf = (step: Step | undefined, places: ReadonlyMap<string, number>): number =>
  (step === undefined ? undefined : places.get(step.identity)) ?? -1;

interface Step {
  readonly entry: unknown;
  /** The same for the same step of another history. */
  readonly identity: string;
}

function stepsIn(history: unknown): readonly Step[] {
  const counts = new Map<string, number>();
  return listOf(history).map((entry) => {
    const key = identityOf(entry, ['ts', 'from', 'to', 'action']);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return { entry, identity: `${key} ${count}` };
  });
}

/** Of two steps that know nothing of each other. The answer is the same from either side. */
function isBefore(left: unknown, right: unknown): boolean {
  const [to, otherTo] = [left, right].map((entry) => (isRecord(entry) ? entry['to'] : undefined));
  const [ends, otherEnds] = [to, otherTo].map((status) => isTaskStatus(status) && isTerminalTask(status));
  if (ends !== otherEnds) return otherEnds === true;
  const [rank, otherRank] = [rankOf(to), rankOf(otherTo)];
  if (ends === false && rank !== otherRank) return rank < otherRank;
  const [time, otherTime] = [timeOf(left), timeOf(right)];
  return time === otherTime ? JSON.stringify(left) < JSON.stringify(right) : time < otherTime;
}

function timeOf(entry: unknown): number {
  return isRecord(entry) ? (parseTime(textOr(entry['ts']) ?? '') ?? 0) : 0;
}

/** Union by request, each with what either side knows of it; an answered request stays answered. */
function mergeAttention({ local, remote }: FieldSides): unknown {
  const keys = ['kind', 'question', 'attempt', 'requestedAt'];
  const answered = new Set(
    [...listOf(local), ...listOf(remote)]
      .filter((entry) => isRecord(entry) && entry['resolved'] === true)
      .map((entry) => identityOf(entry, keys)),
  );
  const known = new Map(listOf(local).map((entry) => [identityOf(entry, keys), isRecord(entry) ? entry : {}]));
  return union(listOf(remote), listOf(local), keys).map((entry) => {
    if (!isRecord(entry)) return entry;
    const identity = identityOf(entry, keys);
    return { ...known.get(identity), ...entry, ...(answered.has(identity) ? { resolved: true } : {}) };
  });
}

/** What the Leader has resolved is never pending again (protocol.md §7.7). */
function mergeContinuation(sides: FieldSides, workerSide: Side): unknown {
  const resolved = [sides.remote, sides.local].find((value) => isRecord(value) && value['status'] === 'resolved');
  return resolved ?? sides[workerSide];
}

function union(first: readonly unknown[], second: readonly unknown[], keys: readonly string[]): readonly unknown[] {
  const seen = new Set<string>();
  return [...first, ...second].filter((entry) => {
    const identity = identityOf(entry, keys);
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}

const identityOf = (entry: unknown, keys: readonly string[]): string =>
  JSON.stringify(isRecord(entry) ? keys.map((key) => entry[key] ?? null) : entry);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
