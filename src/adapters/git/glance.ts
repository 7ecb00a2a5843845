import type { ObjectId, RemoteGlance } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import { commonAncestors } from './graph.ts';
import type { Branches } from './local-refs.ts';
import type { Found, ObjectLookup } from './lookup.ts';
import type { Nearby } from './nearby.ts';
import { createObjectReader } from './object-reader.ts';
import type { ObjectReader } from './object-reader.ts';
import type { Objects } from './objects.ts';
import { diffTrees } from './tree-diff.ts';

/** Bytes of the remote's trees that are kept at hand: what moves there, and not the whole of it. */
const TREES = 6 * 2 ** 20;

/** Reads the histories of a repository on this machine and of the own one together; nothing of it is brought here. */
export function createGlanceReader(store: Objects, nearby: Nearby): ObjectReader {
  const readThere = async (id: ObjectId): ReturnType<Nearby['read']> => {
    try {
      return await nearby.read(id);
    } catch (error) {
      // What may not be opened there, whoever looks at it does not have; git says why when it is fetched.
      if ((error as NodeJS.ErrnoException).syscall !== undefined) return undefined;
      throw error;
    }
  };
  const readOne = async (id: ObjectId): Promise<Found | undefined> => {
    const there = await readThere(id);
    const object = there && store.identify(there.kind, there.content);
    // One that is not what its name says is not believed, and what is not there may be here.
    if (object === undefined || object.id !== id) return (await store.lookup.read([id]))[0];
    return { ...object, size: object.content.length };
  };
  const read: ObjectLookup['read'] = (ids) => Promise.all(ids.map(readOne));
  return createObjectReader({ read, stat: read }, store.idBytes, TREES);
}

/** What the branches `refs` name; see `Git.glance`. */
export function glanceAt(reader: ObjectReader, refs: Branches): RemoteGlance {
  return {
    refs,
    read: reader.read,
    resolve: reader.resolve,
    diff: (before, after, limits = {}) => diffTrees(reader, before, after, limits),
    async mergeBases(left, right) {
      const bases = await commonAncestors(reader.readCommits, left, right);
      if (bases !== undefined) return bases;
      throw new FlowError('git-failed', 'the two histories are too long to be looked at from here', {
        remedy: 'fetch them',
      });
    },
  };
}
