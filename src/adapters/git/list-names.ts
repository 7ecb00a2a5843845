import type { Git } from '../../ports-git.ts';
import type { Objects } from './objects.ts';
import { namesIn } from './trees.ts';

/** As `Git.list`. */
export function createList({ lookup, resolve, idBytes }: Pick<Objects, 'lookup' | 'resolve' | 'idBytes'>): Git['list'] {
  return async (directories) => {
    const ids = await resolve(directories);
    const found = await lookup.read(ids.map((id) => id ?? '-'));
    return found.map((object) => (object?.kind === 'tree' ? namesIn(Buffer.from(object.content), idBytes) : []));
  };
}
