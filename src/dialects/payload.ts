import { z } from 'zod';
import { FlowError } from '../protocol/errors.ts';
import { isRecord } from '../protocol/json.ts';
import { listOf, numberOf, wholeNumberOf, wordOf } from './payload-values.ts';

/** How one action's payload differs from the common rules of protocol.md §9.2. */
export interface PayloadRules {
  /** Further names of a field, beside its own in camelCase and snake_case; the first that is filled wins. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** Fields whose phrases upstream writes without `payload.` (`path is required`). */
  readonly bare?: readonly string[];
  /** The field that a payload which is plain text stands for (filesync's path). */
  readonly text?: string;
}

export interface PayloadSource {
  /** An object, a JSON string of an object, or absent. */
  readonly payload?: unknown;
  /** Flat top-level arguments; they fill what the payload lacks. */
  readonly flat?: Readonly<Record<string, unknown>> | undefined;
}

type Fields = Record<string, unknown>;

/**
 * Turns what a caller wrote into the input of an operation (protocol.md §9.2), driven by the operation's own schema:
 * other spellings of names, JSON strings, trimming, digit strings, words for booleans. Unknown keys are dropped.
 * Throws `invalid-argument` with the protocol's phrase for the first field that does not fit.
 */
export function normalisePayload(schema: z.ZodType, source: PayloadSource, rules: PayloadRules = {}): Fields {
  const given = payloadObject(source.payload, rules);
  const flat = source.flat ?? {};
  const fields: Fields = {};
  for (const [name, field] of Object.entries(shapeOf(schema))) {
    const names = [...spellings(name), ...(rules.aliases?.[name] ?? []).flatMap(spellings)];
    const found = firstFilled(given, names) ?? firstFilled(flat, names);
    const value = found === undefined ? undefined : normaliseValue(field, found, labelOf([name], rules));
    if (value !== undefined) fields[name] = value;
  }
  const parsed = schema.safeParse(fields, { error: (issue) => phrase(issue, schema, rules) });
  if (!parsed.success) throw invalid(parsed.error.issues[0]?.message ?? 'payload is not valid');
  return fields;
}

/** Merges a payload object with the flat arguments beside it, for doors that pass on one object. */
function payloadObject(payload: unknown, rules: PayloadRules): Fields {
  if (payload === undefined || payload === null) return {};
  if (typeof payload !== 'string') return objectOf(payload);
  if (payload.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch (cause) {
    if (rules.text !== undefined) return { [rules.text]: payload };
    throw new FlowError('invalid-argument', `payload must be a JSON object: ${reasonOf(cause)}`, { cause });
  }
  return objectOf(value);
}

function objectOf(value: unknown): Fields {
  if (isRecord(value)) return value;
  throw invalid('payload must be an object');
}

/** The fields of an object schema, through refinements and pipes; none for other schemas. */
function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  const inner = unwrap(schema).schema;
  return inner instanceof z.ZodObject ? inner.shape : {};
}

function unwrap(schema: z.ZodType): { readonly schema: z.ZodType; readonly optional: boolean } {
  let inner = schema;
  let optional = false;
  for (;;) {
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      optional = true;
    } else if (!(inner instanceof z.ZodNullable || inner instanceof z.ZodReadonly)) {
      if (!(inner instanceof z.ZodPipe)) return { schema: inner, optional };
      inner = inner.in as z.ZodType;
      continue;
    }
    inner = inner.unwrap() as z.ZodType;
  }
}

function normaliseValue(field: z.ZodType, value: unknown, label: string): unknown {
  const { schema, optional } = unwrap(field);
  if (schema instanceof z.ZodNumber) return schema.isInt ? wholeNumberOf(value, label) : numberOf(value, label);
  if (schema instanceof z.ZodBoolean) return wordOf(value, label);
  // Texts in lists stay as they are: a path with a blank in front is refused, not mended (protocol.md §7.4).
  if (schema instanceof z.ZodArray) return listOf(value, label);
  const text = typeof value === 'string' ? value.trim() : value;
  // A blank optional text counts as absent, unless its schema has something to say against a blank.
  if (text === '' && optional && schema.safeParse('').success) return undefined;
  return schema instanceof z.ZodRecord && typeof text === 'string' ? parsedOr(text) : text;
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `projectId` and `project_id`. */
function spellings(name: string): readonly string[] {
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const camel = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return [...new Set([name, camel, snake])];
}

function firstFilled(fields: Readonly<Fields>, names: readonly string[]): unknown {
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** The protocol's words for what zod found; a schema's own message stands before these. */
function phrase(issue: z.core.$ZodRawIssue, schema: z.ZodType, rules: PayloadRules): string | undefined {
  const path = issue.path ?? [];
  const label = labelOf(path, rules);
  if (issue.code === 'invalid_type') {
    const [name] = path;
    const field = typeof name === 'string' ? shapeOf(schema)[name] : undefined;
    const required = path.length === 1 && field !== undefined && !unwrap(field).optional;
    if (issue.input === undefined || (required && issue.expected === 'string')) return `${label} is required`;
    return `${label} must be ${TYPE_WORDS[issue.expected] ?? `a ${issue.expected}`}`;
  }
  if (issue.code === 'too_small' && issue.origin === 'string') {
    // An entry of a list is there, and says nothing.
    return typeof path.at(-1) === 'number' ? `${label} must not be empty` : `${label} is required`;
  }
  if (issue.code === 'invalid_value') return `${label} must be one of: ${issue.values.map(String).join(', ')}`;
  const range = rangeOf(issue);
  return range === undefined ? undefined : `${label} must be ${range}`;
}

function rangeOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'too_small' && NUMBERS.has(issue.origin)) {
    return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
  }
  if (issue.code === 'too_big' && NUMBERS.has(issue.origin)) {
    return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
  }
  return undefined;
}

const NUMBERS: ReadonlySet<string> = new Set(['number', 'int']);

const TYPE_WORDS: Readonly<Record<string, string>> = {
  int: 'an integer',
  number: 'a number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function labelOf(path: readonly PropertyKey[], rules: PayloadRules): string {
  const [first, ...rest] = path.map(String);
  const name = [first ?? '', ...rest].reduce((text, part) =>
    /^\d+$/.test(part) ? `${text}[${part}]` : `${text}.${part}`,
  );
  if (name === '') return 'payload';
  return rules.bare?.includes(first ?? '') === true ? name : `payload.${name}`;
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function invalid(message: string): FlowError {
  return new FlowError('invalid-argument', message);
}
