import { HONEST, honestPath } from './lane.ts';
import { textOf } from './stage.ts';
import type { Files } from './attacker.ts';
import type { File, Outcome, Stage } from './stage.ts';

/** What stands on main at the paths that a lane has to do with; records as values. */
export type Seen = Readonly<Record<string, unknown>>;

const shown = (path: string, file: File | undefined): unknown =>
  file === undefined ? 'nothing' : { mode: file.mode, text: path.endsWith('.json') ? valueOf(file.text) : file.text };

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** All that one lane should have brought to main. */
function brought({ lane, own }: Outcome): Files {
  return { ...(lane.broken === true ? {} : { [honestPath(own)]: HONEST }), ...lane.arrives?.(own) };
}

/** The whole tree of main as it should be: what it was, and what each lane may bring. */
export function expectedMain({ mainBefore, outcomes }: Stage): ReadonlyMap<string, File> {
  const expected = new Map(mainBefore);
  for (const [path, entry] of outcomes.flatMap((outcome) => Object.entries(brought(outcome)))) {
    if (entry === null) expected.delete(path);
    else expected.set(path, { mode: typeof entry === 'string' ? '100644' : entry.mode, text: textOf(entry) });
  }
  return expected;
}

/** Where two trees differ, and only there, what each holds. */
export function differences(
  expected: ReadonlyMap<string, File>,
  actual: ReadonlyMap<string, File>,
  within: (path: string) => boolean,
): { readonly expected: Seen; readonly actual: Seen } {
  const paths = [...new Set([...expected.keys(), ...actual.keys()])].filter((path) => within(path)).sort();
  const differing = paths.filter(
    (path) =>
      JSON.stringify(sorted(shown(path, expected.get(path)))) !== JSON.stringify(sorted(shown(path, actual.get(path)))),
  );
  const seen = (tree: ReadonlyMap<string, File>): Seen =>
    Object.fromEntries(differing.map((path) => [path, shown(path, tree.get(path))]));
  return { expected: seen(expected), actual: seen(actual) };
}

/** A JSON value whose keys have one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** `path: reason` of all that should be refused of a lane. */
export const expectedRefusals = ({ lane, own }: Outcome): readonly string[] => asLines(lane.refused(own));

/** The same of the newer work that comes on top. */
export const expectedLater = ({ lane, own }: Outcome): readonly string[] => asLines(lane.later?.(own) ?? {});

function asLines(refused: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(refused)
    .map(([path, reason]) => `${path}: ${String(reason)}`)
    .sort();
}

/** Only the Leader's own log may grow besides. */
export const isLeadersLog = (path: string): boolean =>
  /^shared\/events\/\d{4}-\d\d\/lead(?:@\d{4})?\.jsonl$/.test(path);
