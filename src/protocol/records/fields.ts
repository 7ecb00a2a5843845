import { z } from 'zod';
import type { Diagnostic } from '../diagnostic.ts';
import { isUserId } from '../identity.ts';
import { isRecord, parseJson, positionOfKey, renderJson } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import { isTime } from '../timestamps.ts';

/** The known keys of a record, in the order in which they are written, each with its shape. */
export type Fields = Readonly<Record<string, z.ZodType>>;

type Values<Table extends Fields> = { readonly [Key in keyof Table]?: z.output<Table[Key]> };

export const time = z.string().refine(isTime, 'expected an RFC 3339 time such as 2026-06-06T00:00:00Z');

export const userId = z.string().refine(isUserId, 'expected a Matrix user id such as @name:server');

/** Titles are single lines wherever they are shown, and the plan holds one node a line. */
export const singleLine = z
  .string()
  .transform((text) => text.replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ').trim())
  .pipe(z.string().min(1, 'expected some text'));

/** A record inside a record: both spellings of its keys are read, nulls are absent, unknown keys are kept. */
export function nested<Shape extends z.ZodRawShape>(shape: Shape) {
  const spellings = spellingsOf(Object.keys(shape));
  return z.preprocess((value) => {
    if (!isRecord(value)) return value;
    const { record } = respell(value, spellings);
    return Object.fromEntries(Object.entries(record).filter(([, item]) => item !== null));
  }, z.looseObject(shape));
}

/** What was raised about a record and still stands (rules/lateness). */
export const raisedFindings = z.array(nested({ key: z.string().min(1), level: z.int().min(1), at: time }));

export type Spellings = ReadonlyMap<string, string>;

/** The camelCase and snake_case spellings of known names (protocol.md §4, §5). */
export function spellingsOf(names: readonly string[]): Spellings {
  return new Map(
    names.flatMap((name) => [name, camelOf(name), snakeOf(name)].map((spelling) => [spelling, name] as const)),
  );
}

function camelOf(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A record under its canonical keys. */
export interface Respelled {
  readonly record: JsonRecord;
  /** Under which key of the text those stood that were spelled otherwise there; may name the others, too. */
  readonly origins: ReadonlyMap<string, string>;
}

const AS_SPELLED: ReadonlyMap<string, string> = new Map();

/** Unknown keys keep their name and place. Of two spellings the canonical one wins, unless it says nothing. */
export function respell(raw: JsonRecord, spellings: Spellings): Respelled {
  // As Baton writes all of its records: then no two keys can mean the same.
  if (Object.keys(raw).every((key) => (spellings.get(key) ?? key) === key)) {
    return { record: { ...raw }, origins: AS_SPELLED };
  }
  const record = new Map<string, unknown>();
  const origins = new Map<string, string>();
  for (const [key, value] of Object.entries(raw)) {
    const name = spellings.get(key) ?? key;
    if (record.has(name) && (value === null || (name !== key && isGiven(record.get(name))))) continue;
    record.set(name, value);
    origins.set(name, key);
  }
  return { record: Object.fromEntries(record), origins };
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A key of the record itself: `constructor` and its like are nobody's default. */
export function own(record: JsonRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export interface RecordShape<Table extends Fields> {
  readonly fields: Table;
  /** Without these the record says nothing. */
  readonly required: readonly (keyof Table & string)[];
  /** A bad value in one of these is an error, elsewhere a warning. */
  readonly essential: readonly (keyof Table & string)[];
  /** Puts a raw record into canonical form: spelling, defaults, words of other dialects. */
  readonly canonical: (raw: JsonRecord) => Respelled;
}

export interface ReadRecord<Table extends Fields> {
  /** The fields that hold; empty when the text is no JSON object. */
  readonly values: Values<Table>;
  /** All other keys, as they were. A known key with a bad value stays here until a good one replaces it. */
  readonly unknown: JsonRecord;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads one record file. Never throws: what is wrong is a diagnostic at its key. */
export function readRecord<Table extends Fields>(
  text: string,
  file: string,
  { fields, required, essential, canonical }: RecordShape<Table>,
): ReadRecord<Table> {
  const parsed = parseJson(text, file);
  if ('diagnostic' in parsed) return { values: {}, unknown: {}, diagnostics: [parsed.diagnostic] };
  const { record, origins } = canonical(parsed.value);
  const values: JsonRecord = {};
  const unknown: [string, unknown][] = [];
  const diagnostics: Diagnostic[] = [];
  for (const name of required) {
    if (!isGiven(own(record, name))) diagnostics.push(missingField(file, name));
  }
  for (const [name, value] of Object.entries(record)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      unknown.push([name, value]);
      continue;
    }
    if (!isGiven(value)) continue;
    const result = field.safeParse(value);
    if (result.success) {
      values[name] = result.data;
      continue;
    }
    unknown.push([name, value]);
    const path = result.error.issues[0]?.path.filter((part) => typeof part !== 'symbol') ?? [];
    diagnostics.push({
      rule: 'field-invalid',
      severity: essential.includes(name) ? 'error' : 'warning',
      message: `${[name, ...path].join('.')} is not valid: ${result.error.issues[0]?.message ?? 'unknown value'}`,
      file,
      ...positionOfKey(text, [origins.get(name) ?? name, ...path]),
    });
  }
  return { values: values as Values<Table>, unknown: Object.fromEntries(unknown), diagnostics };
}

export function missingField(file: string, name: string): Diagnostic {
  return { rule: 'field-missing', severity: 'error', message: `${name} is missing`, file, line: 1, column: 1 };
}

/** The id inside a record is the name of its place, or the record was copied there by mistake. */
export function mismatch(text: string, file: string, name: string, found: string, wanted: string): Diagnostic {
  return {
    rule: 'id-mismatch',
    severity: 'error',
    message: `${name} is ${found}, but the record stands in the place of ${wanted}`,
    file,
    ...positionOfKey(text, [name]),
    expected: wanted,
  };
}

/** Known keys in the order of the table, then the unknown ones in their own (protocol.md §3). */
export function renderRecord(fields: Fields, record: object, unknown: Readonly<JsonRecord> = {}): string {
  const values = new Map<string, unknown>(Object.entries(record));
  const known = Object.keys(fields)
    .map((name) => [name, values.get(name)] as const)
    .filter(([, value]) => isGiven(value));
  const written = new Set<string>(known.map(([name]) => name));
  const rest = Object.entries(unknown).filter(([name]) => !written.has(name));
  return renderJson(Object.fromEntries([...known, ...rest]));
}

/** `unknown` of a record in memory: left out when there is nothing in it. */
export function unknownPart(unknown: JsonRecord): { readonly unknown?: JsonRecord } {
  return Object.keys(unknown).length === 0 ? {} : { unknown };
}
