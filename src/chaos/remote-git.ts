import { setTimeout as sleep } from 'node:timers/promises';
import { FlowError } from '../protocol/errors.ts';
import { plainGit } from './plain-git.ts';

/** How often a remote is asked for one thing. */
const TRIES = 3;

/** Milliseconds before the second time, and twice that before the third. */
const WAIT = 1_000;

export interface RemoteTalk {
  readonly env: NodeJS.ProcessEnv;
  /** Hears, in one line, of what failed and is tried again; absent: nobody does. */
  readonly told?: ((line: string) => void) | undefined;
}

/** As `plainGit`, for what may be asked of a remote twice (`fetch`, `clone`). Throws `sync-failed` as `patiently` does. */
export function remoteGit(talk: RemoteTalk, cwd: string, ...words: readonly [string, ...string[]]): Promise<string> {
  const asked = { what: `git ${words[0]}`, remedy: 'try again when the remote answers' };
  return patiently(talk, asked, () => plainGit(cwd, talk.env, ...words));
}

/**
 * Does what git asks of a remote, and does it again when it fails: a connection that breaks once says nothing about what is
 * tried here. Throws `sync-failed` when it fails every time.
 */
export async function patiently<Result>(
  { told }: RemoteTalk,
  { what, remedy }: { readonly what: string; readonly remedy: string },
  ask: () => Promise<Result>,
): Promise<Result> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await ask();
    } catch (cause) {
      const said = `${what} failed (${reasonOf(cause)})`;
      if (failed === TRIES) throw new FlowError('sync-failed', said, { remedy, cause });
      told?.(`${said}; it is tried again`);
      await sleep(WAIT * failed);
    }
  }
}

/** What git said last, without its label. */
function reasonOf(thrown: unknown): string {
  const { stderr } = thrown as { readonly stderr?: string };
  const lines = (stderr ?? String(thrown)).trim().split('\n');
  return (lines.at(-1) ?? '').replace(/^(?:fatal|error): /, '').slice(0, 200);
}
