import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, rmdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CONFIG_FILE, LOCAL_SERVER, loadConfig } from '../config.ts';
import { FlowError } from '../protocol/errors.ts';
import { localpartOf } from '../protocol/identity.ts';
import { TEAM_PATH, laneOf } from '../protocol/paths.ts';
import { hasLane, parseRole } from '../protocol/roles.ts';
import type { Git } from '../ports-git.ts';
import { writeAtomically } from '../workspace/atomic.ts';
import { IGNORED, configFile } from '../workspace/init.ts';
import { beginSparse, refuseSparse } from './init-sparse.ts';
import { begin } from './init-start.ts';
import { publishMergeRule, wireMerging } from './init-merging.ts';
import type { InitPlan, InitRequest, SetupGit, Start } from './init-start.ts';
import type { Launcher } from './merge-wiring.ts';

export type { InitRequest };

export interface InitOutcome {
  readonly root: string;
  /** Workspace-relative paths that were made; empty when everything was there. */
  readonly created: readonly string[];
  /** Sentences for a person. */
  readonly notes: readonly string[];
}

/** The branches of a workspace: of its own repository, or beside the code of another. */
const OWN = { branch: 'main', lanePrefix: 'lanes/' };
const IN_REPO = { branch: 'baton/main', lanePrefix: 'baton/lanes/' };
const IN_REPO_FOLDER = '.baton-workspace';

/**
 * `baton init` (interface.md §3): makes a workspace, or joins a team, without asking anything. `baton.json` is written
 * last, so what was broken off is completed by the next run; a finished workspace is left as it is, and one whose
 * repository is gone gets it back as its `baton.json` says.
 * Throws `FlowError` (`invalid-argument`, `bad-workspace`, `bad-config`, `sync-failed`, `git-failed`).
 */
export async function initWorkspace(request: InitRequest, git: SetupGit, launcher: Launcher): Promise<InitOutcome> {
  const inRepo = request.inRepo === true;
  refuseSparse(request);
  const repository = inRepo ? await codeRepository(request.dir, git) : undefined;
  const dir = repository === undefined ? request.dir : worktreeFolder(request.dir, repository);
  if (existsSync(join(dir, CONFIG_FILE)) && (inRepo || (await hasCommit(dir, git))))
    return unchanged({ ...request, ...OWN, dir: realpathSync(dir), git, launcher, notes: [] });

  const plan: InitPlan = {
    ...request,
    ...(inRepo ? IN_REPO : OWN),
    ...configured(dir, request),
    dir,
    git,
    launcher,
    notes: [],
  };
  const undo: (() => void)[] = [];
  try {
    return repository === undefined ? await ownRepository(plan, undo) : await besideCode(plan, repository);
  } catch (error) {
    for (const step of undo.toReversed()) step();
    throw error;
  }
}

/** Whether the folder is a repository of its own in which something was committed. */
async function hasCommit(dir: string, git: SetupGit): Promise<boolean> {
  if (!existsSync(join(dir, '.git'))) return false;
  using repository = await git.open(realpathSync(dir));
  const { refs } = await repository.facts();
  return [...refs.keys()].some((ref) => ref.startsWith('refs/heads/'));
}

/** A workspace that lost its repository, or never had one, is made good as its `baton.json` says. */
function configured(dir: string, { env }: InitRequest): Partial<InitPlan> {
  if (!existsSync(join(dir, CONFIG_FILE))) return {};
  const { identity, git } = loadConfig(dir, env);
  const { localpart, matrixUserId, role } = identity;
  return {
    role,
    as: matrixUserId === `@${localpart}:${LOCAL_SERVER}` ? localpart : matrixUserId,
    branch: git.branch,
    lanePrefix: git.lanePrefix,
    ...(git.remote === undefined ? {} : { remote: git.remote }),
    sparse: git.sparse,
  };
}

