import { join } from 'node:path';
import type { Log } from '../../ports.ts';
import type { ObjectId, PushOutcome } from '../../ports-git.ts';
import { FlowError } from '../../protocol/errors.ts';
import { createPauses } from '../../pauses.ts';
import { visitGap } from './gap.ts';
import { between, reaches } from './graph.ts';
import type { CommitNode } from './graph.ts';
import type { Branches } from './local-refs.ts';
import { LARGEST, LARGEST_TOGETHER, deflated, inflated, linkLoose, looseBytes, putLoose, shareLoose } from './loose.ts';
import { moveLooseRef } from './loose-ref.ts';
import type { Nearby } from './nearby.ts';
import type { GitObject, ObjectKind } from './loose.ts';
import { parseCommit } from './object-reader.ts';
import { PACK_FROM } from './object-store.ts';
import { sharePack, writePack } from './pack.ts';
import type { Objects } from './objects.ts';

/** More objects than these, besides what is shared as a pack, go in one that git makes. */
const MOST = 1_000;
/** A push of more than these is git's. */
const MOST_IN_ALL = 10_000;

/**
 * Pushes to a repository on this machine without a process: what it lacks is put into its store, and then the branch is
 * moved. `undefined` for everything that git has to do or to say: a new branch, many objects, a full disk.
 */
