import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CONFIG_FILE, LOCAL_SERVER } from '../config.ts';
import { FlowError } from '../protocol/errors.ts';
import { isUserId, localpartOf, sameLocalpart } from '../protocol/identity.ts';
import { slugOf } from '../protocol/ids.ts';
import { TEAM_PATH, laneOf, localpartOfLane } from '../protocol/paths.ts';
import type { Role } from '../protocol/records/types.ts';
import { stampOf } from '../protocol/timestamps.ts';
import { hasLane, parseRole } from '../protocol/roles.ts';
import { FILE_MODE } from '../ports-git.ts';
import type { Author, Git, ObjectId, RemoteFailure } from '../ports-git.ts';
import { teamFiles } from '../workspace/init.ts';
import type { Launcher } from './merge-wiring.ts';

export interface InitRequest {
  /** Absolute; made when absent. */
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly role?: string;
  /** Localpart or full Matrix id of the one who acts here. */
  readonly as?: string;
  /** URL or absolute path. */
  readonly remote?: string;
  readonly team?: string;
  /** Keeps Baton's branches inside the code repository that holds `dir`. */
  readonly inRepo?: boolean;
  readonly samples?: boolean;
  /** Leaves others' tasks out of a Worker's work tree. */
  readonly sparse?: boolean;
}

/** What making a workspace asks of git; fulfilled by the git adapter. */
export interface SetupGit {
  open(dir: string): Promise<Git>;
  initRepository(dir: string, branch: string): Promise<void>;
  initBare(path: string, branch: string): Promise<void>;
  /** The root of the work tree that holds `dir`; `undefined` outside every repository. */
  topLevel(dir: string): Promise<string | undefined>;
  /** Where the remote `origin` of a repository is; `undefined` when it has none. */
  origin(dir: string): Promise<string | undefined>;
  addRemote(dir: string, name: string, url: string): Promise<void>;
  /** Under which name the person commits with plain git. */
  author(): Promise<Author | undefined>;
  /** Puts `commit` on `branch` and its files into `dir`. Names the files that are in the way; then nothing changed. */
  checkOut(dir: string, branch: string, commit: ObjectId): Promise<readonly string[]>;
  /** From the next checkout on the work tree leaves out the folders of tasks, all but these, and the archive. */
  makeSparse(dir: string, folders: readonly string[]): Promise<void>;
  /** Checks out a branch of `repository` in a folder of its own. */
  addWorktree(repository: string, dir: string, branch: string): Promise<void>;
  /** The clone's own setting of a key of git's configuration; `undefined` when it has none. */
  setting(dir: string, key: string): Promise<string | undefined>;
  set(dir: string, key: string, value: string): Promise<void>;
  /** The absolute path of the clone's own list of ignored files. */
  excludeFile(dir: string): Promise<string>;
}

export interface InitPlan extends InitRequest {
  /** What a person's git starts to merge. */
  readonly launcher: Launcher;
  readonly branch: string;
  readonly lanePrefix: string;
  readonly git: SetupGit;
  readonly notes: string[];
}

export interface Start {
  readonly branch: string;
  readonly commit: ObjectId;
  readonly who: Who;
  /** Paths of the first commit, when it was made now. */
  readonly made: readonly string[];
}

/** The commit that the workspace starts from: the team's, or the first one of a new team. */
export async function begin(repository: Git, plan: InitPlan, remote: string | undefined): Promise<Start> {
  const { branch, lanePrefix } = plan;
  for (;;) {
    const { refs } = await repository.facts();
    const fetched = remote === undefined ? undefined : await fetchTeam(repository, remote, plan);
    const published = fetched?.get(`refs/heads/${branch}`);
    const main = refs.get(`refs/heads/${branch}`) ?? published;
    const who = whoActs(plan, main !== undefined);
    if (main === undefined || (remote !== undefined && published === undefined)) {
      const first = await firstCommit(repository, plan, who, main);
      if (remote !== undefined && (await publish(repository, remote, branch, first.commit)) === 'behind') continue;
      return { branch, who, ...first };
    }
    await requireTeam(repository, main, plan);
    if (!hasLane(who.role)) {
      plan.notes.push(`Joined the team as ${who.role} ${who.localpart}, on branch ${branch}.`);
      return { branch, commit: main, who, made: [] };
    }
    const lane = laneOf(lanePrefix, who.localpart);
    refuseTwin(who, lanePrefix, [...refs.keys(), ...(fetched?.keys() ?? [])]);
    const known = refs.get(`refs/heads/${lane}`) ?? fetched?.get(`refs/heads/${lane}`);
    await joinOnLane(repository, remote, { lane, known, main, who, notes: plan.notes });
    return { branch: lane, commit: known ?? main, who, made: [] };
  }
}

/** Names are compared without case, and so are files and branches by some file systems. */
function refuseTwin({ localpart }: Who, lanePrefix: string, refs: readonly string[]): void {
  const lanes = refs.flatMap((ref) => localpartOfLane(lanePrefix, ref) ?? []);
  const twin = lanes.find((other) => other !== localpart && sameLocalpart(other, localpart));
  if (twin === undefined) return;
  throw new FlowError('already-exists', `${twin} has a lane already, and ${localpart} differs only by letter case`, {
    remedy: `join as ${twin}, or under another name`,
  });
}

interface Joining {
  readonly lane: string;
  /** Where the lane is, if there is one. */
  readonly known: ObjectId | undefined;
  readonly main: ObjectId;
  readonly who: Who;
  readonly notes: string[];
}

