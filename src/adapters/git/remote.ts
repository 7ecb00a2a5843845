import type { FetchOutcome, ObjectId, PushOutcome, RemoteFailure, RemoteGlance } from '../../ports-git.ts';
import type { Aside } from './aside.ts';
import type { Checks } from './checks.ts';
import { withSettings } from './environment.ts';
import { createGlanceReader, glanceAt } from './glance.ts';
import { matches } from './local-refs.ts';
import type { Branches } from './local-refs.ts';
import type { ObjectLookup } from './lookup.ts';
import { checkRefName, checkRemote } from './names.ts';
import { createNeighbourhood } from './nearby.ts';
import type { Nearby } from './nearby.ts';
import { fetchNearby } from './nearby-fetch.ts';
import { pushNearby } from './nearby-push.ts';
import type { ObjectReader } from './object-reader.ts';
import type { Objects } from './objects.ts';
import { createRefUpdater } from './refs.ts';
import { ask, ordinary, plumb } from './run.ts';
import type { GitPlace, GitResult, OrdinaryOptions } from './run.ts';
import type { Log } from '../../ports.ts';

/** Where fetched branches are kept in the private repository. */
const TRACKED = 'refs/remotes/origin/';

/** A remote where something moves all the time would otherwise never be done with. */
const MOST_TIMES = 4;

/** Git's own ways of talking to one remote after the other; see `Git.fetch`, `Git.glance` and `Git.push`. */
export interface RemoteTalk {
  fetch(remote: string, branches: readonly string[]): Promise<FetchOutcome>;
  glance(remote: string, branches: readonly string[]): Promise<RemoteGlance | undefined>;
  push(remote: string, branch: string, commit: ObjectId): Promise<PushOutcome>;
}

/** What the last fetch left, as far as this clone has not pushed since. */
interface Last {
  readonly remote: string;
  readonly branches: readonly string[];
  readonly refs: Branches;
}

export interface RemoteTalkOptions {
  /** Bounds on one call that goes over the network. */
  readonly limits: OrdinaryOptions;
  /** What the clone wants to be checked of what is fetched, which git does. */
  readonly checks: () => Promise<Checks>;
  /** Where the private repository notes what was fetched; to be done before the next fetch. */
  readonly aside: Aside;
  readonly log?: Pick<Log, 'info'> | undefined;
}

