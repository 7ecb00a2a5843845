import type { BroughtContent, ObjectId } from '../../ports-git.ts';
import { GITLINK_MODE } from '../../ports-git.ts';
import { ask, fields, plumb } from './run.ts';
import type { GitPlace } from './run.ts';

/** As `Git.brought`. */
export async function readBrought(
  place: GitPlace,
  of: ObjectId,
  without: readonly ObjectId[],
): Promise<BroughtContent> {
  const range = [of, '--not', ...without];
  const commits = await ask(place, ['rev-list', ...range]);
  if (commits === '') return { files: [], words: [] };
  const raw = ['-r', '-c', '--root', '--raw', '-z', '--no-abbrev', '--no-renames', '--no-commit-id'];
  const listed = await plumb(place, ['diff-tree', '--stdin', ...raw], { input: `${commits}\n` });
  const said = await plumb(place, ['log', '-z', '--no-show-signature', '--format=%H%n%an <%ae>%n%B', ...range]);
  const words = `${said.stdout.toString('utf8')}\0`.split('\0').filter((text) => text !== '');
  return {
    files: filesIn(fields(listed.stdout)),
    words: words.map((text) => {
      const end = text.indexOf('\n');
      return { commit: text.slice(0, end), text: text.slice(end + 1) };
    }),
  };
}

/**
 * Of `:100644 100644 <id> <id> M` and the path behind it; with as many colons as there are parents, and a mode and an id for each of
 * them before those of the commit. What is removed, and repositories in it, bring nothing.
 */
function filesIn(parts: readonly string[]): BroughtContent['files'] {
  return parts.flatMap((head, index) => {
    const [, colons = ''] = /^(:+)\d{6} /.exec(head) ?? [];
    const path = parts[index + 1];
    if (colons === '' || path === undefined) return [];
    const words = head.slice(colons.length).split(' ');
    const [modes, ids] = [words.slice(0, colons.length + 1), words.slice(colons.length + 1, -1)];
    const [mode, id] = [modes.at(-1), ids.at(-1)];
    if (id === undefined || mode === NONE || mode === GITLINK_MODE) return [];
    return [{ id, path, before: ids.slice(0, -1).filter((one) => !/^0+$/.test(one)) }];
  });
}

const NONE = '000000';
