import type { Git, ObjectId, TreeName } from '../../ports-git.ts';
import type { Objects } from './objects.ts';
import { namesIn } from './trees.ts';

/** Directories whose names are kept: lanes of one moment are judged by those of one tree. */
const KEPT = 8;

/** As `Git.list`. */
export function createList({ find, resolve, idBytes }: Pick<Objects, 'find' | 'resolve' | 'idBytes'>): Git['list'] {
  const kept = new Map<ObjectId, readonly TreeName[]>();
  const namesOf = (id: ObjectId, content: Uint8Array): readonly TreeName[] => {
    const names = kept.get(id) ?? namesIn(Buffer.from(content), idBytes);
    // What was asked for longest ago makes room.
    kept.delete(id);
    kept.set(id, names);
    for (const oldest of [...kept.keys()].slice(0, -KEPT)) kept.delete(oldest);
    return names;
  };
  return async (directories) => {
    const found = await find(await resolve(directories));
    return found.map((object) => (object?.kind === 'tree' ? namesOf(object.id, object.content) : []));
  };
}
