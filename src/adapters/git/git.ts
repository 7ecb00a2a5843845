import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FlowError } from '../../protocol/errors.ts';
import type { Log } from '../../ports.ts';
import type { Git, ObjectId } from '../../ports-git.ts';
import { createAside } from './aside.ts';
import { createChecks, configsOf } from './checks.ts';
import { importUserConfig, isolatedEnvironment } from './environment.ts';
import { writeCommit } from './commit.ts';
import { between, commonAncestors, countBetween, reaches } from './graph.ts';
import { createList } from './list-names.ts';
import { readBrought } from './brought.ts';
import { LARGEST_COMMIT, createLookup } from './lookup.ts';
import { mergeTrees } from './merge-trees.ts';
import { createObjects, listTree } from './objects.ts';
import { createOwnRef } from './own-ref.ts';
import {
  createMirror,
  createReadRefs,
  createRefUpdater,
  createStand,
  dropBroken,
  readFacts,
  seedTracking,
} from './refs.ts';
import { createRemoteTalk } from './remote.ts';
import { ask, demand, ordinary, plumb } from './run.ts';
import type { GitPlace, OrdinaryOptions } from './run.ts';
import { revealFolders } from './sparse.ts';
import { createStage } from './stage.ts';
import { createStillness } from './stillness.ts';
import { diffTrees } from './tree-diff.ts';

export interface GitOptions {
  /** The work tree's root. */
  readonly dir: string;
  /** Defaults to the process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Bounds on one call that goes over the network. */
  readonly network?: OrdinaryOptions;
  /** Is told of what git did in the place of Baton. */
  readonly log?: Pick<Log, 'info'>;
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
  const closing = new AbortController();
  // Every session listens, and there are more of them than Node expects.
  setMaxListeners(0, closing.signal);
  const clone: GitPlace = {
    closing: closing.signal,
    cwd: found.root,
    env: { ...env, GIT_DIR: found.gitDir, GIT_WORK_TREE: found.root },
  };
  const own = join(found.gitDir, 'baton');
  const objects: GitPlace = {
    closing: closing.signal,
    cwd: found.gitDir,
    env: { ...env, GIT_DIR: own, GIT_OBJECT_DIRECTORY: found.objects },
  };
  // A relative path to a remote is meant from the workspace.
  const atRoot: GitPlace = { ...objects, cwd: found.root };
  if (!existsSync(join(own, 'HEAD'))) {
    await demand({ cwd: found.gitDir, env }, ['init', '--bare', '--template=', `--object-format=${found.format}`, own]);
  }
  // Writing an index, git compares files that changed in the same moment, through the filters that the clone names: so
  // it is shown a work tree in which there are none.
  const nothing = join(own, 'empty');
  mkdirSync(nothing, { recursive: true });
  const index: GitPlace = { cwd: found.gitDir, env: { ...clone.env, GIT_WORK_TREE: nothing } };
  const idLength = found.format === 'sha256' ? 64 : 40;
  const store = createObjects(objects, found.objects, idLength);
  const stillness = createStillness(found.gitDir);
  const { lookup } = store;
  const cloneLookup = createLookup(clone);
  await seedTracking(clone, objects, lookup);
  const network = { quiet: 60_000, total: 300_000, ...options.network };
  const updateRefs = createRefUpdater(clone, cloneLookup, ['--create-reflog', '-m', 'baton']);
  const readRefs = createReadRefs(found.gitDir, found.objects, cloneLookup);
  const mirror = createMirror(readRefs, updateRefs);
  const aside = createAside((error) =>
    options.log?.info(
      { error: String(error) },
      'what was fetched is not noted in the refs yet; the next push or fetch does it',
    ),
  );
  /** What was fetched, until the refs of the clone show it. */
  let unnoted: ReadonlyMap<string, ObjectId> | undefined;
  const noteFetched = async (): Promise<void> => {
    const refs = unnoted;
    if (refs === undefined) return;
    await mirror(refs);
    if (unnoted === refs) unnoted = undefined;
  };
  const talk = createRemoteTalk(atRoot, store, {
    limits: network,
    checks: createChecks(clone, configsOf(found.gitDir, dirname(found.objects))),
    aside,
    log: options.log,
  });
  const noteAttempt = createOwnRef(found, ATTEMPT_REF, createRefUpdater(clone, cloneLookup));