/** Only how a person's git merges is brought up to date: by this installation, and in a team that has no rule for it. */
async function unchanged(plan: InitPlan): Promise<InitOutcome> {
  const { dir: root, env, role, as, remote, git, launcher } = plan;
  const { identity, git: settings } = loadConfig(root, env);
  const asked = [
    ...(role === undefined || parseRole(role) === identity.role ? [] : ['--role']),
    ...(as === undefined || localpartOf(as) === identity.localpart ? [] : ['--as']),
    ...(remote === undefined || remote === settings.remote ? [] : ['--remote']),
  ];
  const { localpart } = identity;
  const { branch, lanePrefix } = settings;
  const wired = await wireMerging({
    dir: root,
    git,
    launcher,
    branch,
    own: hasLane(identity.role) ? laneOf(lanePrefix, identity.localpart) : branch,
    remote: settings.remote,
    ownRepository: branch === OWN.branch,
  });
  const rule = hasLane(identity.role)
    ? undefined
    : await publishMergeRule({ dir: root, git, branch: settings.branch, remote: settings.remote, localpart });
  const whose = `This is ${localpart}'s workspace already (${identity.role})`;
  const notes = [
    wired || rule !== undefined ? `${whose}.` : `${whose}; nothing was changed.`,
    ...(wired ? ['Your own git merges plans and records by the rules of this Baton now.'] : []),
    ...(rule === undefined ? [] : [rule]),
  ];
  if (asked.length > 0) notes.push(`${asked.join(', ')} would change it: edit ${CONFIG_FILE}, or name another folder.`);
  return { root, created: [], notes };
}

/** A repository of its own in `dir`: new, or one that holds a team already. */
async function ownRepository(plan: InitPlan, undo: (() => void)[]): Promise<InitOutcome> {
  const { git, dir, branch } = plan;
  const isNew = !existsSync(join(dir, '.git'));
  const remote = await remoteFor(plan, isNew);
  if (isNew) {
    const made = mkdirSync(dir, { recursive: true });
    if (made !== undefined) undo.push(() => removeEmpty(dir, made));
    undo.push(() => rmSync(join(dir, '.git'), { recursive: true, force: true }));
    await git.initRepository(dir, branch);
  }
  const root = realpathSync(dir);
  using repository = await git.open(root);
  if (!isNew) await refuseCode(repository, plan);
  const start = await begin(repository, { ...plan, dir: root }, remote);
  if (plan.sparse === true) await beginSparse(git, repository, root, start);
  const inTheWay = await git.checkOut(root, start.branch, start.commit);
  if (inTheWay.length > 0) {
    throw new FlowError('bad-workspace', `files of the team are in the folder already: ${inTheWay.join(', ')}`, {
      remedy: 'move them away first, or name an empty or new folder',
    });
  }
  if (remote !== undefined && (await git.origin(root)) === undefined) await git.addRemote(root, 'origin', remote);
  return finish({ ...plan, dir: root }, start, remote);
}

/** A linked worktree beside the code, on branches of Baton's own; the code's branches are not touched. */
async function besideCode(plan: InitPlan, top: string): Promise<InitOutcome> {
  const { git, dir } = plan;
  const remote = await remoteFor(plan, false);
  using repository = await git.open(top);
  const start = await begin(repository, plan, remote);
  const ref = `refs/heads/${start.branch}`;
  if (!(await repository.facts()).refs.has(ref)) {
    await repository.updateRefs([{ ref, next: start.commit, previous: null }]);
  }
  if (!existsSync(join(dir, '.git'))) await git.addWorktree(top, dir, start.branch);
  const folder = relative(top, dir);
  if (!folder.startsWith('..')) await ignoreInClone(git, top, [`/${folder.replaceAll('\\', '/')}/`]);
  plan.notes.push(`Baton keeps to the branches ${plan.branch} and ${plan.lanePrefix}* of this repository.`);
  return finish({ ...plan, dir: realpathSync(dir) }, start, remote);
}

