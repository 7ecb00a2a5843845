import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FlowError } from '../../protocol/errors.ts';
import type { Git, ObjectId, RefUpdate, RepositoryFacts } from '../../ports-git.ts';
import { createRefReader } from './local-refs.ts';
import type { ObjectLookup } from './lookup.ts';
import { isLoose } from './loose.ts';
import { ask } from './run.ts';
import type { GitPlace } from './run.ts';
import { SessionEnded, createSession } from './session.ts';
import type { AnswerReader } from './session.ts';

const OPERATIONS = [
  ['MERGE_HEAD', 'merge'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
] as const;

/** Everything that a clone can say of itself; a process. */
export async function readFacts(clone: GitPlace, gitDir: string): Promise<RepositoryFacts> {
  const format = '--format=%(HEAD)%(objectname) %(refname)';
  const lines = (await ask(clone, ['for-each-ref', format, 'refs/heads/', 'refs/remotes/', 'refs/baton/'])).split('\n');
  const current = lines.find((line) => line.startsWith('*'))?.split(' ')[1];
  // A branch without a commit is not listed.
  const head = current ?? (await ask(clone, ['symbolic-ref', '--quiet', 'HEAD'], { codes: [0, 1] }));
  return {
    branch: branchOf(head),
    operation: operationIn(gitDir),
    refs: parseRefs(lines.map((line) => line.slice(1)).join('\n')),
  };
}

/** What refs of a clone name, by their full names, in order. */
export type ReadRefs = (names: readonly string[]) => Promise<readonly (ObjectId | undefined)[]>;

/**
 * Reads refs from their files, where they are as plain as git makes them; git is asked for all others. As by git, a ref whose object
 * is missing is one that is not there: a loss of power leaves such refs. `objects`: where the objects lie.
 */
export function createReadRefs(gitDir: string, objects: string, lookup: ObjectLookup): ReadRefs {
  const read = createRefReader(gitDir);
  /** What refs named when there was an object of that name. */
  const whole = new Map<string, ObjectId>();
  return async (names) => {
    const ids = read(names);
    if (ids === undefined) return (await lookup.stat(names)).map((object) => object?.id);
    const named = names.flatMap((name, index) => (ids[index] === undefined ? [] : [[name, ids[index]] as const]));
    const doubtful = named.filter(([name, id]) => whole.get(name) !== id && !isLoose(objects, id));
    const found = doubtful.length === 0 ? [] : await lookup.stat(doubtful.map(([, id]) => id));
    const missing = new Set(doubtful.flatMap(([name], index) => (found[index] === undefined ? [name] : [])));
    for (const [name, id] of named) if (!missing.has(name)) whole.set(name, id);
    return names.map((name, index) => (missing.has(name) ? undefined : ids[index]));
  };
}

/** Where a clone stands, without a process: every step asks it. */
export function createStand(
  clone: GitPlace,
  gitDir: string,
  readRefs: ReadRefs,
): (refs: readonly string[]) => Promise<Awaited<ReturnType<Git['stand']>>> {
  return async (refs) => {
    const symbolic = symbolicHead(gitDir);
    const head = symbolic ?? (await ask(clone, ['symbolic-ref', '--quiet', 'HEAD'], { codes: [0, 1] }));
    return { branch: branchOf(head), operation: operationIn(gitDir), ids: await readRefs(refs) };
  };
}

/** What HEAD names, where its file says so; git is asked for every other case, and for one that cannot be read. */
function symbolicHead(gitDir: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(gitDir, 'HEAD'), 'utf8');
  } catch {
    return undefined;
  }
  const [, ref] = /^ref: (.+)$/m.exec(text) ?? [];
  // Where refs are kept in tables, the file is only a placeholder.
  return ref === 'refs/heads/.invalid' ? undefined : ref;
}

const branchOf = (ref: string): string | undefined =>
  ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;

function operationIn(gitDir: string): RepositoryFacts['operation'] {
  return OPERATIONS.find(([file]) => existsSync(join(gitDir, file)))?.[1];
}

/** Lines of `<id> <ref>`. */
function parseRefs(text: string): ReadonlyMap<string, ObjectId> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
  );
}

/** Milliseconds between attempts while another git holds the lock of a ref, as it does for moments. */
const REF_LOCKED: readonly number[] = [20, 50, 100, 200, 400];

