import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TELLS_OF_CHANGE, transactionsOf } from './check-rooms.ts';
import type { SaidLine, Violation } from './facts.ts';
import { plainGit } from './plain-git.ts';
import { remoteGit } from './remote-git.ts';
import type { Stage } from './stage.ts';

/** The lines of a clone's room logs (interface.md §7); a line that is torn stands for none. */
export function saidIn(root: string): readonly SaidLine[] {
  const folder = join(root, '.baton/rooms');
  let names: readonly string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names.flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .flatMap((line) => parseLine(line) ?? []),
  );
}

function parseLine(line: string): SaidLine | undefined {
  try {
    return JSON.parse(line) as SaidLine;
  } catch {
    return undefined;
  }
}

/** Looks, while a schedule is played, whether anything is said before it is on the remote. */
export interface Witness {
  look(): Promise<readonly Violation[]>;
}

export function createWitness({ seats, mirror, ground, branches }: Stage): Witness {
  const seen = new Set<string>();
  const refspecs = [branches.branch, `${branches.lanePrefix}*`].map((name) => `+refs/heads/${name}:refs/heads/${name}`);
  return {
    async look() {
      // The rooms first: what is said by now must be on the remote by now.
      const fresh = new Map<string, string>();
      for (const { name, root } of seats) {
        for (const txn of saidIn(root).flatMap(transactionsOf)) {
          if (TELLS_OF_CHANGE.test(txn) && !seen.has(txn)) fresh.set(txn, name);
        }
      }
      if (fresh.size === 0) return [];
      await remoteGit(ground, mirror, 'fetch', '-q', '--prune', '--', ground.direct, ...refspecs);
      const published = await publishedEvents(mirror, ground.env);
      const early = [...fresh].filter(([txn]) => !published.includes(JSON.stringify(txn)));
      for (const txn of fresh.keys()) seen.add(txn);
      return early.map(([txn, seat]) => ({
        rule: 'announced',
        message: `${seat} said ${txn} before its change was on the remote`,
      }));
    },
  };
}

/** The text of every event log on every branch of the mirror. */
async function publishedEvents(mirror: string, env: NodeJS.ProcessEnv): Promise<string> {
  const refs = (await plainGit(mirror, env, 'for-each-ref', '--format=%(refname)'))
    .split('\n')
    .filter((ref) => ref !== '');
  return plainGit(mirror, env, 'grep', '-h', '-F', '"announces"', ...refs, '--', 'shared/events').catch(() => '');
}