/** A lane that holds nothing yet shows the team who works in it; whatever is in its way, the first step publishes it too. */
async function joinOnLane(
  repository: Git,
  remote: string | undefined,
  { lane, known, main, who, notes }: Joining,
): Promise<void> {
  if (known !== undefined) {
    notes.push(`${who.localpart} had a lane already; this clone goes on with ${lane}. Only one clone may write it.`);
    return;
  }
  notes.push(`Joined the team as ${who.role} ${who.localpart}, on a lane of its own: ${lane}.`);
  const outcome = remote === undefined ? { kind: 'ok' } : await repository.push(remote, lane, main);
  if (outcome.kind === 'ok') return;
  notes.push(`The lane is not on the remote yet (${outcome.kind}): it goes there with the first step.`);
}

async function firstCommit(
  repository: Git,
  plan: InitPlan,
  who: Who,
  local: ObjectId | undefined,
): Promise<{ readonly commit: ObjectId; readonly made: readonly string[] }> {
  // A team that was begun here before it had a remote is published as it is.
  if (local !== undefined) return { commit: local, made: [] };
  const { dir, git, samples, team } = plan;
  if (hasLane(who.role)) {
    throw new FlowError('bad-workspace', 'there is no team to join yet', {
      remedy: "make the Leader's workspace first: baton init DIR --role leader --remote …",
    });
  }
  const at = Date.now();
  const files = teamFiles({
    team: team ?? slugOf(basename(plan.inRepo === true ? dirname(dir) : dir)),
    ...(who.role === 'leader' ? { leader: who } : {}),
    ...(samples === undefined ? {} : { samples }),
    now: stampOf(at),
  });
  // What a person has in the folder stays theirs, and uncommitted.
  const added = [...files].filter(([path]) => !existsSync(join(dir, path)));
  const commit = await repository.commit({
    parents: [],
    edits: added.map(([path, text]) => ({ path, kind: 'content', mode: FILE_MODE, content: Buffer.from(text) })),
    message: 'Begin the team\n',
    author: (await git.author()) ?? { name: who.localpart, email: `${who.localpart}@${serverOf(who)}` },
    at: Math.trunc(at / 1000),
  });
  plan.notes.push(`Made a new team; ${who.localpart} leads it.`);
  return { commit, made: added.map(([path]) => path) };
}

interface Who {
  readonly localpart: string;
  readonly matrixUserId?: string;
  readonly role: Role;
}

/** Nothing is asked: who begins a team leads it, who joins one works in it, under the name of the folder. */
function whoActs({ role: wanted, as, dir }: InitPlan, joining: boolean): Who {
  const role = wanted === undefined ? (joining ? 'worker' : 'leader') : parseRole(wanted);
  if (role === undefined) {
    throw new FlowError('invalid-argument', `unknown role: ${wanted ?? ''}`, {
      remedy: 'give --role leader or worker',
    });
  }
  const name = as ?? (hasLane(role) ? slugOf(basename(dir)) : 'lead');
  const localpart = localpartOf(name);
  const full = name.includes(':') ? name.trim() : undefined;
  if (/\s/.test(name.trim()) || !isUserId(full ?? `@${localpart}:${LOCAL_SERVER}`)) {
    throw new FlowError('invalid-argument', `--as names nobody: ${name}`, {
      remedy: 'give a name such as ana, or a full Matrix id such as @ana:hs.domain',
    });
  }
  return { localpart, role, ...(full === undefined ? {} : { matrixUserId: full }) };
}

function serverOf({ matrixUserId }: Who): string {
  return matrixUserId?.slice(matrixUserId.indexOf(':') + 1) ?? LOCAL_SERVER;
}

async function fetchTeam(repository: Git, remote: string, plan: InitPlan): Promise<ReadonlyMap<string, ObjectId>> {
  const outcome = await repository.fetch(remote, [plan.branch, `${plan.lanePrefix}*`]);
  if (outcome.kind === 'ok') return outcome.refs;
  throw remoteProblem(outcome);
}

function remoteProblem({ kind, detail }: RemoteFailure): FlowError {
  return kind === 'missing'
    ? new FlowError('bad-config', `there is no repository at the remote: ${detail}`, {
        remedy: 'check the address; a path that does not exist becomes a new repository',
      })
    : new FlowError('sync-failed', `the remote cannot be reached: ${detail}`, {
        remedy: 'check the address and the network, then try again',
      });
}

async function publish(repository: Git, remote: string, branch: string, commit: ObjectId): Promise<'ok' | 'behind'> {
  const outcome = await repository.push(remote, branch, commit);
  if (outcome.kind === 'ok' || outcome.kind === 'behind') return outcome.kind;
  if (outcome.kind !== 'denied') throw remoteProblem(outcome);
  throw new FlowError('sync-failed', `the remote refuses the team's first commit: ${outcome.detail}`, {
    remedy: `make sure that you may push to its branch ${branch}`,
    retryable: false,
  });
}

async function requireTeam(repository: Git, main: ObjectId, { branch }: InitPlan): Promise<void> {
  for (const path of [CONFIG_FILE, '.baton']) {
    if ((await repository.entries(main, path)).length === 0) continue;
    throw new FlowError('bad-workspace', `branch ${branch} holds ${path}, which belongs to a single clone`, {
      remedy: `remove it from the branch first: git rm -r --cached ${path}, commit and push`,
    });
  }
  if ((await repository.entries(main, TEAM_PATH)).length > 0) return;
  throw new FlowError('bad-workspace', `branch ${branch} holds no team: there is no ${TEAM_PATH} in it`, {
    remedy: 'give a remote that is empty or holds a team; use --in-repo for a repository with code',
  });
}
