import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '../support/baton.ts';

const MAIN = new URL('main.ts', import.meta.url).pathname;

test(
  'every action that is killed elsewhere, and the soak, of `npm run test:chaos` come to their end',
  { timeout: 240_000 },
  async () => {
    const words = [MAIN, 'R1', 'R6', '--kills', '0', '--tasks', '50'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { env: cleanEnvironment() });
    const rows = stdout.trim().split('\n').slice(1);
    expect(
      rows.map((row) => row.slice(0, 2)),
      stderr,
    ).toEqual(['R1', 'R6']);
    // The last column but one counts what did not hold.
    expect(rows.map((row) => row.trim().split(/\s+/).at(-2))).toEqual(['0', '0']);
  },
);
