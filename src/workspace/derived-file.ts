import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './atomic.ts';

/**
 * A file of `.baton/` with what can be found anew at any time, and may therefore be lost or damaged: two lines, a head with the
 * digest of the second, so that whatever happens to it is noticed; together JSON. One of another `schema` is not read.
 */
export interface DerivedFile {
  readonly path: string;
  /** What was written; `undefined` when nothing is there, or not as Baton wrote it. */
  load(): unknown;
  /** Throws what the file system throws. */
  write(value: unknown): void;
}

/** `name`: of the file without its ending, and of its content in it. */
export function openDerivedFile(directory: string, name: string, schema: number): DerivedFile {
  const path = join(directory, `${name}.json`);
  const headOf = (body: string): string => `{"schema":${schema},"digest":"${digestOf(body)}","${name}":`;
  return {
    path,
    load() {
      try {
        const [head = '', rest = ''] = readFileSync(path, 'utf8').split('\n');
        const body = rest.slice(0, -1);
        return head === headOf(body) ? JSON.parse(body) : undefined;
      } catch {
        return undefined;
      }
    },
    write(value) {
      const body = JSON.stringify(value);
      replaceFile(path, Buffer.from(`${headOf(body)}\n${body}}\n`));
    },
  };
}

function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
