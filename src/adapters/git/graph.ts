import type { ObjectId } from '../../ports-git.ts';

/** A commit as far as history is concerned. */
export interface CommitNode {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** Seconds since the epoch, as the committer's clock had it. */
  readonly date: number;
  /** Larger than what is taken from others. */
  readonly isTooLarge?: true;
}

/** Reads commits; nothing for one that is missing, at which a walk ends. */
export type ReadCommits = (ids: readonly ObjectId[]) => Promise<readonly (CommitNode | undefined)[]>;

const LEFT = 1;
const RIGHT = 2;
const STALE = 4;
const RESULT = 8;

/** A commit that a walk has come to. */
interface Step {
  readonly id: ObjectId;
  /** Absent where the commit is missing. */
  readonly node: CommitNode | undefined;
  flags: number;
  isQueued: boolean;
}

/**
 * Walks from both sides, the newest commits first, until only what both have is left: what git itself does. So it
 * costs what lies between the two and not how long the history is.
 */
class Walk {
  readonly steps = new Map<ObjectId, Step>();
  readonly #read: ReadCommits;
  #queue: Step[] = [];
  #seen = 0;
  readonly #most: number;

  constructor(read: ReadCommits, most: number) {
    this.#read = read;
    this.#most = most;
  }

  async add(ids: readonly ObjectId[], flag: number): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.steps.has(id));
    const nodes = unknown.length === 0 ? [] : await this.#read(unknown);
    for (const [index, id] of unknown.entries()) {
      this.steps.set(id, { id, node: nodes[index], flags: 0, isQueued: false });
    }
    for (const id of ids) {
      const step = this.steps.get(id);
      if (step === undefined || (step.flags & flag) === flag) continue;
      step.flags |= flag;
      if (!step.isQueued) this.#queue.push(step);
      step.isQueued = true;
    }
  }

  /** Whether anything in the queue may still matter, by its flags. */
  some(matters: (flags: number) => boolean): boolean {
    return this.#queue.some(({ flags }) => matters(flags));
  }

  /** The date of the newest commit in the queue; before all of them when it is empty. */
  newest(): number {
    return this.#queue.reduce((newest, { node }) => Math.max(newest, node?.date ?? 0), Number.NEGATIVE_INFINITY);
  }

  /** Takes the newest commit; `undefined` when the walk has become too long, or at one that is missing. */
  next(): { readonly step: Step; readonly commit: CommitNode } | undefined {
    this.#seen += 1;
    if (this.#seen > this.#most) return undefined;
    let newest = 0;
    for (const [index, { node }] of this.#queue.entries()) {
      if ((node?.date ?? 0) > (this.#queue[newest]?.node?.date ?? 0)) newest = index;
    }
    const [step] = this.#queue.splice(newest, 1);
    if (step === undefined) return undefined;
    step.isQueued = false;
    return step.node && { step, commit: step.node };
  }

  /** All that it has come to whose flags are `meant`. */
  withFlags(meant: (flags: number) => boolean): readonly ObjectId[] {
    return [...this.steps.values()].filter(({ flags }) => meant(flags)).map(({ id }) => id);
  }
}

/** A walk longer than this is left to a git process, which has faster means for a long one. */
const LONGEST = 2_000;

async function paint(read: ReadCommits, left: ObjectId, right: ObjectId): Promise<Walk | undefined> {
  const walk = new Walk(read, LONGEST);
  await walk.add([left], LEFT);
  await walk.add([right], RIGHT);
  while (walk.some((flags) => (flags & STALE) === 0)) {
    const next = walk.next();
    if (next === undefined) return undefined;
    const { step, commit } = next;
    let flags = step.flags & (LEFT | RIGHT | STALE);
    if (flags === (LEFT | RIGHT)) {
      step.flags = flags | RESULT;
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
  return walk && ((walk.steps.get(ancestor)?.flags ?? 0) & RIGHT) !== 0;
}

/** Common ancestors, of which each is compared with each other one, at most. */
const MOST_COMMON = 32;

/**
 * The best common ancestors: those from which no other is reached. `undefined` when it takes too long a walk, or too many walks: whoever
 * makes up a history can have any number of them.
 */
export async function commonAncestors(
  read: ReadCommits,
  left: ObjectId,
  right: ObjectId,
): Promise<readonly ObjectId[] | undefined> {
  const walk = await paint(read, left, right);
  if (walk === undefined) return undefined;
  const found = walk.withFlags((flags) => (flags & (RESULT | STALE)) === RESULT);
  if (found.length > MOST_COMMON) return undefined;
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

/**
 * So many commits more are looked at once nothing seems to matter any more, since clocks differ: what both have, and older than the last
 * that only `of` has. Git does the same.
 */
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
  const wanted: { readonly step: Step; readonly commit: CommitNode }[] = [];
  let last = Number.POSITIVE_INFINITY;
  for (let left = SLOP; left > 0 && walk.some(() => true);) {
    const next = walk.next();
    if (next === undefined) return undefined;
    const { step, commit } = next;
    wanted.push(next);
    await walk.add(commit.parents, step.flags & (LEFT | RIGHT));
    if ((step.flags & RIGHT) === 0) last = commit.date;
    else left = walk.newest() >= last || walk.some((flags) => (flags & RIGHT) === 0) ? SLOP : left - 1;
  }
  return wanted.filter(({ step }) => step.flags === LEFT).map(({ step, commit }) => [step.id, commit] as const);
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
