import type { Committed, PullReport, Reach, Sync, SyncStatus, Transaction } from '../ports.ts';
import type { ObjectId } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { laneOf, localpartOfLane } from '../protocol/paths.ts';
import { stampOf } from '../protocol/timestamps.ts';
import { changeFor, handEdits, isOwnEcho, withinReach } from './adopt.ts';
import { dirtyPaths } from './differing.ts';
import { finishing, indexed } from './finish.ts';
import { keptHere, noteUnfit } from './fitness.ts';
import { branchRef, lanesIn, nothingOwed, readPosition } from './context.ts';
import type { Brought, SyncContext, SyncOptions } from './context.ts';
import { createGathering } from './gathering.ts';
import { begin, pullOnce } from './pull.ts';
import { owesRemote, pushAll } from './push.ts';
import { createQuota } from './quota.ts';
import { isSetAside } from './resolve.ts';
import { allowedSecrets } from './secret-check.ts';
import { createTurn } from './turn.ts';
import { vettingGit } from './vetting.ts';

export type { SyncOptions } from './context.ts';

/** Milliseconds that a last push may take when the node stops. */
const LAST_PUSH = 10_000;

/**
 * The sync of one clone (architecture.md, "Sync"). One turn at a time: a pull, or a group of steps that share a
 * fetch, a commit and a push; while one is under way the next group gathers. Throws `bad-workspace` when the clone
 * is not in a state to work in, after repairing what a crash left half done.
 */
