import type { IndexEntry } from '../ports-git.ts';
import { placeFiles, placementsBetween } from './checkout.ts';
import { CHECKOUT_REF, NOTHING, blobId } from './context.ts';
import type { Brought, OwedCheckouts, Placed, Placement, Position, SyncContext } from './context.ts';
import { sparsely } from './sparse.ts';

/**
 * Goes on with a checkout behind the steps: the index is told soon, and once things are calm what was written is made
 * durable, and then the note of an unfinished checkout goes. Nobody waits for it; what cannot be done now is done by a
 * later turn.
 */
export function finishLater(context: SyncContext, placed: Placed): void {
  const { owed } = context.state;
  owed.waiting.push(placed);
  // What could not be written is tried again by the next turn, and not once things are calm.
  if (placed.failed.length > 0) owed.broken = true;
  owed.resting.abort();
  goOn(context);
}

function goOn(context: SyncContext): void {
  const { owed } = context.state;
  owed.running ??= finishWaiting(context).finally(() => {
    owed.running = undefined;
    // One that came after the last look at what waits.
    if (owed.waiting.length > 0) goOn(context);
    tellReaders(owed);
  });
}

/** Resolves when no checkout owes anything any more, without waiting for calm. */
export async function finishing({ state: { owed } }: SyncContext): Promise<void> {
  owed.callers += 1;
  owed.gathering.abort();
  owed.resting.abort();
  while (owed.running !== undefined) await owed.running;
  owed.callers -= 1;
}

/** Resolves when the index has been told of what was brought so far. */
export async function indexed({ state: { owed } }: SyncContext): Promise<void> {
  owed.readers += 1;
  owed.gathering.abort();
  // What comes meanwhile is not waited for.
  const wanted = owed.tellings + (owed.isTelling ? 1 : 0) + (owed.waiting.length > 0 ? 1 : 0);
  while (owed.running !== undefined && owed.tellings < wanted) await owed.told.promise;
  owed.readers -= 1;
}

function tellReaders(owed: OwedCheckouts): void {
  owed.told.resolve();
  owed.told = Promise.withResolvers();
}

/**
 * Milliseconds for which checkouts gather, since telling the index costs the same for few paths and for many: as long as a round
 * waits for steps. Whoever reads the index next asks for it to be told (`indexed`).
 */
const GATHER = 200;
/**
 * Milliseconds without a checkout until files are made durable. Until then the commit holds what they say: a loss of power is made
 * good from it. An operating system writes what changed to the disk within half a minute by itself, and then there is hardly
 * anything left to force: where many nodes share a disk, to force each of a hundred files there at once would hold up them all.
 */
const CALM = 40_000;
/** As long after the first of them a short rest is enough, since a step that comes just then waits for the disk. */
const LONG = 120_000;
const REST = 5_000;
/** And so long after it they are made durable in the middle of whatever goes on. */
const LONGEST = 240_000;

/** How long a node must have rested, by how long ago the first checkout was that still owes something; milliseconds. */
function restAfter(age: number): number {
  if (age >= LONGEST) return 0;
  return age >= LONG ? REST : CALM;
}

async function finishWaiting(context: SyncContext): Promise<void> {
  const { clock, state } = context;
  const { owed } = state;
  let written: Placed[] = [];
  let since = 0;
  const rest = (): number => (owed.callers > 0 ? 0 : restAfter(clock.elapsed() - since));
  while (owed.waiting.length > 0 || written.length > 0) {
    if (owed.waiting.length > 0) {
      owed.gathering = new AbortController();
      if (owed.callers + owed.readers === 0) await clock.sleep(GATHER, owed.gathering.signal);
      const batch = owed.waiting.splice(0);
      owed.isTelling = true;
      if (!(await tellIndex(context, batch))) owed.broken = true;
      owed.isTelling = false;
      owed.tellings += 1;
      tellReaders(owed);
      if (written.length === 0) since = clock.elapsed();
      written.push(...batch);
    }
    // One that came while the index was told.
    if (owed.waiting.length > 0) continue;
    const ms = rest();
    if (ms > 0) {
      owed.resting = new AbortController();
      await clock.sleep(ms, owed.resting.signal);
      // Another checkout, or somebody who waits for all of them.
      if (owed.resting.signal.aborted) continue;
    }
    await makeLast(context, written);
    written = [];
  }
}

