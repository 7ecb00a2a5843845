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
  const [tree] = await git.read([`${commit}:shared/archive`]);
  if (tree === undefined) return found;
  const months = archiveMonths(() => directoriesIn(tree, git.idLength / 2));
  const dirs = ids.flatMap((id) => months.map((month) => ({ id, dir: archiveDir(month, 'tasks', id) })));
  const there = await git.resolve(dirs.map(({ dir }) => `${commit}:${dir.slice(0, -1)}`));
  for (const [index, { id, dir }] of dirs.entries()) if (there[index] !== undefined) found.set(id, dir);
  return found;
}

/** Names of the directories that a git tree object holds, each ending in `/`: `<mode> <name>\0<id>` one after the other. */
function directoriesIn(tree: Uint8Array, idBytes: number): readonly string[] {
  const bytes = Buffer.from(tree);
  const names: string[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    if (end < 0) break;
    const [mode, name = ''] = bytes.toString('utf8', start, end).split(' ', 2);
    if (mode === '40000') names.push(`${name}/`);
    start = end + 1 + idBytes;
  }
  return names;
}
