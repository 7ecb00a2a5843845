import type { Git, ObjectId } from '../ports-git.ts';

/** Lanes in lanes: more merges than these are not gone into one after the other. */
const MOST_MERGES = 20;

/**
 * The commit that brought something into the history of `tip`: the oldest one of which it `holds`. What was brought once
 * must stay. The history is not walked: steps along first parents double, then halve, so that a search costs some
 * dozen questions however long the history is; a merge that brought it, of however many lanes, is followed to where it came from.
 */
export async function firstCommit(
  git: Pick<Git, 'resolve'>,
  tip: ObjectId,
  holds: (commit: ObjectId) => Promise<boolean>,
): Promise<ObjectId | undefined> {
  if (!(await holds(tip))) return undefined;
  let found = tip;
  for (let merges = 0; merges < MOST_MERGES; merges += 1) {
    found = await firstOfLine(git, found, holds);
    const origin = await firstHolder(await mergedBy(git, found), holds);
    if (origin === undefined) return found;
    found = origin;
  }
  return found;
}

/** So many parents are asked for at once. */
const PARENTS = 8;

/** What a commit merges: all of its parents but the first. */
async function mergedBy(git: Pick<Git, 'resolve'>, commit: ObjectId): Promise<readonly ObjectId[]> {
  const merged: ObjectId[] = [];
  for (;;) {
    const names = Array.from({ length: PARENTS }, (_, index) => `${commit}^${merged.length + index + 2}`);
    const found = (await git.resolve(names)).filter((id) => id !== undefined);
    merged.push(...found);
    if (found.length < PARENTS) return merged;
  }
}

async function firstHolder(
  commits: readonly ObjectId[],
  holds: (commit: ObjectId) => Promise<boolean>,
): Promise<ObjectId | undefined> {
  for (const commit of commits) if (await holds(commit)) return commit;
  return undefined;
}

/** As `firstCommit`, along first parents only; `from` holds it. */
async function firstOfLine(
  git: Pick<Git, 'resolve'>,
  from: ObjectId,
  holds: (commit: ObjectId) => Promise<boolean>,
): Promise<ObjectId> {
  let holder = from;
  const stepTo = async (distance: number): Promise<boolean> => {
    const [commit] = await git.resolve([`${holder}~${distance}`]);
    if (commit === undefined || !(await holds(commit))) return false;
    holder = commit;
    return true;
  };
  let distance = 1;
  while (await stepTo(distance)) distance *= 2;
  // From here on, the commit `distance` before the holder is known not to hold it.
  while (distance > 1) {
    const half = Math.floor(distance / 2);
    distance = (await stepTo(half)) ? distance - half : half;
  }
  return holder;
}
