import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { isRecord } from '../protocol/json.ts';
import { writeWhole } from '../workspace/atomic.ts';

/** Appends records; they are whole and durable once this returns. Throws what the file system throws. */
export function appendJsonLines(file: string, records: readonly object[]): void {
  append(file, records, fsyncSync);
}

/** As `appendJsonLines` for every reader; what a loss of power leaves is only sure after `makeLinesDurable`. */
export function addJsonLines(file: string, records: readonly object[]): void {
  append(file, records, () => undefined);
}

/** A file that is gone has nothing to make durable. Throws what the file system throws for any other reason. */
export function makeLinesDurable(file: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function append(file: string, records: readonly object[], finish: (descriptor: number) => void): void {
  mkdirSync(dirname(file), { recursive: true });
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const descriptor = openSync(file, 'a+', 0o600);
  try {
    writeWhole(descriptor, Buffer.from(endsTorn(descriptor) ? `\n${text}` : text));
    finish(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A crash may have cut the last line short; what follows must not be glued to it. */
function endsTorn(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
}

/**
 * The records of a file, in order. A line that was torn or edited away is passed over, and a file that is not there
 * holds none. Throws what the file system throws for any other reason.
 */
export function readJsonLines(file: string): readonly Readonly<Record<string, unknown>>[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const record = parseLine(line);
    return record === undefined ? [] : [record];
  });
}

function parseLine(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