export async function createSync(options: SyncOptions): Promise<Sync> {
  const vetted = new Set<ObjectId>();
  const context: SyncContext = {
    ...options,
    git: vettingGit(options.git, vetted),
    actor: { localpart: options.localpart, role: options.role },
    ownBranch:
      options.role === 'worker' && options.remote !== undefined
        ? laneOf(options.lanePrefix, options.localpart)
        : options.branch,
    quota: createQuota(options.minPush, options.clock),
    state: {
      tracked: new Map(),
      online: options.remote === undefined,
      problem: undefined,
      heldBack: undefined,
      lastPullAt: undefined,
      lastPushAt: undefined,
      setAside: new Set(),
      placed: new Map(),
      unplaced: new Set(),
      moved: undefined,
      left: undefined,
      noNews: undefined,
      allowed: undefined,
      agents: undefined,
      owed: nothingOwed(),
      vetted,
      unfit: new Set(),
      integrated: new Map(),
      troubledLanes: new Map(),
    },
  };
  const { git, workTree, clock, log, remote, quota } = context;
  const listeners = new Set<(report: PullReport) => void>();
  const turn = createTurn();
  let turns = 0;
  let lastTurn = clock.elapsed();
  const takeTurn: typeof turn = (task) =>
    turn(async () => {
      turns += 1;
      try {
        return await task();
      } finally {
        turns -= 1;
        lastTurn = clock.elapsed();
      }
    });
  const pulling = new Map<Reach, Promise<PullReport>>();
  let closed = false;

  const tracked = await git.facts();
  context.state.tracked = new Map(
    [...tracked.refs]
      .filter(([ref]) => ref.startsWith('refs/remotes/origin/'))
      .map(([ref, id]) => [ref.replace('refs/remotes/origin/', 'refs/heads/'), id]),
  );
  for (const commit of context.state.tracked.values()) vetted.add(commit);
  const { brought: repaired } = await begin(context);
  if (repaired.changed.length > 0)
    log.warn({ paths: repaired.changed.length }, 'the work tree was brought up to its commit');

  const tell = (brought: Brought, after?: 'push'): PullReport => {
    const report: PullReport = { remote: remote !== undefined, ...brought };
    // What waits for the remote to have it may go on after a push.
    if (after === 'push' || brought.changed.length + brought.refusals.length + brought.conflicts.length > 0) {
      for (const listener of listeners) {
        try {
          listener(report);
        } catch (error) {
          log.error({ error: String(error) }, 'a listener of the sync failed');
        }
      }
    }
    return report;
  };

  const gathering = createGathering(context, { takeTurn, tell });

  const refuseClosed = (): void => {
    if (closed) throw new FlowError('locked', 'the node is stopping', { remedy: 'start it again with `baton up`' });
  };

  let callers = 0;
  const transact = async <Output>(transaction: Transaction<Output>): Promise<Committed<Output>> => {
    refuseClosed();
    callers += 1;
    try {
      return await gathering.transact(transaction);
    } finally {
      callers -= 1;
    }
  };

  return {
    pull(reach = 'all') {
      const shared = pulling.get(reach);
      if (shared !== undefined) return shared;
      const pull = takeTurn(async () => {
        pulling.delete(reach);
        refuseClosed();
        if (remote === undefined) return tell((await begin(context)).brought);
        const { brought, position } = await pullOnce(context, remote, reach);
        // Whoever waits for what a Leader's node has integrated is not told of it by a watch: its lanes are no news any more.
        if (context.role === 'leader' && (await owesRemote(context, position.head))) gathering.owe();
        return tell(brought);
      });
      pulling.set(reach, pull);
      return pull;
    },
    transact,
    async adopt(reported) {
      workTree.invalidate(reported);
      const paths = withinReach(context, reported);
      const { head } = await readPosition(context);
      // Where a person has moved the branch, what this node wrote last may be an edit: made again after a reset, for instance.
      if (context.state.moved?.to === head && paths.every((path) => isOwnEcho(context, path)))
        return { adopted: [], foreign: [] };
      const { own, foreign, unfit } = await handEdits(context, head, paths);
      noteUnfit(context, paths, unfit);
      if (own.length > 0) {
        await transact({
          actor: context.actor,
          label: 'workspace(hand_edit)',
          subject: {},
          whenOffline: 'persist',
          // The node itself takes edits up, and has more to do than to wait until it may push.
          ...(quota.interval > 0 ? { answers: 'committed' as const } : {}),
          decide: (view) => ({ changes: own.map((file) => changeFor(file, context.actor, view)), output: undefined }),
        });
      }
      return { adopted: own.map(({ path }) => path), foreign, ...(unfit.length === 0 ? {} : { unfit }) };
    },
    async unfit() {
      const { head } = await readPosition(context);
      const { unfit, foreign } = await handEdits(context, head, await dirtyPaths(context, head));
      // What a turn has just brought is nobody's edit.
      const others = foreign.filter((path) => !isSetAside(path) && !isOwnEcho(context, path));
      return [...unfit, ...(await keptHere(context, head, others))];
    },
    async dirty() {
      return dirtyPaths(context, (await readPosition(context)).head);
    },
    push: () => gathering.push(),
    hurry: () => gathering.hurry(),
    async status() {
      const wait = quota.wait();
      return {
        ...(await readStatus(context)),
        ...(quota.interval === 0 || remote === undefined
          ? {}
          : {
              quota: {
                minPushInterval: quota.interval,
                ...(wait === 0 ? {} : { nextPushAt: stampOf(Math.ceil((clock.millis() + wait) / 1000) * 1000) }),
                waiting: gathering.waiting(),
              },
            }),
      };
    },
    allowedSecrets: () => allowedSecrets(context),
    quietFor: () => (turns > 0 ? 0 : clock.elapsed() - lastTurn),
    callers: () => callers,
    isKnown: (ref, commit) => context.state.tracked.get(ref) === commit,
    // A Worker's node fetches no lanes but its own.
    lanes: () =>
      remote === undefined || context.role === 'worker'
        ? undefined
        : lanesIn(context.state.tracked, context.lanePrefix).flatMap(
            ([ref]) => localpartOfLane(context.lanePrefix, ref) ?? [],
          ),
    async published(path) {
      const { head } = await readPosition(context);
      const there = remote === undefined ? head : context.state.tracked.get(branchRef(context.ownBranch));
      const name = path.replace(/\/$/, '');
      const [own, theirs] = await git.resolve([`${head}:${name}`, there === undefined ? '-' : `${there}:${name}`]);
      return own !== undefined && own === theirs;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    indexed: () => indexed(context),
    idle: () => takeTurn(() => finishing(context)),
    async close() {
      if (closed) return;
      closed = true;
      await gathering.finish();
      await git.noted();
      if (remote === undefined || (context.lastPush === 'when-due' && quota.wait() > 0)) return finishing(context);
      const stop = new AbortController();
      const last = takeTurn(async () => {
        const { position } = await begin(context);
        if (await owesRemote(context, position.head)) await pushAll(context, remote);
      }).catch((error: unknown) =>
        log.warn({ error: String(error) }, 'what is not on the remote yet stays committed here'),
      );
      await Promise.race([last, clock.sleep(LAST_PUSH, stop.signal)]);
      stop.abort();
      await finishing(context);
      await git.noted();
    },
  };
}

async function readStatus(context: SyncContext): Promise<SyncStatus> {
  const { git, state, remote, role, ownBranch, branch } = context;
  const { refs } = await git.facts();
  const head = refs.get(branchRef(ownBranch)) ?? '';
  const there = [ownBranch, branch].map((name) => state.tracked.get(branchRef(name))).filter((id) => id !== undefined);
  const team = remote !== undefined && head !== '';
  const committed = head === '' ? [] : await git.entries(head, 'shared');
  return {
    mode: remote === undefined ? 'solo' : 'team',
    branch: ownBranch,
    head,
    remote: remote === undefined ? undefined : remote.replace(/(\/\/)[^/@\s]*@/, '$1'),
    // A lane's merges of main tell nobody anything: they wait for the next step, and no message waits for them.
    ahead: team ? await git.count([head], there, { merges: role === 'leader' }) : 0,
    behind: team && there.length > 0 ? await git.count(there, [head]) : 0,
    online: state.online,
    lastPullAt: state.lastPullAt,
    lastPushAt: state.lastPushAt,
    conflicts: [...new Set([...committed.map(({ path }) => path).filter(isSetAside), ...state.setAside])].sort(),
    lanes: team && role === 'leader' ? await pendingLanes(context, head) : [],
    problem: state.problem ?? state.heldBack?.message,
    ...(state.problem === undefined && state.heldBack !== undefined ? { remedy: state.heldBack.remedy } : {}),
  };
}

async function pendingLanes({ git, state, lanePrefix }: SyncContext, head: ObjectId): Promise<SyncStatus['lanes']> {
  const lanes = lanesIn(state.tracked, lanePrefix);
  return Promise.all(
    lanes.map(async ([ref, tip]) => ({
      name: ref.slice('refs/heads/'.length),
      pending: await git.count([tip], [head]),
    })),
  );
}
