import type { LaneRefusal } from '../ports.ts';
import type { ObjectId, TreeEdit } from '../ports-git.ts';
import { FlowError } from '../protocol/errors.ts';
import { mayWrite } from '../protocol/ownership.ts';
import { goingOn, newestPart } from '../protocol/event-logs.ts';
import { foldName } from '../protocol/names.ts';
import { classifyPath, eventLogIn, eventsDir, localpartOfLane, taskPaths } from '../protocol/paths.ts';
import { redactSecrets } from '../protocol/secrets/scan.ts';
import { renderEventLine } from '../protocol/records/event.ts';
import { lanesIn, seconds } from './context.ts';
import type { Brought, SyncContext, Taken } from './context.ts';
import { agentsOn, ownerProblem } from './lane-owner.ts';
import { commonBase, mergeOn } from './merge.ts';
import type { CommonBase, Merge } from './merge.ts';
import { decode } from './resolve.ts';
import { scanOf } from './secret-check.ts';
import { sanitise } from './sanitise.ts';
import type { LaneDelta, Sanitised } from './sanitise.ts';
import { integrationMessage } from './message.ts';

/** More refusals of one lane than this are summed up, so that no lane can flood the log. */
const MOST_REFUSALS = 50;

/**
 * Integrates every lane that has commits which main lacks (architecture.md, "Lanes"), each with what its Worker may change.
 * Lanes that have nothing to do with each other are one merge commit, all others have one of their own. A lane that cannot
 * be integrated is reported and never stops the others.
 */
export async function integrateLanes(context: SyncContext, main: ObjectId): Promise<Taken> {
  const { state, git, log } = context;
  const lanes = lanesIn(state.tracked, context.lanePrefix);
  const names = lanes.flatMap(([ref]) => localpartOfLane(context.lanePrefix, ref) ?? []);
  const refusals: LaneRefusal[] = [];
  const conflicts: Brought['conflicts'][number][] = [];
  let head = main;
  /** Lanes that were judged on `head` and are not merged yet, and what they touch. */
  let waiting: JudgedLane[] = [];
  const taken = new Set<string>();

  const attempt = async (lane: string, tip: ObjectId, task: () => Promise<void>): Promise<void> => {
    try {
      await task();
    } catch (error) {
      state.troubledLanes.set(lane, tip);
      log.error({ lane, commit: tip, error: String(error) }, 'a lane could not be integrated');
      refusals.push(brokenLane(context, lane, tip, error));
    }
  };
  const mergeWaiting = async (): Promise<void> => {
    const together = waiting;
    waiting = [];
    taken.clear();
    try {
      if (together.length > 0) head = await mergeTogether(context, head, together);
    } catch (error) {
      log.warn({ lanes: together.length, error: String(error) }, 'lanes could not be merged at once');
      for (const judged of together) {
        const { lane, tip } = judged.delta;
        await attempt(lane, tip, async () => {
          head = await mergeTogether(context, head, [judged]);
        });
      }
    }
  };

  for (const [ref, tip] of lanes) {
    const lane = ref.slice('refs/heads/'.length);
    if (state.troubledLanes.get(lane) === tip || state.integrated.get(lane) === tip) continue;
    await attempt(lane, tip, async () => {
      const ancestors = await git.mergeBases(main, tip);
      if (ancestors.includes(tip)) {
        state.integrated.set(lane, tip);
        return;
      }
      if (ancestors.length > MOST_ANCESTORS) throw tooManyAncestors(context, lane, ancestors.length);
      const large = await git.tooLarge(tip, main);
      if (large !== undefined) throw tooLarge(lane, large);
      const judge = (): Promise<JudgedLane> =>
        judgeLane(context, { lane, tip, main: head, since: main, ancestors, names });
      let judged = await judge();
      const mayJoin =
        isPlain(judged) && waiting.length < MOST_TOGETHER && !judged.places.some((place) => taken.has(place));
      if (waiting.length > 0 && !mayJoin) {
        // What it meets of theirs counts for it.
        await mergeWaiting();
        judged = await judge();
      }
      if (isPlain(judged)) {
        waiting.push(judged);
        for (const place of judged.places) taken.add(place);
        return;
      }
      const merged = await mergeAlone(context, judged);
      head = merged.head;
      refusals.push(...merged.refusals);
      conflicts.push(...merged.conflicts);
    });
  }
  await mergeWaiting();
  return { head, refusals, conflicts };
}