export function createRemoteTalk(
  place: GitPlace,
  store: Objects,
  { limits, checks, aside, log }: RemoteTalkOptions,
): RemoteTalk {
  let last: Last | undefined;
  let pushes = 0;
  const { lookup } = store;
  const neighbourhood = createNeighbourhood(place);
  const track = createRefUpdater(place, lookup);
  const readers = new WeakMap<Nearby, ObjectReader>();

  /** What moved on a remote on this machine since the last fetch, where it can be had without git; see `fetchNearby`. */
  async function fetchAtHand(before: Last, there: Branches): Promise<Branches | undefined> {
    const nearby = neighbourhood.nearby(before.remote);
    if (nearby === undefined || [...before.refs.keys()].some((ref) => !there.has(ref))) return undefined;
    const moved = [...there].filter(([ref, id]) => before.refs.get(ref) !== id);
    const gap = { tips: moved.map(([, id]) => id), known: [...new Set(before.refs.values())] };
    return (await fetchNearby(store, nearby, gap)) ? there : undefined;
  }

  /** Where the next fetch by git begins. Nobody waits for it who only reads what was fetched. */
  function note(before: Branches, refs: Branches): void {
    const moved = [...refs].filter(([ref, id]) => before.get(ref) !== id);
    const updates = moved.map(([ref, next]) => ({ ref: ref.replace('refs/heads/', TRACKED), next }));
    aside.begin(async () => {
      try {
        await track(updates);
      } catch (error) {
        last = undefined;
        throw error;
      }
    });
  }

  /**
   * As `fetchAtHand`. What comes while something is brought is brought as well: whoever waits for it would otherwise wait for two
   * rounds.
   */
  async function fetchWhatComes(before: Last, there: Branches): Promise<Branches | undefined> {
    const refs = await fetchAtHand(before, there);
    if (refs === undefined) return undefined;
    let reached: Last = { ...before, refs };
    last = reached;
    for (let times = 1; times < MOST_TIMES; times += 1) {
      const now = neighbourhood.branches(before.remote, before.branches);
      const more = now === undefined || isSame(reached.refs, now) ? undefined : await fetchAtHand(reached, now);
      if (more === undefined) break;
      reached = { ...before, refs: more };
      last = reached;
    }
    note(before.refs, reached.refs);
    return reached.refs;
  }

  return {
    async fetch(remote, branches) {
      checkRemote(remote);
      for (const branch of branches) checkRefName(branch.replace(/\*$/, 'x'));
      const before = last?.remote === remote && sameNames(last.branches, branches) ? last : undefined;
      const there = before && neighbourhood.branches(remote, branches);
      if (before && there && isSame(before.refs, there)) return { kind: 'ok', refs: before.refs };
      const { wanted, settings } = await checks();
      if (before !== undefined && there !== undefined && !wanted) {
        const refs = await fetchWhatComes(before, there);
        if (refs !== undefined) return { kind: 'ok', refs };
      }
      last = undefined;
      const checked = { ...place, env: withSettings(place.env, settings) };
      const outcome = await fetchBranches(checked, lookup, limits, { remote, branches, known: before?.refs });
      if (outcome.kind !== 'ok') return outcome;
      // Whoever made the clone may have fetched more, which nobody keeps up with.
      const refs = new Map([...outcome.refs].filter(([ref]) => branches.some((pattern) => matches(ref, pattern))));
      last = { remote, branches, refs };
      return { kind: 'ok', refs };
    },
    async glance(remote, branches) {
      // The clone may want checks of what it takes in, which git makes while it fetches.
      if ((await checks()).wanted) return undefined;
      const refs = neighbourhood.branches(remote, branches);
      const nearby = neighbourhood.nearby(remote);
      if (refs === undefined || nearby === undefined) return undefined;
      const reader = readers.get(nearby) ?? createGlanceReader(store, nearby);
      readers.set(nearby, reader);
      return glanceAt(reader, refs);
    },
    async push(remote, branch, commit) {
      checkRemote(remote);
      checkRefName(branch);
      pushes += 1;
      const isCleaning = pushes % PUSHES_PER_CLEANING === 0;
      const nearby = isCleaning ? undefined : neighbourhood.nearby(remote);
      const asked = { branch, commit, seen: last?.remote === remote ? last.refs : new Map<string, ObjectId>(), log };
      let outcome = nearby && (await pushNearby(store, nearby, asked));
      if (outcome === undefined) {
        const receiver = neighbourhood.has(remote) && !isCleaning ? RECEIVER_THAT_ONLY_RECEIVES : RECEIVER;
        outcome = await pushBranch(place, { remote, receiver, branch, commit }, limits);
      }
      if (outcome.kind === 'ok' && last?.remote === remote)
        last = { ...last, refs: new Map([...last.refs, [`refs/heads/${branch}`, commit]]) };
      return outcome;
    },
  };
}

const sameNames = (left: readonly string[], right: readonly string[]): boolean => left.join(' ') === right.join(' ');

const isSame = (left: Branches, right: Branches): boolean =>
  left.size === right.size && [...left].every(([ref, id]) => right.get(ref) === id);

/**
 * Fetches branches (patterns such as `lanes/*` too) into the private repository. A branch that the remote does not
 * have is no failure: an empty remote is how a team begins. What git says of each branch tells what moved, so that
 * only then the refs are looked at.
 */
async function fetchBranches(
  place: GitPlace,
  lookup: ObjectLookup,
  limits: OrdinaryOptions,
  asked: { readonly remote: string; readonly branches: readonly string[]; readonly known: Branches | undefined },
): Promise<FetchOutcome> {
  let { known } = asked;
  let wanted = [...asked.branches];
  for (;;) {
    const result = await ordinary(place, fetchCommand(asked.remote, wanted), limits);
    if (result.code === 0) {
      const refs = (known && (await movedOn(lookup, known, result.stderr))) ?? (await trackedBranches(place));
      return { kind: 'ok', refs };
    }
    const absent = /couldn't find remote ref (?:refs\/heads\/)?(\S+)/i.exec(result.stderr)?.[1];
    if (absent === undefined || !wanted.includes(absent)) return failureOf(result);
    known = undefined;
    wanted = wanted.filter((branch) => branch !== absent);
    await plumb(place, ['update-ref', '--no-deref', '-d', `${TRACKED}${absent}`]);
    if (wanted.length === 0) return { kind: 'ok', refs: await trackedBranches(place) };
  }
}

/** ` = [up to date]  main -> origin/main`: a flag, a summary, and where the branch is kept. */
const REPORTED = /^ ([ =*+-]) .* -> origin\/(\S+)(?: +\(.*\))?$/;

