import type { ObjectId } from '../../ports-git.ts';
import { createPauses } from '../../pauses.ts';
import { visitGap } from './gap.ts';
import { between } from './graph.ts';
import type { CommitNode } from './graph.ts';
import { TooLarge } from './lookup.ts';
import { LARGEST_TOGETHER, isLoose } from './loose.ts';
import type { Nearby } from './nearby.ts';
import type { ObjectKind } from './loose.ts';
import type { Objects } from './objects.ts';

/** More objects than this are brought by git, in one pack. */
const MOST = 2_000;

/**
 * Brings what some branches of a repository on this machine have and this one lacks, without a process. Every object is
 * compared with its id on the way. Returns false when git has to do it: much that is new, or something that is packed there.
 */
export async function fetchNearby(
  store: Objects,
  nearby: Nearby,
  {
    tips,
    known,
  }: {
    readonly tips: readonly ObjectId[];
    /** Commits with all that is before them. */
    readonly known: readonly ObjectId[];
  },
): Promise<boolean> {
  const source = createSource(store, nearby);
  try {
    const gap = await between(source.readCommits, tips, known);
    return gap !== undefined && (await visitGap(gap, source, (kind, id) => source.bring(kind, id)));
  } catch (error) {
    // What is in the way, git says in words that everybody knows.
    const isForGit = error instanceof NotAtHand || error instanceof TooLarge;
    if (isForGit || (error as NodeJS.ErrnoException).syscall !== undefined) return false;
    throw error;
  }
}

class NotAtHand extends Error {}

/** Reads from the own store, into which everything is brought that it lacks. */
function createSource(
  store: Objects,
  nearby: Nearby,
): Pick<Objects, 'idBytes' | 'readTree' | 'readCommits'> & {
  /** False when it cannot be brought one by one. */
  bring(kind: ObjectKind, id: ObjectId): Promise<boolean>;
} {
  const pause = createPauses();
  let brought = 0;
  let left = LARGEST_TOGETHER;
  const bring = async (kind: ObjectKind, id: ObjectId): Promise<boolean> => {
    // One that is at hand may have been collected as garbage since.
    if (store.isAtHand(id) && (isLoose(store.directory, id) || (await store.lookup.stat([id]))[0] !== undefined))
      return true;
    brought += 1;
    const found = brought > MOST ? undefined : await nearby.read(id);
    // What is not there may be here all the same, in a pack.
    if (found === undefined) return brought <= MOST && (await store.lookup.stat([id]))[0]?.kind === kind;
    left -= found.content.length;
    const object = store.identify(found.kind, found.content);
    if (left < 0 || object.id !== id || object.kind !== kind) return false;
    store.takeOver(object, nearby.objects);
    await pause();
    return true;
  };
  const need = async (kind: ObjectKind, id: ObjectId): Promise<void> => {
    if (!store.isAtHand(id) && !(await bring(kind, id))) throw new NotAtHand(id);
  };
  return {
    idBytes: store.idBytes,
    bring,
    async readTree(id) {
      await need('tree', id);
      return store.readTree(id);
    },
    async readCommits(ids): Promise<readonly (CommitNode | undefined)[]> {
      for (const id of ids) await need('commit', id);
      return store.readCommits(ids);
    },
  };
}
