import { encodeName } from './names.ts';
import { EVENTS } from './paths.ts';

/**
 * A log of so many characters goes on in a new file (decisions/0035): every commit holds the whole file that it appends to,
 * so what a step costs would grow with all that its writer did in the month.
 */
export const FULL_LOG = 64 * 1024;

/** So many parts a log has at most; the last one is never full. */
const MOST_PARTS = 9999;

export const isEventLog = (path: string): boolean => path.startsWith(EVENTS) && path.endsWith('.jsonl');

/** The part of a log that is written now; `names` are those in the folder of its month. */
export function newestPart(names: readonly string[], writer: string): number {
  return partsIn(names, writer)[0] ?? 1;
}

/** The parts of a log that are there, the newest first. */
export function partsIn(names: readonly string[], writer: string): readonly number[] {
  const name = encodeName(writer);
  const own = names.filter((other) => other.startsWith(name) && /^(?:@\d{4})?\.jsonl$/.test(other.slice(name.length)));
  return own.map(partOf).sort((a, b) => b - a);
}

export const isFullLog = (text: string): boolean => text.length >= FULL_LOG;

/** A part of a log, and what it holds. */
export interface LogPart {
  readonly part: number;
  readonly text: string;
}

/** Where a log goes on: in this part, or in the next, which is empty, once it is full. */
export function goingOn({ part, text }: LogPart): LogPart {
  return isFullLog(text) && part < MOST_PARTS ? { part: part + 1, text: '' } : { part, text };
}

/** The parts of each log in order; `paths` are those of logs, or their names in one folder. */
export function byLog(paths: readonly string[]): readonly (readonly string[])[] {
  const logs = Map.groupBy(paths, (path) => path.replace(PART, '.jsonl'));
  return [...logs.values()].map((parts) => parts.toSorted((a, b) => partOf(a) - partOf(b)));
}

const PART = /@(?!0000|0001)(\d{4})\.jsonl$/;

const partOf = (path: string): number => Number(PART.exec(path)?.[1] ?? 1);