/** Moves refs, all or none; false when one no longer stood where it was expected. */
export function createRefUpdater(
  place: GitPlace,
  lookup: ObjectLookup,
  flags: readonly string[] = [],
): (updates: readonly RefUpdate[]) => Promise<boolean> {
  const session = createSession(place, ['update-ref', '--stdin', '-z', ...flags]);
  const stand = async (updates: readonly RefUpdate[]): Promise<boolean> => {
    const found = await lookup.stat(updates.map(({ ref }) => ref));
    return updates.every(({ next }, index) => found[index]?.id === next);
  };
  return async (updates) => {
    if (updates.length === 0) return true;
    const input = `start\0${updates.map(command).join('')}prepare\0commit\0`;
    for (let attempt = 0, unheard = false; ; attempt += 1) {
      const stderr = await session.exchange(input, readOutcome).catch(reasonOf);
      if (stderr === undefined) return true;
      // One that was ended before it could answer may have done it: then the next one finds it done.
      if (unheard && (await stand(updates))) return true;
      unheard ||= stderr === '';
      const lock = /unable to create '([^']+\.lock)': File exists/i.exec(stderr)?.[1];
      const delay = REF_LOCKED[attempt];
      if (delay !== undefined && (lock !== undefined || stderr === '')) await wait(delay);
      else if (lock !== undefined) throw leftLocked(place, lock);
      else if (MOVED.test(stderr)) return false;
      else {
        throw new FlowError('git-failed', `git update-ref failed: ${stderr.trim().slice(0, 400)}`, {
          remedy: 'run `git fsck` in the workspace',
        });
      }
    }
  };
}

function command({ ref, next, previous }: RefUpdate): string {
  if (next === undefined) return `delete ${ref}\0${previous ?? ''}\0`;
  if (previous === null) return `create ${ref}\0${next}\0`;
  return `update ${ref}\0${next}\0${previous ?? ''}\0`;
}

/** One line for each of `start`, `prepare` and `commit`; a transaction that fails ends the process instead. */
async function readOutcome(reader: AnswerReader): Promise<undefined> {
  for (const step of ['start', 'prepare', 'commit']) {
    const line = await reader.line();
    if (line !== `${step}: ok`) throw new SessionEnded(`unexpected answer to ${step}: ${line}`);
  }
}

/** What git said before it ended; nothing when somebody ended it, which says nothing of the refs. */
function reasonOf(error: unknown): string {
  if (error instanceof SessionEnded) return error.stderr;
  throw error;
}

/** What was to be moved is not where it was expected. */
const MOVED = /cannot lock ref|reference already exists|is at .* but expected|unable to resolve reference/i;

function leftLocked({ cwd }: GitPlace, lock: string): FlowError {
  const file = relative(cwd, lock);
  return new FlowError('git-failed', `another git is at work in this repository, or one died there: ${file} exists`, {
    retryable: true,
    remedy: `wait for it; if no git runs here any more, remove ${file}`,
  });
}

async function trackingRefs(place: GitPlace): Promise<ReadonlyMap<string, ObjectId>> {
  return parseRefs(await ask(place, ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/remotes/origin/']));
}

/**
 * Forgets refs of the private repository whose objects are gone: a person's git knows nothing of them, so that it may
 * collect what only they held, and git fetches nothing any more while one is broken. The next fetch brings what is
 * still on the remote. Returns whether there were any.
 */
export async function dropBroken(objects: GitPlace, lookup: ObjectLookup): Promise<boolean> {
  return (await dropFrom(objects, lookup)).broken.length > 0;
}

async function dropFrom(
  objects: GitPlace,
  lookup: ObjectLookup,
): Promise<{ readonly broken: readonly string[]; readonly kept: ReadonlySet<string> }> {
  const refs = parseRefs(await ask(objects, ['for-each-ref', '--format=%(objectname) %(refname)']));
  const found = await lookup.stat([...refs.values()]);
  const broken = [...refs.keys()].filter((_, index) => found[index] === undefined);
  await createRefUpdater(objects, lookup)(broken.map((ref) => ({ ref, next: undefined })));
  return { broken, kept: new Set([...refs.keys()].filter((_, index) => found[index] !== undefined)) };
}

/** Tells the private repository what the clone already has, so that the first fetch brings only what is new. */
export async function seedTracking(clone: GitPlace, objects: GitPlace, lookup: ObjectLookup): Promise<void> {
  const { kept } = await dropFrom(objects, lookup);
  const missing = [...(await trackingRefs(clone))].filter(([ref]) => !kept.has(ref) && !ref.endsWith('/HEAD'));
  await createRefUpdater(objects, lookup)(missing.map(([ref, next]) => ({ ref, next })));
}

/**
 * Shows what was fetched to a person's own git, which also keeps it from being collected as garbage. What stands there
 * is asked each time: a person may have pruned or moved it.
 */
export function createMirror(
  readRefs: ReadRefs,
  updateRefs: (updates: readonly RefUpdate[]) => Promise<boolean>,
): (branches: ReadonlyMap<string, ObjectId>) => Promise<void> {
  return async (branches) => {
    const wanted = [...branches].map(([branch, next]) => ({
      ref: branch.replace('refs/heads/', 'refs/remotes/origin/'),
      next,
    }));
    const there = await readRefs(wanted.map(({ ref }) => ref));
    await updateRefs(wanted.filter(({ next }, index) => there[index] !== next));
  };
}