async function finish(
  plan: InitPlan,
  { who, made, branch: own }: Start,
  remote: string | undefined,
): Promise<InitOutcome> {
  const { dir, branch, lanePrefix, git, launcher, notes } = plan;
  const ignored = join(dir, '.gitignore');
  const lines = existsSync(ignored) ? readFileSync(ignored, 'utf8').split(/\r?\n/) : [];
  if (!IGNORED.every((line) => lines.includes(line))) await ignoreInClone(git, dir, IGNORED);
  await wireMerging({ dir, git, launcher, branch, own, remote, ownRepository: plan.inRepo !== true });
  if (existsSync(join(dir, CONFIG_FILE))) return { root: dir, created: ['.git/', ...made].sort(), notes };
  const { localpart, matrixUserId, role } = who;
  const text = configFile({
    localpart,
    ...(matrixUserId === undefined ? {} : { matrixUserId }),
    role,
    ...(remote === undefined ? {} : { remote }),
    branch,
    lanePrefix,
    sparse: plan.sparse === true,
  });
  writeAtomically(join(dir, CONFIG_FILE), Buffer.from(text));
  if (remote === undefined)
    notes.push('It works alone, without a remote; a team shares one: baton init --remote PATH.');
  return { root: dir, created: [CONFIG_FILE, ...made].sort(), notes };
}

/** The remote as given, made when it is a path at which nothing stands; an existing clone goes on with its own. */
async function remoteFor(plan: InitPlan, isNew: boolean): Promise<string | undefined> {
  const { remote, dir, git, branch, role } = plan;
  if (remote === undefined) return isNew || plan.inRepo === true ? undefined : git.origin(dir);
  if (!remote.startsWith('/') || !isAbsentOrEmpty(remote)) return remote;
  const wanted = role === undefined ? 'leader' : parseRole(role);
  if (wanted !== undefined && hasLane(wanted)) {
    throw new FlowError('bad-workspace', `there is no team to join at ${remote}`, {
      remedy: "check the path, or make the Leader's workspace first: baton init DIR --role leader --remote PATH",
    });
  }
  await git.initBare(remote, branch);
  plan.notes.push(`Made the team's repository: ${remote}`);
  return remote;
}

function isAbsentOrEmpty(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Somebody's code is not made into a team by accident. */
async function refuseCode(repository: Git, plan: InitPlan): Promise<void> {
  const [head] = await repository.resolve([await headOf(repository)]);
  if (head === undefined || (await repository.entries(head, TEAM_PATH)).length > 0) return;
  throw new FlowError('bad-workspace', `${plan.dir} is a git repository already, and holds no team`, {
    remedy: 'use --in-repo to keep Baton apart from its code, or name another folder',
  });
}

/** The commit that is checked out, by name; one that cannot be there in an empty repository. */
async function headOf(repository: Git): Promise<string> {
  const { branch, refs } = await repository.facts();
  return (branch === undefined ? undefined : refs.get(`refs/heads/${branch}`)) ?? '0'.repeat(repository.idLength);
}

async function codeRepository(dir: string, git: SetupGit): Promise<string> {
  let existing = dir;
  while (!existsSync(existing)) existing = dirname(existing);
  const top = await git.topLevel(existing);
  if (top !== undefined) return top;
  throw new FlowError('bad-workspace', `${dir} lies in no git repository`, {
    remedy: 'run `baton init --in-repo` inside the code repository, or leave --in-repo out',
  });
}

/** The code's own folders hold its own files, so the workspace gets one of its own among them. */
function worktreeFolder(dir: string, top: string): string {
  const isCode = existsSync(dir) && readdirSync(dir).length > 0 && !existsSync(join(dir, CONFIG_FILE));
  return isCode && !existsSync(join(dir, TEAM_PATH)) ? join(top, IN_REPO_FOLDER) : dir;
}

/** Adds to the clone's own list of ignored files, which is never committed. */
async function ignoreInClone(git: SetupGit, dir: string, lines: readonly string[]): Promise<void> {
  const file = await git.excludeFile(dir);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const known = before.split('\n');
  const missing = lines.filter((line) => !known.includes(line));
  if (missing.length === 0) return;
  const opening = before === '' || before.endsWith('\n') ? before : `${before}\n`;
  writeAtomically(file, Buffer.from(`${opening}${missing.join('\n')}\n`));
}

/** Removes the directories from `dir` up to `made`, the first that was made, as far as they are empty. */
function removeEmpty(dir: string, made: string): void {
  for (let at = dir; at.startsWith(made); at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      return;
    }
  }
}
