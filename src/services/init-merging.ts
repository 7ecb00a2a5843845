import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from '../ports-git.ts';
import { FILE_MODE } from '../ports-git.ts';
import { writeAtomically } from '../workspace/atomic.ts';
import { MERGE_RULE } from '../workspace/init.ts';
import type { InitPlan } from './init-start.ts';
import { RENAME_SETTINGS, driverSettings } from './merge-wiring.ts';

const ATTRIBUTES = '.gitattributes';

interface Wiring extends Pick<InitPlan, 'dir' | 'git' | 'launcher'> {
  /** The team's branch, and the one that is checked out here. */
  readonly branch: string;
  readonly own: string;
  readonly remote: string | undefined;
  /** Whether the repository holds nothing but the team. */
  readonly ownRepository: boolean;
}

/**
 * Sets what makes a person's own git pull and merge as Baton does, in this clone only. A repository that holds code as well
 * keeps its way of finding renames. What somebody has chosen otherwise stays. Returns whether anything was new.
 */
export async function wireMerging({ dir, git, launcher, branch, own, remote, ownRepository }: Wiring) {
  const wanted: (readonly [string, string])[] = [];
  for (const entry of driverSettings(launcher)) if ((await git.setting(dir, entry[0])) !== entry[1]) wanted.push(entry);
  const isOrigin = remote !== undefined && (await git.origin(dir)) === remote;
  const choices = [
    ...(ownRepository ? RENAME_SETTINGS : []),
    ...(isOrigin ? pullSettings(own, branch) : []),
    ...(isOrigin && ownRepository ? PUSH_SETTINGS : []),
  ];
  for (const entry of choices) if ((await git.setting(dir, entry[0])) === undefined) wanted.push(entry);
  for (const [key, value] of wanted) await git.set(dir, key, value);
  return wanted.length > 0;
}

/** A plain `git push` on a lane is one of the lane: git would advise to push it to the branch that is pulled. */
const PUSH_SETTINGS: readonly (readonly [key: string, value: string])[] = [['push.default', 'current']];

/** A plain `git pull` brings the team's branch, also on a lane, and merges it. */
const pullSettings = (own: string, branch: string): readonly (readonly [key: string, value: string])[] => [
  [`branch.${own}.remote`, 'origin'],
  [`branch.${own}.merge`, `refs/heads/${branch}`],
  [`branch.${own}.rebase`, 'false'],
];

type Publishing = Pick<InitPlan, 'dir' | 'git' | 'branch'> & {
  readonly remote: string | undefined;
  readonly localpart: string;
};

const MOST_ATTEMPTS = 5;

/**
 * Adds the merge rule to a team that was made without it. Returns a sentence on what was done, or `undefined` when the
 * rule is there. A team that cannot be reached, or that refuses it, is told of and no failure.
 */
export async function publishMergeRule({ dir, git, branch, remote, localpart }: Publishing) {
  using repository = await git.open(dir);
  const author = (await git.author()) ?? { name: localpart, email: `${localpart}@local` };
  const ref = `refs/heads/${branch}`;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const local = (await repository.facts()).refs.get(ref);
    if (local === undefined || hasRule(await attributesOf(repository, local))) return undefined;
    let tip = local;
    if (remote !== undefined) {
      const fetched = await repository.fetch(remote, [branch]);
      if (fetched.kind !== 'ok') return byHand(`the remote does not answer: ${fetched.detail}`);
      tip = fetched.refs.get(ref) ?? local;
    }
    const before = await attributesOf(repository, tip);
    if (hasRule(before)) return undefined;
    const opening = before === '' || before.endsWith('\n') ? before : `${before}\n`;
    const content = Buffer.from(`${opening}${MERGE_RULE}\n`);
    const commit = await repository.commit({
      parents: [tip],
      edits: [{ path: ATTRIBUTES, kind: 'content', mode: FILE_MODE, content }],
      message: 'Merge plans and records by the rules of Baton\n',
      author,
      at: Math.trunc(Date.now() / 1000),
    });
    if (remote !== undefined) {
      const pushed = await repository.push(remote, branch, commit);
      if (pushed.kind === 'behind') continue;
      if (pushed.kind !== 'ok') return byHand(pushed.detail);
      return `Added "${MERGE_RULE}" to ${ATTRIBUTES} on ${branch}; every clone gets it with its next pull.`;
    }
    if (!(await repository.updateRefs([{ ref, next: commit, previous: tip }]))) continue;
    await place(repository, dir, { commit, before, content });
    return `Added "${MERGE_RULE}" to ${ATTRIBUTES} on ${branch}.`;
  }
  return byHand('others were faster');
}

const byHand = (why: string): string =>
  `${ATTRIBUTES} could not be completed (${why}); run this again, or add "${MERGE_RULE}" to it yourself.`;

const hasRule = (text: string): boolean => text.split(/\r?\n/).includes(MERGE_RULE);

async function attributesOf(repository: Git, commit: string): Promise<string> {
  const [bytes] = await repository.read([`${commit}:${ATTRIBUTES}`]);
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
}

/** In a workspace without a remote nobody else brings the file; what a person has changed in it stays. */
async function place(
  repository: Git,
  dir: string,
  { commit, before, content }: { readonly commit: string; readonly before: string; readonly content: Uint8Array },
): Promise<void> {
  const file = join(dir, ATTRIBUTES);
  if ((existsSync(file) ? readFileSync(file, 'utf8') : '') === before) writeAtomically(file, content);
  await repository.stage(await repository.entries(commit, ATTRIBUTES));
}
