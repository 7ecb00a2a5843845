import { mayWrite } from '../protocol/ownership.ts';
import { localpartOfLane } from '../protocol/paths.ts';
import { parsePlan } from '../protocol/plan/parse.ts';
import { renderNodeLine } from '../protocol/plan/render.ts';
import { resolveFile } from './resolve.ts';
import type { Resolution, Side } from './resolve.ts';

/** In whose clone a person merges, and what git tells of the merge. */
export interface PersonalMerge {
  /** The Worker whose clone it is; absent in a Leader's clone, and in one that is nobody's. */
  readonly worker?: string;
  readonly lanePrefix: string;
  /** What git calls the side that is merged in: names of branches, with the remote's or without. */
  readonly theirs: readonly string[];
  /** While a person rebases, `ours` is what was published and `theirs` their own work. */
  readonly rebasing: boolean;
  /** Git merges common ancestors, so that it has one base; nobody speaks for anybody there. */
  readonly ancestors: boolean;
}

/** How the two sides that git calls ours and theirs stand to each other in Baton's words. */
export interface Standing {
  /** Which of git's sides is the local one. */
  readonly local: 'ours' | 'theirs';
  /** The Worker who speaks through the local side; the remote is the Leader's then. */
  readonly worker?: string;
}

/**
 * The same standing that Baton's own merges have (`lanes.ts`, `integrate.ts`, `merge.ts`): a Worker's clone takes in
 * main, a Leader's takes in what was published, and a lane that a person merges by hand is local to main.
 */
export function standingOf({ worker, lanePrefix, theirs, rebasing, ancestors }: PersonalMerge): Standing {
  // Git goes through several ancestors from the oldest, Baton from the newest.
  if (ancestors) return { local: 'theirs' };
  if (worker !== undefined) return { local: rebasing ? 'theirs' : 'ours', worker };
  const lane = theirs.map((name) => workerOf(name, lanePrefix)).find((name) => name !== undefined);
  if (lane !== undefined) return { local: 'theirs', worker: lane };
  return { local: rebasing ? 'theirs' : 'ours' };
}

/** Whose lane a branch is, named as git names branches: `lanes/ana`, `origin/lanes/ana`, `refs/…/lanes/ana`. */
function workerOf(name: string, lanePrefix: string): string | undefined {
  const at = `/${name}`.lastIndexOf(`/${lanePrefix}`);
  return at === -1 ? undefined : localpartOfLane(lanePrefix, name.slice(at));
}

/** One file that both sides changed, as git hands it to a merge driver. */
export interface DriverFile {
  readonly path: string;
  readonly base: Uint8Array;
  readonly local: Uint8Array;
  readonly remote: Uint8Array;
  readonly assigneeOf: (taskId: string) => string | undefined;
}

/** What Baton's own merge of the same two commits would make of the file (architecture.md, "Resolution"). */
export function resolveForPerson({ path, assigneeOf, ...sides }: DriverFile, { worker }: Standing): Resolution {
  if (worker === undefined) return resolveFile({ path, ...sides, owner: undefined, leaderSide: undefined });
  const { allowed } = mayWrite({ localpart: worker, role: 'worker' }, path, assigneeOf);
  const owner: Side = allowed ? 'local' : 'remote';
  return resolveFile({ path, ...sides, owner, leaderSide: 'remote' });
}

/**
 * The two texts between which a person has to decide, where only a part of a plan is in conflict: both hold what the
 * rules have merged. `undefined` where the whole file is.
 */
export function textsInConflict(
  { path, ...sides }: DriverFile,
  { worker }: Standing,
): Readonly<Record<Side, string>> | undefined {
  if (worker !== undefined) return undefined;
  const [local, remote] = (['local', 'remote'] as const).map((leaderSide) => {
    const { kind, ...rest } = resolveFile({ path, ...sides, owner: undefined, leaderSide });
    return kind === 'set-aside' && 'text' in rest ? rest.text : undefined;
  });
  if (local === undefined || remote === undefined) return undefined;
  const [ours, theirs] = [local, remote].map((text) => parsePlan(text).nodes.map(renderNodeLine));
  return ours?.join('\n') === theirs?.join('\n') ? { local, remote } : undefined;
}
