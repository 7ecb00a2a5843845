import type { Diagnostic } from './diagnostic.ts';
import { findJsonFault, findJsonKey, findRepeatedKey } from './json-scan.ts';
import type { JsonPath } from './json-scan.ts';
import { positionAt } from './position.ts';
import type { Position } from './position.ts';

/** Deeper than any record of ours by far, and shallow enough for whoever walks the value by recursion. */
const MAX_DEPTH = 100;

export type JsonRecord = Record<string, unknown>;

export type ParsedJson = { readonly value: JsonRecord } | { readonly diagnostic: Diagnostic };

/**
 * A JSON object as stored: a byte order mark and CRLF are tolerated, everything else that JSON does not allow is a
 * diagnostic `invalid JSON in <path>` (protocol.md §3). Keys such as `__proto__` are plain data of the value.
 */
export function parseJson(text: string, file: string): ParsedJson {
  const source = withoutMark(text);
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    const fault = findJsonFault(source) ?? { offset: 0, expected: 'JSON' };
    return { diagnostic: invalid(text, file, fault.offset + text.length - source.length, fault.expected) };
  }
  if (!isRecord(value)) return { diagnostic: invalid(text, file, 0, 'an object') };
  if (isDeeper(value, MAX_DEPTH)) return { diagnostic: invalid(text, file, 0, `at most ${MAX_DEPTH} levels`) };
  const twice = mayRepeatKeys(source, value) ? findRepeatedKey(source) : undefined;
  if (twice !== undefined) return { diagnostic: repeated(text, file, twice + text.length - source.length) };
  return { value };
}

/**
 * A merge as text may keep the lines of both sides, and then the last one would count without a word. Records stand
 * with a line for each of their keys, so only where there are more of these lines than keys a closer look is taken.
 */
function mayRepeatKeys(source: string, value: JsonRecord): boolean {
  let lines = 0;
  for (let at = source.indexOf('\n  "'); at !== -1; at = source.indexOf('\n  "', at + 4)) lines += 1;
  return lines > Object.keys(value).length;
}

function repeated(text: string, file: string, offset: number): Diagnostic {
  return {
    rule: 'json-repeated-key',
    severity: 'error',
    message: `a key stands twice in ${file}`,
    file,
    ...positionAt(text, offset),
    expected: 'one of the two lines',
  };
}

/** 2 spaces, LF, a final newline; keys without a value are left out (protocol.md §3). */
export function renderJson(record: Readonly<JsonRecord>): string {
  const kept = Object.entries(record).filter(([, value]) => value !== undefined && value !== null);
  return `${JSON.stringify(Object.fromEntries(kept), undefined, 2)}\n`;
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of a list; none when it is no list. */
export function recordsIn(value: unknown): readonly Readonly<JsonRecord>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The texts of a list; none when it is no list. */
export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** Equal as JSON values: the order of keys says nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}

/** Where the key at `path` stands in a valid JSON text; of a path that leads nowhere, the part that is there. */
export function positionOfKey(text: string, path: JsonPath): Position {
  const source = withoutMark(text);
  for (let depth = path.length; depth > 0; depth -= 1) {
    const offset = findJsonKey(source, path.slice(0, depth));
    if (offset !== undefined) return positionAt(text, offset + text.length - source.length);
  }
  return { line: 1, column: 1 };
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1));
}

function invalid(text: string, file: string, offset: number, expected: string): Diagnostic {
  const conflict = /^(?:<{7}|={7}|>{7})/.test(text.slice(offset, offset + 7));
  return {
    rule: conflict ? 'conflict-markers' : 'json-invalid',
    severity: 'error',
    message: `invalid JSON in ${file}`,
    file,
    ...positionAt(text, offset),
    expected: conflict ? 'one side of the conflict, without its markers' : expected,
  };
}
