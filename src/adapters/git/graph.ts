import type { ObjectId } from '../../ports-git.ts';

/** A commit as far as history is concerned. */
export interface CommitNode {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** Seconds since the epoch, as the committer's clock had it. */
  readonly date: number;
}

/** Reads commits; nothing for one that is missing, at which a walk ends. */
export type ReadCommits = (ids: readonly ObjectId[]) => Promise<readonly (CommitNode | undefined)[]>;

const LEFT = 1;
const RIGHT = 2;
const STALE = 4;
const RESULT = 8;

/**
 * Walks from both sides, the newest commits first, until only what both have is left: what git itself does. So it
 * costs what lies between the two and not how long the history is.
 */
class Walk {
  readonly flags = new Map<ObjectId, number>();
  readonly #read: ReadCommits;
  readonly #known = new Map<ObjectId, CommitNode>();
  #queue: ObjectId[] = [];
  #seen = 0;
  readonly #most: number;

  constructor(read: ReadCommits, most: number) {
    this.#read = read;
    this.#most = most;
  }

  async add(ids: readonly ObjectId[], flag: number): Promise<void> {
    const fresh = ids.filter((id) => ((this.flags.get(id) ?? 0) & flag) !== flag);
    const unknown = [...new Set(fresh)].filter((id) => !this.#known.has(id));
    const nodes = unknown.length === 0 ? [] : await this.#read(unknown);
    for (const [index, id] of unknown.entries()) {
      const node = nodes[index];
      if (node !== undefined) this.#known.set(id, node);
    }
    for (const id of fresh) {
      this.flags.set(id, (this.flags.get(id) ?? 0) | flag);
      if (!this.#queue.includes(id)) this.#queue.push(id);
    }
  }

  /** Whether anything in the queue may still matter, by its flags. */
  some(matters: (flags: number) => boolean): boolean {
    return this.#queue.some((id) => matters(this.flags.get(id) ?? 0));
  }

  /** Takes the newest commit; `undefined` when the walk has become too long. */
  next(): (CommitNode & { readonly id: ObjectId }) | undefined {
    this.#seen += 1;
    if (this.#seen > this.#most) return undefined;
    let newest = 0;
    for (const [index, id] of this.#queue.entries()) {
      if (this.#date(id) > this.#date(this.#queue[newest] ?? '')) newest = index;
    }
    const [id = ''] = this.#queue.splice(newest, 1);
    const node = this.#known.get(id);
    return node === undefined ? undefined : { ...node, id };
  }

  #date(id: ObjectId): number {
    return this.#known.get(id)?.date ?? 0;
  }
}

/** A walk longer than this is left to a git process, which has faster means for a long one. */
const LONGEST = 2_000;

async function paint(read: ReadCommits, left: ObjectId, right: ObjectId): Promise<Walk | undefined> {
  const walk = new Walk(read, LONGEST);
  await walk.add([left], LEFT);
  await walk.add([right], RIGHT);
  while (walk.some((flags) => (flags & STALE) === 0)) {
    const commit = walk.next();
    if (commit === undefined) return undefined;
    let flags = (walk.flags.get(commit.id) ?? 0) & (LEFT | RIGHT | STALE);
    if (flags === (LEFT | RIGHT)) {
      walk.flags.set(commit.id, flags | RESULT);
      flags |= STALE;
    }
    await walk.add(commit.parents, flags);
  }
  return walk;
}

/** Whether one commit is reached from another; `undefined` when that takes too long a walk. */
export async function reaches(
  read: ReadCommits,
  descendant: ObjectId,
  ancestor: ObjectId,
): Promise<boolean | undefined> {
  const walk = await paint(read, ancestor, descendant);
  return walk && ((walk.flags.get(ancestor) ?? 0) & RIGHT) !== 0;
}

/** The best common ancestors: those from which no other is reached. `undefined` when it takes too long a walk. */
export async function commonAncestors(
  read: ReadCommits,
  left: ObjectId,
  right: ObjectId,
): Promise<readonly ObjectId[] | undefined> {
  const walk = await paint(read, left, right);
  if (walk === undefined) return undefined;
  const found = [...walk.flags].filter(([, flags]) => (flags & (RESULT | STALE)) === RESULT).map(([id]) => id);
  const best: ObjectId[] = [];
  for (const id of found) {
    let isBelow: boolean | undefined = false;
    for (const other of found) {
      if (other === id || isBelow) continue;
      isBelow = await reaches(read, other, id);
      if (isBelow === undefined) return undefined;
    }
    if (!isBelow) best.push(id);
  }
  return best;
}

/** So many commits more are looked at once nothing seems to matter any more, since clocks differ. */
const SLOP = 5;

/** Which commits are in any of `of` and in none of `without`; `undefined` when that takes too long a walk. */
export async function between(
  read: ReadCommits,
  of: readonly ObjectId[],
  without: readonly ObjectId[],
): Promise<readonly (readonly [id: ObjectId, commit: CommitNode])[] | undefined> {
  const walk = new Walk(read, LONGEST);
  await walk.add(of, LEFT);
  await walk.add(without, RIGHT);
  const wanted = new Map<ObjectId, CommitNode>();
  for (let left = SLOP; left > 0 && walk.some(() => true);) {
    left = walk.some((flags) => (flags & RIGHT) === 0) ? SLOP : left - 1;
    const commit = walk.next();
    if (commit === undefined) return undefined;
    wanted.set(commit.id, commit);
    await walk.add(commit.parents, (walk.flags.get(commit.id) ?? 0) & (LEFT | RIGHT));
  }
  return [...wanted].filter(([id]) => walk.flags.get(id) === LEFT);
}

/** How many commits are in any of `of` and in none of `without`; `undefined` when that takes too long a walk. */
export async function countBetween(
  read: ReadCommits,
  of: readonly ObjectId[],
  without: readonly ObjectId[],
  { merges }: { readonly merges: boolean },
): Promise<number | undefined> {
  const found = await between(read, of, without);
  return found?.filter(([, { parents }]) => merges || parents.length < 2).length;
}
