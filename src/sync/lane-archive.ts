import type { Git, ObjectId } from '../ports-git.ts';
import { archiveDir, archiveMonths } from '../protocol/archive.ts';

/**
 * Which of these tasks the commit holds in its archive, and where. A lane that comes late may still write to one;
 * it is not taken, since nothing may bring ended work back, but its Worker is told why.
 */
export async function archivedTasks(
  git: Git,
  commit: ObjectId,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (ids.length === 0) return found;
  const [names = []] = await git.list([`${commit}:shared/archive`]);
  const months = archiveMonths(() => names.filter(({ isDirectory }) => isDirectory).map(({ name }) => `${name}/`));
  const dirs = ids.flatMap((id) => months.map((month) => ({ id, dir: archiveDir(month, 'tasks', id) })));
  const there = await git.resolve(dirs.map(({ dir }) => `${commit}:${dir.slice(0, -1)}`));
  for (const [index, { id, dir }] of dirs.entries()) if (there[index] !== undefined) found.set(id, dir);
  return found;
}