/** The branches after a fetch that reported these lines; `undefined` for lines of an unknown form. */
async function movedOn(lookup: ObjectLookup, known: Branches, report: string): Promise<Branches | undefined> {
  const refs = new Map(known);
  const moved: string[] = [];
  for (const line of report.split('\n').filter((text) => text.includes(' -> '))) {
    const [, flag, branch] = REPORTED.exec(line) ?? [];
    if (branch === undefined) return undefined;
    if (flag === '-') refs.delete(`refs/heads/${branch}`);
    else if (flag !== '=') moved.push(branch);
    else if (!known.has(`refs/heads/${branch}`)) return undefined;
  }
  const ids = await lookup.stat(moved.map((branch) => `${TRACKED}${branch}`));
  for (const [index, branch] of moved.entries()) {
    const id = ids[index]?.id;
    if (id === undefined) return undefined;
    refs.set(`refs/heads/${branch}`, id);
  }
  return refs;
}

function fetchCommand(remote: string, branches: readonly string[]): string[] {
  // The pack programs are named here, since a repository's configuration could name others. `--verbose` keeps the
  // library from waiting for output that a quiet fetch never gives.
  return [
    'fetch',
    '--verbose',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--prune',
    '--upload-pack=git-upload-pack',
    '--',
    remote,
    ...branches.map((branch) => `+refs/heads/${branch}:${TRACKED}${branch}`),
  ];
}

async function trackedBranches(place: GitPlace): Promise<Branches> {
  const text = await ask(place, ['for-each-ref', '--format=%(objectname) %(refname)', TRACKED]);
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [id = '', name = ''] = line.split(' ');
        return [`refs/heads/${name.slice(TRACKED.length)}`, id];
      }),
  );
}

/**
 * A remote looks after every push whether it wants cleaning, which takes as long as some of the work itself. One on this
 * machine is asked to do so now and then only.
 */
const PUSHES_PER_CLEANING = 64;
const RECEIVER = 'git-receive-pack';
const RECEIVER_THAT_ONLY_RECEIVES = 'git -c receive.autogc=false receive-pack';

interface Push {
  readonly remote: string;
  /** The command that takes the push at the other end. */
  readonly receiver: string;
  readonly branch: string;
  readonly commit: ObjectId;
}

async function pushBranch(
  place: GitPlace,
  { remote, receiver, branch, commit }: Push,
  limits: OrdinaryOptions,
): Promise<PushOutcome> {
  const result = await ordinary(
    place,
    [
      'push',
      '--porcelain',
      '--no-verify',
      '--no-signed',
      '--no-recurse-submodules',
      `--receive-pack=${receiver}`,
      '--',
      remote,
      `${commit}:refs/heads/${branch}`,
    ],
    limits,
  );
  const line = /^([ +*=!-])\t[^\t]*\t(.*)$/m.exec(result.stdout.toString('utf8'));
  if (line === null) return result.timedOut || result.code !== 0 ? failureOf(result) : { kind: 'ok' };
  const [, flag, summary = ''] = line;
  if (flag !== '!') return { kind: 'ok' };
  const detail = `${summary} ${remoteWords(result.stderr)}`.trim();
  return { kind: lostRace(summary) && !OBSTACLE.test(detail) ? 'behind' : 'denied', detail };
}

/** Refusals that another writer caused: what was to be moved had already moved. */
function lostRace(summary: string): boolean {
  return /\[rejected\]|cannot lock ref|incorrect old value|failed to update ref|reference already exists/i.test(
    summary,
  );
}

/** What nobody's other attempt gets past either. */
const OBSTACLE = /permission denied|read-only file system/i;

const remoteWords = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice(8).trim())
    .join(' ')
    .slice(0, 400);

function failureOf(result: GitResult & { readonly timedOut: boolean }): RemoteFailure {
  if (result.timedOut) return { kind: 'unreachable', detail: 'the remote did not answer in time' };
  const detail = firstWords(result.stderr);
  const missing = /does not appear to be a git repository|repository .*not found|project .*not found|does not exist/i;
  return { kind: missing.test(result.stderr) ? 'missing' : 'unreachable', detail };
}

/** Git's own reason, without its advice. */
function firstWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^(fatal|error|ssh|remote|ERROR):/.test(line));
  return (lines[0] ?? stderr.trim().split('\n')[0] ?? '').replace(/^(fatal|error|remote): /, '').slice(0, 300);
}
