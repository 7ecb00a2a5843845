import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FlowError } from '../../protocol/errors.ts';
import type { Git, ObjectId, RefUpdate, RepositoryFacts } from '../../ports-git.ts';
import { importUserConfig, isolatedEnvironment } from './environment.ts';
import { ATTEMPT_REF, diffTrees, listTree, mergeTrees, readObjects, statObjects, writeCommit } from './objects.ts';
import { fetchBranches, pushBranch } from './remote.ts';
import { ask, demand, ordinary, plumb } from './run.ts';
import type { GitPlace, OrdinaryOptions } from './run.ts';

export interface GitOptions {
  /** The work tree's root. */
  readonly dir: string;
  /** Defaults to the process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Bounds on one call that goes over the network. */
  readonly network?: OrdinaryOptions;
}

/**
 * Git on one clone. Objects and the remote are worked through a private bare repository (`.git/baton`) that shares
 * only the object store with the clone: no configuration, attribute, hook or index of the clone is even read. The
 * clone itself is touched only to move refs and to set entries of its index.
 * Throws `bad-workspace` when there is no repository to work on.
 */
export async function createGit(options: GitOptions): Promise<Git> {
  const env = isolatedEnvironment(options.env ?? process.env, await importUserConfig(options.env ?? process.env));
  const found = await locate({ cwd: options.dir, env });
  const clone: GitPlace = {
    cwd: found.root,
    env: { ...env, GIT_DIR: found.gitDir, GIT_WORK_TREE: found.root },
  };
  const own = join(found.gitDir, 'baton');
  const objects: GitPlace = {
    cwd: found.gitDir,
    env: { ...env, GIT_DIR: own, GIT_OBJECT_DIRECTORY: found.objects },
  };
  // A relative path to a remote is meant from the workspace.
  const atRoot: GitPlace = { ...objects, cwd: found.root };
  if (!existsSync(join(own, 'HEAD'))) {
    await demand({ cwd: found.gitDir, env }, ['init', '--bare', '--template=', `--object-format=${found.format}`, own]);
  }
  await seedTracking(clone, objects);
  const network = { quiet: 60_000, total: 300_000, ...options.network };
  const mirror = createMirror(clone);
  const idLength = found.format === 'sha256' ? 64 : 40;

  return {
    root: found.root,
    idLength,
    facts: () => readFacts(clone, found.gitDir),
    updateRefs: (updates) => updateRefs(clone, updates),
    stage: (edits) => {
      const lines = edits.map((edit) =>
        edit.id === undefined ? `0 ${'0'.repeat(idLength)}\t${edit.path}\0` : `${edit.mode} ${edit.id}\t${edit.path}\0`,
      );
      return edits.length === 0 ? Promise.resolve(true) : stage(clone, lines.join(''));
    },
    read: async (names) => (await readObjects(objects, names)).map((object) => object?.content),
    sizes: async (names) => (await statObjects(objects, names)).map((object) => object?.size),
    resolve: async (names) => (await statObjects(objects, names)).map((object) => object?.id),
    entries: (tree, path) => listTree(objects, tree, path),
    diff: (before, after, limits) => diffTrees(objects, before, after, limits),
    commit: (draft) => writeCommit(objects, draft),
    merge: (ours, theirs, base) => mergeTrees(objects, ours, theirs, base),
    mergeText: (base, ours, theirs) => mergeText({ cwd: found.gitDir, env }, base, ours, theirs),
    async mergeBases(left, right) {
      const text = await ask(objects, ['merge-base', '--all', left, right], { codes: [0, 1] });
      return text === '' ? [] : text.split('\n');
    },
    async isAncestor(ancestor, descendant) {
      if (ancestor === descendant) return true;
      const { code } = await plumb(objects, ['merge-base', '--is-ancestor', ancestor, descendant], { codes: [0, 1] });
      return code === 0;
    },
    async count(of, without, { merges = true } = {}) {
      const flags = merges ? [] : ['--no-merges'];
      return Number(await ask(objects, ['rev-list', '--count', ...flags, ...of, ...without.map((id) => `^${id}`)]));
    },
    async describe(commit) {
      const [author = '', subject = ''] = (await ask(objects, ['log', '-1', '--format=%an <%ae>%n%s', commit])).split(
        '\n',
      );
      return { author, subject };
    },
    attempted: async () => (await statObjects(objects, [ATTEMPT_REF]))[0]?.id,
    async fetch(remote, branches) {
      const outcome = await fetchBranches(atRoot, remote, branches, network);
      if (outcome.kind === 'ok') await mirror(outcome.refs);
      return outcome;
    },
    push: (remote, branch, commit) => pushBranch(atRoot, remote, branch, commit, network),
  };
}

interface Location {
  readonly root: string;
  readonly gitDir: string;
  readonly objects: string;
  readonly format: string;
}

function refuse(message: string, remedy: string): never {
  throw new FlowError('bad-workspace', message, { remedy });
}

