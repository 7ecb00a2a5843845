import { Option, type Command } from 'commander';
import { isRecord } from '../../protocol/json.ts';
import type { Field } from '../fields.ts';
import { UsageError, type Io } from './session.ts';
import type { Names } from './typed.ts';

/** Adds the flags of these fields, `--payload` and `--dry-run` to a command. Whether a field is there is the app's to say. */
export function addFlags(
  command: Command,
  fields: readonly Field[],
  positional: ReadonlySet<string> = new Set(),
): void {
  for (const field of fields) {
    if (positional.has(field.name)) continue;
    command.addOption(optionOf(field));
  }
  command
    .option('--payload <json>', 'the whole payload as JSON; - reads it from standard input')
    .option('--dry-run', 'check only: nothing is written, sent or synced')
    .addHelpText('after', '\nA text given as - is read from standard input.');
}

function optionOf(field: Field): Option {
  const { flag, kind, description, required, choices } = field;
  const note = [description, choices?.join(' | '), required ? '(required)' : undefined].filter(Boolean).join(' ');
  if (kind === 'texts') {
    return new Option(`${flag} <text>`, `${note} (may be given several times)`.trim()).argParser(collect);
  }
  return new Option(`${flag} ${VALUES[kind]}`, note);
}

/** Lets a flag be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

const VALUES = { text: '<text>', number: '<number>', boolean: '[yes|no]', json: '<json>' } as const;

export interface Given {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly dryRun: boolean;
}

/** A call as it was typed, and how its fields are called where it is refused. */
export interface Typed {
  readonly given: Given;
  readonly names: Names;
}

/**
 * The payload that a command line gives: `--payload` first, positionals and flags over it. A text given as `-` is read
 * from standard input, so that a specification can be piped in. Throws `UsageError`.
 */
export async function payloadOf(
  options: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
  positionals: Readonly<Record<string, string | undefined>>,
  io: Io,
  seeAlso: string,
): Promise<Typed> {
  const flags = Object.fromEntries(
    fields.flatMap((field) => {
      const value = options[camel(field.flag)];
      return value === undefined ? [] : [[field.name, valueOf(field, value, seeAlso)]];
    }),
  );
  const named = Object.fromEntries(Object.entries(positionals).filter(([, value]) => value !== undefined));
  const whole = options['payload'];
  const piped = [whole, ...Object.values(flags)].filter((value) => value === '-').length;
  if (piped > 1) throw new UsageError('only one of the values can be read from standard input', seeAlso);
  const input = piped === 1 ? await io.stdin() : '';
  const base = typeof whole === 'string' ? parsePayload(whole === '-' ? input : whole, seeAlso) : {};
  const filled = Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name, value === '-' ? input : value]),
  );
  const payload = { ...base, ...named, ...filled };
  const names = fields.flatMap(({ name, flag }): readonly (readonly [string, string])[] => {
    if (Object.hasOwn(base, name) && payload[name] === base[name]) return [];
    return [[name, name in positionals ? placeName(name) : flag]];
  });
  return { given: { payload, dryRun: options['dryRun'] === true }, names: Object.fromEntries(names) };
}

/** A field that is given by its place, as help and refusals call it. */
export function placeName(field: string): string {
  return field.replace(/Id$/, '');
}

/** The key under which commander keeps an option. */
function camel(flag: string): string {
  return flag.slice(2).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function valueOf(field: Field, value: unknown, seeAlso: string): unknown {
  if (Array.isArray(value)) {
    const [first] = value as readonly unknown[];
    // One value that is a JSON list stands for the list; the app parses it.
    return value.length === 1 && typeof first === 'string' && first.trim().startsWith('[') ? first : value;
  }
  if (field.kind !== 'json' || typeof value !== 'string' || value === '-') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new UsageError(`${field.flag} must be JSON`, seeAlso);
  }
}

function parsePayload(text: string, seeAlso: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError('--payload must be a JSON object', seeAlso);
  }
  if (isRecord(value)) return value;
  throw new UsageError('--payload must be a JSON object', seeAlso);
}
