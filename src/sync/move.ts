import type { ObjectId, TreeEntry } from '../ports-git.ts';
import type { Change } from '../protocol/changes.ts';
import { FlowError } from '../protocol/errors.ts';
import { unlike } from './differing.ts';
import type { SyncContext } from './context.ts';

/** A committed file, and where it is to stand instead. */
interface MovedFile extends TreeEntry {
  readonly from: string;
}

/** Git takes so many paths in one question without running into the limits of a command line. */
const MOST_PATHS = 500;

/**
 * The committed files that the moves of a step mean, as entries: no content is read. Throws `bad-workspace` where
 * something on disk is not committed: it would stay behind alone.
 */
export async function movedFiles(
  context: SyncContext,
  head: ObjectId,
  changes: readonly Change[],
): Promise<readonly MovedFile[]> {
  const moves = changes.filter((change) => change.kind === 'move');
  const entries: TreeEntry[] = [];
  for (let index = 0; index < moves.length; index += MOST_PATHS) {
    const some = moves.slice(index, index + MOST_PATHS).map(({ from }) => from);
    entries.push(...(await context.git.entries(head, some)));
  }
  const folders = new Map(moves.map((move) => [move.from, { move, entries: [] as TreeEntry[] }]));
  // shared/<kind>/<id>/ is what is moved, so that the first three parts of a path name its folder.
  for (const entry of entries) folders.get(`${entry.path.split('/').slice(0, 3).join('/')}/`)?.entries.push(entry);
  return [...folders.values()].flatMap(({ move, entries: committed }) => {
    const [file] = unlike(context, move.from, committed).files;
    if (file !== undefined) throw uncommitted(file.path);
    return committed.map((entry) => ({
      ...entry,
      from: entry.path,
      path: move.path + entry.path.slice(move.from.length),
    }));
  });
}

function uncommitted(path: string): FlowError {
  return new FlowError('bad-workspace', `${path} is changed on disk and not committed, so its folder cannot be moved`, {
    remedy: `commit it, or undo it with \`git checkout -- ${path}\` or by removing it`,
    retryable: true,
  });
}
