import { FlowError } from '../protocol/errors.ts';
import { sameLocalpart } from '../protocol/identity.ts';
import { isReadableId } from '../protocol/ids.ts';
import { taskPaths } from '../protocol/paths.ts';
import { parseTaskMeta } from '../protocol/records/task.ts';
import type { Git } from '../ports-git.ts';
import { hasLane } from '../protocol/roles.ts';
import { parseRole } from '../protocol/roles.ts';
import type { InitRequest, SetupGit, Start } from './init-start.ts';

/** Records are looked at so many at a time. */
const SOME = 1_000;

/**
 * Has the first checkout leave out the tasks that are not the Worker's own. Throws `invalid-argument` for everybody
 * else: whoever leads needs all of them.
 */
export async function beginSparse(git: SetupGit, repository: Git, root: string, { who, commit }: Start): Promise<void> {
  if (!hasLane(who.role)) throw notSparse(`a ${who.role}'s clone holds every task`);
  const records = (await repository.entries(commit, 'shared/tasks')).flatMap(({ path, id }) => {
    const [, , taskId = '', name, ...rest] = path.split('/');
    return name === 'meta.json' && rest.length === 0 && isReadableId(taskId) ? [{ taskId, id }] : [];
  });
  const own: string[] = [];
  for (let index = 0; index < records.length; index += SOME) {
    const some = records.slice(index, index + SOME);
    const texts = await repository.read(some.map(({ id }) => id));
    for (const [at, { taskId }] of some.entries()) {
      const { meta } = parseTaskMeta(Buffer.from(texts[at] ?? []).toString('utf8'), taskId);
      if (meta !== undefined && sameLocalpart(meta.assigned_to, who.localpart)) own.push(taskPaths(taskId).dir);
    }
  }
  await git.makeSparse(root, own);
}

/** Before anything is made. Throws `invalid-argument`. */
export function refuseSparse({ sparse, inRepo, role }: InitRequest): void {
  if (sparse !== true) return;
  if (inRepo === true) throw notSparse('--in-repo shares its repository with code');
  const wanted = role === undefined ? undefined : parseRole(role);
  if (wanted !== undefined && !hasLane(wanted)) throw notSparse(`a ${wanted}'s clone holds every task`);
}

function notSparse(why: string): FlowError {
  return new FlowError('invalid-argument', `--sparse is for a Worker's clone of its own: ${why}`, {
    remedy: 'leave --sparse out',
  });
}
