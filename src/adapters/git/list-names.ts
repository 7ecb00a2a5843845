import type { Git } from '../../ports-git.ts';
import type { Objects } from './objects.ts';
import { namesIn } from './trees.ts';

/** As `Git.list`. */
export function createList({ find, resolve, idBytes }: Pick<Objects, 'find' | 'resolve' | 'idBytes'>): Git['list'] {
  return async (directories) => {
    const found = await find(await resolve(directories));
    return found.map((object) => (object?.kind === 'tree' ? namesIn(Buffer.from(object.content), idBytes) : []));
  };
}