export async function pushNearby(
  store: Objects,
  nearby: Nearby,
  {
    branch,
    commit,
    seen,
    log,
  }: {
    readonly branch: string;
    readonly commit: ObjectId;
    /** Branches of the remote as they were when it was looked at last. */
    readonly seen: Branches;
    readonly log: Pick<Log, 'info'> | undefined;
  },
): Promise<PushOutcome | undefined> {
  const { objects, gitDirectory, ref } = nearby;
  const before = ref(branch);
  if (before === undefined) return undefined;
  if (before === commit) return { kind: 'ok' };
  const reached = await reaches(store.readCommits, commit, before);
  if (reached === undefined) return undefined;
  if (!reached) return behind(branch);
  const ahead = await between(store.readCommits, [commit], [before]);
  // Where nothing of another branch was merged, what that holds there need not be looked at.
  const gap =
    ahead === undefined || isOneLine(ahead, before)
      ? ahead
      : await between(store.readCommits, [commit], [before, ...(await stillThere(store, nearby, seen))]);
  if (gap === undefined || gap.length > MOST) return undefined;
  const lacking = new Map<ObjectId, ObjectKind>();
  const isAll = await visitGap(gap, store, (kind, id) => Promise.resolve(lacking.set(id, kind).size <= MOST_IN_ALL));
  if (!isAll) return undefined;
  try {
    if (!(await send(store, lacking, nearby))) return undefined;
    const file = join(gitDirectory, 'refs/heads', branch);
    const moved = await moveLooseRef(file, { from: before, to: commit, isForced: true }, () => ref(branch), objects);
    return moved ? { kind: 'ok' } : behind(branch);
  } catch (error) {
    if (!(error instanceof FlowError) && (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    // What is still in the way then, git says in words that everybody knows.
    log?.info({ branch, reason: String(error) }, 'a push is left to git');
    return undefined;
  }
}

const isOneLine = (commits: readonly (readonly [ObjectId, CommitNode])[], before: ObjectId): boolean => {
  const own = new Set([before, ...commits.map(([id]) => id)]);
  return commits.every(([, { parents }]) => parents.every((id) => own.has(id)));
};

/**
 * Commits that branches of the remote held and still hold, so that everything before them is there too. A branch may have
 * moved on to what is not here.
 */
async function stillThere(store: Objects, nearby: Nearby, seen: Branches): Promise<readonly ObjectId[]> {
  const readCommits = async (ids: readonly ObjectId[]): Promise<readonly (CommitNode | undefined)[]> =>
    Promise.all(
      ids.map(async (id) => {
        const found = store.isAtHand(id) ? undefined : await nearby.read(id);
        return found?.kind === 'commit' ? parseCommit(found.content) : (await store.readCommits([id]))[0];
      }),
    );
  const held: ObjectId[] = [];
  for (const [name, commit] of seen) {
    const now = nearby.ref(name.slice('refs/heads/'.length));
    if (now === commit || (now !== undefined && (await reaches(readCommits, now, commit)) === true)) held.push(commit);
  }
  return held;
}

const behind = (branch: string): PushOutcome => ({ kind: 'behind', detail: `${branch} has moved` });

/** False when the own repository lacks something of it, or has it damaged, or when it is too large. */
async function send(store: Objects, lacking: ReadonlyMap<ObjectId, ObjectKind>, to: Nearby): Promise<boolean> {
  const pause = createPauses();
  const packed: ObjectId[] = [];
  let left = LARGEST_TOGETHER;
  const shared = sharePacks(store, lacking, to);
  if (lacking.size - shared.size > MOST) return false;
  for (const id of lacking.keys()) {
    await pause();
    if (shared.has(id) || shareOwn(store, id, to)) continue;
    const bytes = looseBytes(store.directory, id);
    if (bytes === undefined) {
      packed.push(id);
      continue;
    }
    const found = bytes === 'unfit' ? undefined : inflated(bytes);
    // A damaged file must not be given to others.
    if (bytes === 'unfit' || found === undefined || store.identify(found.kind, found.content).id !== id) return false;
    left -= found.content.length;
    if (left < 0) return false;
    shareLoose(store.directory, to.objects, id, () => bytes);
  }
  return (await areSmall(store, packed, left)) && sendPacked(store, packed, lacking, to);
}

/** What this process has written a moment ago is what its name says, and need not be read to know it. */
function shareOwn({ directory, ownLoose }: Objects, id: ObjectId, { objects }: Nearby): boolean {
  const written = ownLoose.get(id);
  ownLoose.delete(id);
  return written !== undefined && linkLoose(directory, objects, id, written);
}

/** Gives the other repository the packs of which it lacks everything; returns what is in them. */
function sharePacks(
  { directory, ownPacks }: Objects,
  lacking: ReadonlyMap<ObjectId, ObjectKind>,
  to: Nearby,
): ReadonlySet<ObjectId> {
  const wanted = ownPacks.filter(({ ids }) => ids.size <= lacking.size && [...ids].every((id) => lacking.has(id)));
  // Where git has to bring the rest, it brings these as well.
  if (lacking.size - wanted.reduce((sum, { ids }) => sum + ids.size, 0) > MOST) return new Set();
  const shared = wanted.filter((pack) => sharePack(directory, to.objects, pack));
  for (const pack of shared) ownPacks.splice(ownPacks.indexOf(pack), 1);
  return new Set(shared.flatMap(({ ids }) => [...ids]));
}

/** Whether these are here, and neither one nor all of them too much to be held in memory. */
async function areSmall({ lookup }: Objects, ids: readonly ObjectId[], most: number): Promise<boolean> {
  const sizes = (await lookup.stat(ids)).map((found) => found?.size ?? Infinity);
  return sizes.every((size) => size <= LARGEST) && sizes.reduce((sum, size) => sum + size, 0) <= most;
}

/** What one large step has packed goes in a pack again. */
async function sendPacked(
  store: Objects,
  ids: readonly ObjectId[],
  kinds: ReadonlyMap<ObjectId, ObjectKind>,
  { objects, place }: Nearby,
): Promise<boolean> {
  const pause = createPauses();
  const contents = await store.lookup.read(ids);
  const found = ids.flatMap((id, index): readonly GitObject[] => {
    const [content, kind] = [contents[index]?.content, kinds.get(id)];
    return content === undefined || kind === undefined ? [] : [{ id, kind, content }];
  });
  if (found.length < ids.length) return false;
  if (found.length >= PACK_FROM) {
    await writePack(place, objects, found);
    return true;
  }
  for (const object of found) {
    putLoose(objects, object.id, () => deflated(object));
    await pause();
  }
  return true;
}