/** The files are durable, and the note of their checkout goes. */
async function makeLast(context: SyncContext, batch: readonly Placed[]): Promise<void> {
  const { owed } = context.state;
  if (!(await keepWritten(context, batch))) owed.broken = true;
  owed.finished += batch.filter(({ journal }) => journal).length;
  // A checkout that begins meanwhile sets the note once more, after this has removed it.
  if (owed.finished === owed.begun && !owed.broken) await closeJournal(context);
}

/** False when that has to be tried again, as when another git holds the index. */
async function tellIndex(context: SyncContext, batch: readonly Placed[]): Promise<boolean> {
  // Of a path that was brought here twice, the last is what the index is to show.
  const entries = new Map(batch.flatMap((placed) => placed.entries.map((entry) => [entry.path, entry])));
  try {
    return await stage(context, [...entries.values()]);
  } catch (error) {
    context.log.error({ error: String(error) }, 'the index could not be brought up to date; the next step tries again');
    return false;
  }
}

async function keepWritten({ workTree, log }: SyncContext, batch: readonly Placed[]): Promise<boolean> {
  const paths = batch.flatMap(({ written, conflicts }) => [...written, ...conflicts.map(({ setAside }) => setAside)]);
  try {
    await workTree.makeDurable([...new Set(paths)]);
    return true;
  } catch (error) {
    log.warn({ error: String(error) }, 'files of the work tree could not be made durable; the next step tries again');
    return false;
  }
}

/** Whether an unfinished checkout is one that goes on behind the steps: then there is nothing to mend. */
export function isGoingOn({ state: { owed } }: SyncContext, { unfinished }: Position): boolean {
  return unfinished !== undefined && owed.running !== undefined && !owed.broken;
}

/**
 * Brings the work tree to the branch after a crash, after a time in which the index was locked, or when a file could
 * not be written before. What this node has already brought is left to whoever edits it now.
 */
export async function repair(context: SyncContext, { head, unfinished }: Position): Promise<Brought> {
  const { state } = context;
  const { owed } = state;
  await finishing(context);
  if (unfinished === undefined) {
    state.unplaced = new Set();
    return NOTHING;
  }
  const placements = await sparsely(context, head, await placementsBetween(context, unfinished, head));
  const wanted = placements.map((placement) => {
    const { path, next } = placement;
    if (state.placed.has(path) && state.placed.get(path) === next?.id) return { ...placement, adopted: true };
    return tornOff(context, placement);
  });
  const brought = await placeFiles(context, wanted);
  state.unplaced = new Set(brought.failed);
  const placed = [{ ...brought, written: placements.map(({ path }) => path) }];
  const told = await tellIndex(context, placed);
  const complete = (await keepWritten(context, placed)) && told && brought.failed.length === 0;
  owed.finished = owed.begun;
  owed.broken = !complete;
  if (complete) await closeJournal(context);
  return brought;
}

/**
 * A loss of power can leave a file that was being brought here with nothing in it, or with zeros. That is nobody's edit,
 * when neither side of the checkout is like that.
 */
function tornOff({ git, workTree }: SyncContext, placement: Placement): Placement {
  const { path, next, seen } = placement;
  const empty = blobId(git, new Uint8Array());
  if (next === undefined || next.id === empty || seen?.id === empty) return placement;
  let disk: Uint8Array | undefined;
  try {
    disk = workTree.bytes(path);
  } catch {
    // What is in its way is told when it is placed.
    return placement;
  }
  if (disk === undefined || disk.some((byte) => byte !== 0)) return placement;
  return { ...placement, seen: { id: blobId(git, disk), content: disk } };
}

/** The step itself is done by then: where the ref cannot be removed, the next step looks once more and removes it. */
async function closeJournal({ git, log }: SyncContext): Promise<void> {
  try {
    await git.updateRefs([{ ref: CHECKOUT_REF, next: undefined }]);
  } catch (error) {
    log.warn({ error: String(error) }, 'the note of an unfinished checkout could not be removed');
  }
}

const STAGE_ATTEMPTS = 5;

/** Entries of these paths only: what a person has staged elsewhere stays staged. */
async function stage({ git, clock, log }: SyncContext, entries: readonly IndexEntry[]): Promise<boolean> {
  for (let attempt = 1; attempt <= STAGE_ATTEMPTS; attempt += 1) {
    if (await git.stage(entries)) return true;
    await clock.sleep(40 * attempt);
  }
  log.warn({}, 'another git holds the index; the next step brings it up to date');
  return false;
}