/**
 * Best common ancestors of a lane and main; nodes that take each other's work in make one or two. They are merged to one base, and each of them is
 * asked for each file of the lane, so that one push with hundreds would hold up the node for half a minute.
 */
const MOST_ANCESTORS = 8;

function tooManyAncestors({ branch }: SyncContext, lane: string, count: number): FlowError {
  return new FlowError(
    'sync-failed',
    `${lane} has ${count} newest commits in common with ${branch}, and at most ${MOST_ANCESTORS} are looked at: merge ${branch} into it`,
  );
}

/** Once it is part of main, every walk through the history in every clone reads all of it. */
function tooLarge(lane: string, commit: ObjectId): FlowError {
  const name = commit.slice(0, 10);
  return new FlowError(
    'sync-failed',
    `the message of ${name} in ${lane} has several megabytes: make the commit anew with a shorter one`,
  );
}

function brokenLane({ lanePrefix, secrets }: SyncContext, lane: string, tip: ObjectId, error: unknown): LaneRefusal {
  const detail = redactSecrets(error instanceof Error ? error.message : String(error), secrets?.known());
  return {
    lane,
    localpart: localpartOfLane(lanePrefix, lane) ?? lane,
    commit: tip,
    path: lane,
    reason: 'broken-lane',
    detail,
  };
}

interface Coming {
  readonly lane: string;
  readonly tip: ObjectId;
  /** Main with the lanes before this one. */
  readonly main: ObjectId;
  /**
   * Main before any of them: what a lane has written is told by it. A lane may hold another one's commits, which main
   * then has by name only, and the other's work must not count as taken.
   */
  readonly since: ObjectId;
  /** The best ones that it has in common with that. */
  readonly ancestors: readonly ObjectId[];
  /** Whose lanes there are. */
  readonly names: readonly string[];
}

/** A lane, and what of it may be taken into the main that it was judged on. */
interface JudgedLane {
  readonly delta: LaneDelta;
  readonly base: CommonBase;
  readonly sanitised: Sanitised;
  /**
   * What its files are judged by: of a task the whole folder, and for all names however they are spelled. Lanes that have none
   * of it in common are judged the same on a main that holds the others.
   */
  readonly places: readonly string[];
}

async function judgeLane(
  context: SyncContext,
  { lane, tip, main, since, ancestors, names }: Coming,
): Promise<JudgedLane> {
  const { git, workTree, lanePrefix, state } = context;
  const localpart = localpartOfLane(lanePrefix, lane);
  if (localpart === undefined) throw new FlowError('sync-failed', `${lane} is not the name of a lane`);
  if (state.agents?.main !== main) state.agents = { main, known: await agentsOn(git, main) };
  const claim = { localpart, self: context.localpart, names, agents: state.agents.known };
  const problem = await ownerProblem(git, main, claim);
  if (problem !== undefined) throw new FlowError('not-owner', `${lane} is not taken: ${problem}`);
  const base = await commonBase(git, since, tip, ancestors);
  if (base === undefined) throw new FlowError('sync-failed', `${lane} shares no history with ${context.branch}`);
  const { maxFileBytes } = workTree.view().team.policies;
  const sides = { tip, main, base: base.commit, ancestors: base.made ? ancestors : [] };
  const delta = { lane, localpart, ...sides, maxFileBytes, scan: await scanOf(context) };
  const sanitised = await sanitise(git, delta);
  return { delta, base, sanitised, places: sanitised.edits.map(({ path }) => placeOf(path)) };
}

/** Whether a lane is taken as it is, into a main that has not changed the same files. */
const isPlain = ({ sanitised }: JudgedLane): boolean => sanitised.apart && sanitised.refusals.length === 0;

/** No commit has more lanes than this for parents, so that people and their programs can still show it. */
const MOST_TOGETHER = 24;

function placeOf(path: string): string {
  const place = classifyPath(path);
  return foldName('taskId' in place ? taskPaths(place.taskId).dir : path);
}