async function locate(place: GitPlace): Promise<Location> {
  if (!existsSync(place.cwd)) refuse('the workspace folder is not there', 'make a workspace with `baton init`');
  const asked = await ordinary(place, [
    'rev-parse',
    '--is-bare-repository',
    '--is-shallow-repository',
    '--show-object-format',
  ]);
  if (asked.code !== 0) {
    return asked.stderr.includes('dubious ownership')
      ? refuse(
          'the workspace belongs to another user of this machine, so git refuses it',
          'run Baton as its owner, or trust it: git config --global --add safe.directory <folder>',
        )
      : refuse('this folder is not a git repository', 'run `baton init` here');
  }
  const [bare, shallow, format = 'sha1'] = asked.stdout.toString('utf8').trim().split('\n');
  if (bare === 'true')
    refuse('this is a bare git repository: it has no work tree', 'clone it with `baton init DIR --remote PATH`');
  if (shallow === 'true') refuse('this clone is shallow, so merges cannot be made', 'run `git fetch --unshallow`');
  const root = await demand(place, ['rev-parse', '--show-toplevel']);
  // Paths are relative to the repository: here they would name files of the one around, and commit to its branches.
  if (realpathSync(root) !== realpathSync(place.cwd))
    refuse('this folder is not a git repository of its own, but lies inside another one', 'run `baton init` here');
  const gitDir = await demand(place, ['rev-parse', '--absolute-git-dir']);
  const objects = await demand(place, ['rev-parse', '--path-format=absolute', '--git-path', 'objects']);
  return { root, gitDir, objects, format };
}

const OPERATIONS = [
  ['MERGE_HEAD', 'merge'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
] as const;

async function readFacts(clone: GitPlace, gitDir: string): Promise<RepositoryFacts> {
  const format = '--format=%(HEAD)%(objectname) %(refname)';
  const lines = (await ask(clone, ['for-each-ref', format, 'refs/heads/', 'refs/remotes/', 'refs/baton/'])).split('\n');
  const current = lines.find((line) => line.startsWith('*'))?.split(' ')[1];
  // A branch without a commit is not listed.
  const head = current ?? (await ask(clone, ['symbolic-ref', '--quiet', 'HEAD'], { codes: [0, 1] }));
  return {
    branch: head.startsWith('refs/heads/') ? head.slice('refs/heads/'.length) : undefined,
    operation: OPERATIONS.find(([file]) => existsSync(join(gitDir, file)))?.[1],
    refs: parseRefs(lines.map((line) => line.slice(1)).join('\n')),
  };
}

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

async function updateRefs(place: GitPlace, updates: readonly RefUpdate[]): Promise<boolean> {
  if (updates.length === 0) return true;
  const commands = updates.map(({ ref, next, previous }) => {
    if (next === undefined) return `delete ${ref}\0${previous ?? ''}\0`;
    if (previous === null) return `create ${ref}\0${next}\0`;
    return `update ${ref}\0${next}\0${previous ?? ''}\0`;
  });
  for (let attempt = 0; ; attempt += 1) {
    const { code, stderr } = await plumb(place, ['update-ref', '--stdin', '-z', '--create-reflog', '-m', 'baton'], {
      input: commands.join(''),
      codes: [0, 128],
    });
    if (code === 0) return true;
    const lock = /unable to create '([^']+\.lock)': File exists/i.exec(stderr)?.[1];
    const delay = REF_LOCKED[attempt];
    if (lock !== undefined && delay !== undefined) await wait(delay);
    else if (lock !== undefined) throw leftLocked(place, lock);
    else if (MOVED.test(stderr)) return false;
    else {
      throw new FlowError('git-failed', `git update-ref failed: ${stderr.trim().slice(0, 400)}`, {
        remedy: 'run `git fsck` in the workspace',
      });
    }
  }
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

async function stage(clone: GitPlace, input: string): Promise<boolean> {
  const { code, stderr } = await plumb(
    clone,
    ['update-index', '-z', '--add', '--remove', '--replace', '--index-info'],
    {
      input,
      codes: [0, 128],
    },
  );
  if (code === 0) return true;
  if (/index\.lock|unable to (create|write)/i.test(stderr)) return false;
  throw new FlowError('git-failed', `git update-index failed: ${stderr.trim().slice(0, 400)}`, {
    remedy: 'run `git status` in the workspace and mend what it reports',
  });
}

async function trackingRefs(place: GitPlace): Promise<ReadonlyMap<string, ObjectId>> {
  return parseRefs(await ask(place, ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/remotes/origin/']));
}

/** Tells the private repository what the clone already has, so that the first fetch brings only what is new. */
async function seedTracking(clone: GitPlace, objects: GitPlace): Promise<void> {
  const known = await trackingRefs(objects);
  const missing = [...(await trackingRefs(clone))].filter(([ref]) => !known.has(ref) && !ref.endsWith('/HEAD'));
  await updateRefs(
    objects,
    missing.map(([ref, next]) => ({ ref, next })),
  );
}

/** Shows what was fetched to a person's own git, which also keeps it from being collected as garbage. */
function createMirror(clone: GitPlace): (branches: ReadonlyMap<string, ObjectId>) => Promise<void> {
  let last = '';
  return async (branches) => {
    const now = JSON.stringify([...branches]);
    if (now === last) return;
    await mirrorTracking(clone, branches);
    last = now;
  };
}

async function mirrorTracking(clone: GitPlace, branches: ReadonlyMap<string, ObjectId>): Promise<void> {
  const shown = await trackingRefs(clone);
  const updates: RefUpdate[] = [...branches].flatMap(([branch, next]) => {
    const ref = branch.replace('refs/heads/', 'refs/remotes/origin/');
    return shown.get(ref) === next ? [] : [{ ref, next }];
  });
  await updateRefs(clone, updates);
}

async function mergeText(place: GitPlace, base: string, ours: string, theirs: string): Promise<string | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-merge-'));
  try {
    const files = [ours, base, theirs].map((content, index) => {
      const file = join(dir, String(index));
      writeFileSync(file, content);
      return file;
    });
    const result = await plumb(place, ['merge-file', '-p', '-q', ...files], {
      codes: Array.from({ length: 256 }, (_, code) => code),
    });
    return result.code === 0 ? result.stdout.toString('utf8') : undefined;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
