import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plainGit } from '../../src/chaos/plain-git.ts';
import { createShim } from '../../src/chaos/shim.ts';
import type { Ground } from '../../src/chaos/stage.ts';
import type { Log } from '../../src/ports.ts';
import { cleanEnvironment } from '../support/baton.ts';

const quiet = (): void => undefined;
const LOG: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export interface LocalGround extends Ground {
  /** The bare repository behind the address. */
  readonly bare: string;
  /** For whatever else a suite keeps. */
  readonly beside: string;
  remove(): void;
}

/** Members who have the remote by its address. */
const ADDRESSED: ReadonlySet<string> = new Set(['lee', 'bo', 'dee', 'fay']);

/** A folder of its own with a bare repository as the remote; what a seed begins with is made once. */
export function localGround(): LocalGround {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'baton-chaos-')));
  const folder = join(base, 'stage');
  const bare = join(folder, 'remote.git');
  const env = cleanEnvironment();
  return {
    folder,
    template: join(base, 'template'),
    bare,
    // By its path, a node works with it file by file; by its address through git, where the shim can meet it.
    remoteOf: (seat) => (ADDRESSED.has(seat) ? pathToFileURL(bare).href : bare),
    direct: bare,
    env,
    log: LOG,
    shim: createShim(join(base, 'shim')),
    beside: base,
    makeRemote: async () => void (await plainGit(base, env, 'init', '-q', '--bare', '-b', 'main', bare)),
    remove: () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }),
  };
}

export const BRANCHES = { branch: 'main', lanePrefix: 'lanes/' };