/** One commit for lanes that touch nothing in common, neither with each other nor with main. */
function mergeTogether(
  { git, author, clock }: SyncContext,
  main: ObjectId,
  lanes: readonly JudgedLane[],
): Promise<ObjectId> {
  return git.commit({
    parents: [...new Set([main, ...lanes.map(({ delta }) => delta.tip)])],
    edits: lanes.flatMap(({ sanitised }) => sanitised.edits),
    message: integrationMessage(lanes.map(({ delta }) => delta)),
    author,
    at: seconds(clock),
  });
}

async function mergeAlone(context: SyncContext, { delta, base, sanitised }: JudgedLane): Promise<Taken> {
  const { git, author, clock } = context;
  const { tip, main } = delta;
  const merge = sanitised.apart
    ? { tree: undefined, edits: sanitised.edits, conflicts: [] }
    : await mergeLane(context, base, delta, sanitised);
  const refusals = summedUp(sanitised.refusals);
  const head = await git.commit({
    parents: [main, tip],
    ...(merge.tree === undefined ? {} : { tree: merge.tree }),
    edits: [...merge.edits, ...(await refusalEvents(context, merge.tree ?? main, refusals))],
    message: integrationMessage([delta], refusals),
    author,
    at: seconds(clock),
  });
  return { head, refusals, conflicts: merge.conflicts };
}

/** Merges what is taken of a lane with what main has done at the same paths meanwhile. */
async function mergeLane(
  { git, author }: SyncContext,
  base: CommonBase,
  { lane, localpart, main }: LaneDelta,
  { edits, assigneeOf }: Sanitised,
): Promise<Merge> {
  const virtual = await git.commit({ parents: [base.commit], edits, message: `${lane}\n`, author, at: 0 });
  const worker = { localpart, role: 'worker' } as const;
  return mergeOn(git, base, virtual, main, {
    ownerOf: (path) => (mayWrite(worker, path, assigneeOf).allowed ? 'local' : 'remote'),
    leaderSide: 'remote',
    agent: localpart,
  });
}

function summedUp(refusals: readonly LaneRefusal[]): readonly LaneRefusal[] {
  const [first] = refusals;
  if (first === undefined || refusals.length <= MOST_REFUSALS) return refusals;
  const more = refusals.length - MOST_REFUSALS;
  return [
    ...refusals.slice(0, MOST_REFUSALS),
    { ...first, path: first.lane, detail: `and ${more} more paths of this lane` },
  ];
}

/** What events are appended to in a tree, and what it holds. */
async function logIn(
  git: SyncContext['git'],
  tree: ObjectId,
  dir: string,
  writer: string,
): Promise<{ readonly path: string; readonly text: string }> {
  const [names = []] = await git.list([`${tree}:${dir.slice(0, -1)}`]);
  const files = names.flatMap(({ name, isDirectory }) => (isDirectory ? [] : [name]));
  const newest = newestPart(files, writer);
  const [before] = await git.read([`${tree}:${eventLogIn(dir, writer, newest)}`]);
  const { part, text } = goingOn({ part: newest, text: before === undefined ? '' : (decode(before) ?? '') });
  return { path: eventLogIn(dir, writer, part), text };
}

/** Refusals are events of the node that refused, in the same commit (architecture.md, "Lanes"). */
async function refusalEvents(
  { git, clock, writer, localpart }: SyncContext,
  tree: ObjectId,
  refusals: readonly LaneRefusal[],
): Promise<readonly TreeEdit[]> {
  if (refusals.length === 0) return [];
  const ts = clock.now();
  const { path, text } = await logIn(git, tree, eventsDir(ts), writer);
  const lines = refusals.map((refusal) => {
    const { lane, path: refused, reason, detail, commit } = refusal;
    return renderEventLine({
      id: clock.id(),
      ts,
      type: 'lane.refused',
      actor: { id: localpart, role: 'leader' },
      action: 'integrate',
      subject: { kind: 'lane', id: lane },
      note: `${refused}: ${reason} (${detail})`,
      data: { worker: refusal.localpart, path: refused, reason, detail, commit },
    }).replace(/\n*$/, '\n');
  });
  const opening = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return [{ path, kind: 'content', mode: '100644', content: Buffer.from(opening + lines.join(''), 'utf8') }];
}
