import { checkRefName, checkRemote } from '../adapters/git/names.ts';
import { FlowError } from '../protocol/errors.ts';
import { plainGit } from './plain-git.ts';
import { patiently } from './remote-git.ts';
import type { RemoteTalk } from './remote-git.ts';
import type { Branches } from './stage.ts';

/** Branches of a remote that belong to one run and to nobody else. */
export interface Scratch {
  /** The branches that seed has for itself. */
  branchesOf(seed: number): Branches;
  /** Removes every branch below the prefix. Throws `sync-failed` when the remote does not answer. */
  clear(): Promise<void>;
}

interface ScratchOptions extends RemoteTalk {
  readonly remote: string;
  /** Such as `chaos-1a2b3c4d`. */
  readonly prefix: string;
  /** An empty folder, made into a repository from which branches are removed. */
  readonly folder: string;
}

/**
 * Takes a prefix of the remote. Nothing outside of it is ever written or removed. Throws `already-exists` when branches
 * stand below it, `bad-config` for a name that is none, `sync-failed` when the remote does not answer.
 */
export async function takeScratch({ remote, prefix, folder, ...talk }: ScratchOptions): Promise<Scratch> {
  checkRemote(remote);
  if (!prefix.startsWith('chaos-')) {
    throw new FlowError('invalid-argument', `the prefix must begin with chaos-: ${prefix}`, {
      remedy: 'so that nobody takes its branches for their own',
    });
  }
  checkRefName(`${prefix}/x`, 'the prefix');
  await plainGit(folder, talk.env, 'init', '-q', '--bare');
  const pattern = `refs/heads/${prefix}/*`;
  const list = async (): Promise<readonly string[]> => {
    const text = await plainGit(folder, talk.env, 'ls-remote', '--', remote, pattern);
    return text.split('\n').flatMap((line) => line.split('\t')[1] ?? []);
  };
  let standing: readonly string[];
  try {
    standing = await list();
  } catch (cause) {
    throw new FlowError('sync-failed', 'the remote does not answer', {
      cause,
      remedy: 'check the address, and that `git ls-remote` can read it',
    });
  }
  if (standing.length > 0) {
    throw new FlowError('already-exists', `branches stand below ${prefix}/ already: ${standing.join(', ')}`, {
      remedy: 'name another prefix with --prefix, or remove them if an earlier run left them behind',
    });
  }
  const clearing = {
    what: 'removing the scratch branches',
    remedy: `remove the branches below ${prefix}/ from the remote once it answers`,
  };
  return {
    branchesOf: (seed) => ({ branch: `${prefix}/${seed}/main`, lanePrefix: `${prefix}/${seed}/lanes/` }),
    clear: () =>
      patiently(talk, clearing, async () => {
        const gone = (await list()).map((ref) => `:${ref}`);
        if (gone.length > 0) await plainGit(folder, talk.env, 'push', '-q', '--', remote, ...gone);
      }),
  };
}