  return {
    root: found.root,
    idLength,
    facts: () => readFacts(clone, found.gitDir),
    stand: createStand(clone, found.gitDir, readRefs),
    async updateRefs(updates) {
      await aside.done();
      return updateRefs(updates);
    },
    isBusy: stillness.isBusy,
    standing: stillness.standing,
    stage: createStage(
      index,
      { file: join(found.gitDir, 'index'), objects: found.objects, idBytes: idLength / 2 },
      stillness.noteOwn,
    ),
    reveal: (folders) => revealFolders(found.gitDir, folders),
    read: store.read,
    sizes: store.sizes,
    resolve: store.resolve,
    list: createList(store),
    entries: (tree, path) => listTree(objects, store, tree, path),
    diff: (before, after, limits = {}) => diffTrees(store, before, after, limits),
    async commit(draft) {
      const commit = await writeCommit(store, draft);
      if (draft.attempt === true) await noteAttempt(commit);
      return commit;
    },
    merge: (ours, theirs, base) => mergeTrees(objects, store, ours, theirs, base),
    mergeText: (base, ours, theirs) => mergeText({ cwd: found.gitDir, env }, base, ours, theirs),
    async mergeBases(left, right) {
      const bases = await commonAncestors(store.readCommits, left, right);
      if (bases !== undefined) return bases;
      const text = await ask(objects, ['merge-base', '--all', left, right], { codes: [0, 1] });
      return text === '' ? [] : text.split('\n');
    },
    async isAncestor(ancestor, descendant) {
      if (ancestor === descendant) return true;
      const reached = await reaches(store.readCommits, descendant, ancestor);
      if (reached !== undefined) return reached;
      const { code } = await plumb(objects, ['merge-base', '--is-ancestor', ancestor, descendant], { codes: [0, 1] });
      return code === 0;
    },
    async count(of, without, { merges = true } = {}) {
      const counted = await countBetween(store.readCommits, of, without, { merges });
      if (counted !== undefined) return counted;
      const flags = merges ? [] : ['--no-merges'];
      return Number(await ask(objects, ['rev-list', '--count', ...flags, ...of, ...without.map((id) => `^${id}`)]));
    },
    async tooLarge(of, without) {
      const walked = await between(store.readCommits, [of], [without]);
      if (walked !== undefined) return walked.find(([, { isTooLarge }]) => isTooLarge === true)?.[0];
      const ids = (await ask(objects, ['rev-list', of, `^${without}`])).split('\n');
      const sizes = await store.sizes(ids);
      return ids.find((_, at) => (sizes[at] ?? 0) > LARGEST_COMMIT);
    },
    brought: (of, without) => readBrought(objects, of, without),
    async describe(commit) {
      const [author = '', subject = ''] = (await ask(objects, ['log', '-1', '--format=%an <%ae>%n%s', commit])).split(
        '\n',
      );
      return { author, subject };
    },
    attempted: async () => (await readRefs([ATTEMPT_REF]))[0],
    async fetch(remote, branches, { notes } = {}) {
      await aside.done();
      let outcome = await talk.fetch(remote, branches);
      const isBroken = outcome.kind === 'unreachable' && /bad object|necessary objects/i.test(outcome.detail);
      if (isBroken && (await dropBroken(objects, lookup))) outcome = await talk.fetch(remote, branches);
      if (outcome.kind === 'ok') unnoted = outcome.refs;
      if (notes === 'aside') aside.begin(noteFetched);
      else await Promise.all([noteFetched(), aside.done()]);
      return outcome;
    },
    noted: () => aside.done(),
    glance: (remote, branches) => talk.glance(remote, branches),
    async push(remote, branch, commit) {
      await aside.done();
      // Where that cannot be done now either, it is told while nothing of this push is published.
      await noteFetched();
      return talk.push(remote, branch, commit);
    },
    [Symbol.dispose]: () => closing.abort(),
  };
}

/**
 * What was about to be published; see `Git.attempted`. It is a ref of the clone, so that nobody who collects garbage
 * there takes it, and none below `refs/baton/`, which name what is to be finished.
 */
const ATTEMPT_REF = 'refs/baton-attempt/last';

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
    '--path-format=absolute',
    '--absolute-git-dir',
    '--git-path',
    'objects',
    // Last, since a repository without a work tree ends the answer here.
    '--show-toplevel',
  ]);
  const lines = asked.stdout.toString('utf8').split('\n');
  const [bare, shallow, format = 'sha1', gitDir = '', objects = '', root = ''] = lines;
  if (bare === 'true')
    refuse('this is a bare git repository: it has no work tree', 'clone it with `baton init DIR --remote PATH`');
  if (asked.code !== 0) {
    return asked.stderr.includes('dubious ownership')
      ? refuse(
          'the workspace belongs to another user of this machine, so git refuses it',
          'run Baton as its owner, or trust it: git config --global --add safe.directory <folder>',
        )
      : refuse('this folder is not a git repository', 'run `baton init` here');
  }
  if (shallow === 'true') refuse('this clone is shallow, so merges cannot be made', 'run `git fetch --unshallow`');
  // Paths are relative to the repository: here they would name files of the one around, and commit to its branches.
  if (realpathSync(root) !== realpathSync(place.cwd))
    refuse('this folder is not a git repository of its own, but lies inside another one', 'run `baton init` here');
  return { root, gitDir, objects, format };
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
