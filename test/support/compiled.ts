import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What a run compiles it compiles once: its workers, and the programs that tests start, read it where `bin.ts` leaves what it
 * has compiled.
 */
export function setup(): void {
  process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'node-compile-cache');
}
