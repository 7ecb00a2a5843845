import { writeSync } from 'node:fs';
import { openApp } from '../../src/app.ts';
import type { Log } from '../../src/ports.ts';
import { arm, pointsPassed } from './kill-points.ts';

/** What a victim is told to do in its workspace, as its only argument. */
export interface Deed {
  readonly tool: string;
  readonly action: string;
  readonly payload: object;
}

/**
 * Opens the workspace it stands in, does one deed, says what was answered, and closes. Killed somewhere on the way by
 * `kill-points.ts`; if not, it ends with the names of all points it passed.
 */
const deed = JSON.parse(process.argv[2] ?? '') as Deed;
const quiet = (): void => undefined;
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const say = (value: object): number => writeSync(1, `${JSON.stringify(value)}\n`);

const app = await openApp({ root: process.cwd(), env: process.env, log });
arm();
say({ answer: deed.tool === 'node' ? await app.sync() : await app.call(deed) });
await app.close();
say({ points: pointsPassed() });
