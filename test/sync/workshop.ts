import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createGit } from '../../src/adapters/git/git.ts';
import { addRemote, firstCommit, initBare, initRepository } from '../../src/adapters/git/setup.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import type { Committed, Log, Sync, Transaction, WorkTree } from '../../src/ports.ts';
import type { Git } from '../../src/ports-git.ts';
import type { Change } from '../../src/protocol/changes.ts';
import type { Actor } from '../../src/protocol/records/types.ts';
import type { WorkspaceView } from '../../src/protocol/view.ts';
import { createSync } from '../../src/sync/syncer.ts';
import type { SyncOptions } from '../../src/sync/syncer.ts';
import { createSameFiles } from '../../src/workspace/same-files.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { git as plain } from '../support/git.ts';
import { prepared } from '../support/prepared.ts';

export interface Node {
  readonly dir: string;
  readonly actor: Actor;
  readonly sync: Sync;
  readonly git: Git;
  readonly workTree: WorkTree;
  /** What the node logged as a warning or an error. */
  readonly told: string[];
}

export interface Place {
  readonly dir: string;
  readonly role: 'leader' | 'worker';
  readonly localpart: string;
  readonly remote?: string;
}

interface Settled {
  /** By which time stamps of files are old enough to be trusted; absent: none is. */
  readonly millis?: () => number;
  /** What a test does to the parts before the sync gets them; absent: nothing. */
  readonly hand?: (workTree: WorkTree, git: Git) => { readonly workTree: WorkTree; readonly git: Git };
  /** Whether a step is over once its caller is answered, as in the program. */
  readonly hurried?: boolean;
}

export async function openNode(
  { dir, role, localpart, remote }: Place,
  {
    millis,
    hand = (workTree, git) => ({ workTree, git }),
    hurried = false,
    ...more
  }: Partial<Pick<SyncOptions, 'minPush' | 'lastPush' | 'onPushed' | 'clock' | 'same' | 'sparse'>> & Settled = {},
): Promise<Node> {
  const told: string[] = [];
  const note = (fields: Record<string, unknown>, message: string): void => {
    told.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: () => {}, info: () => {}, warn: note, error: note };
  const { git, workTree } = hand(
    createWorkTree(dir, millis === undefined ? {} : { millis }),
    await createGit({ dir, network: { quiet: 10_000, total: 20_000 } }),
  );
  const sync = await createSync({
    git,
    workTree,
    same: createSameFiles(),
    clock: systemClock,
    log,
    role,
    localpart,
    writer: localpart,
    branch: 'main',
    lanePrefix: 'lanes/',
    remote,
    author: { name: localpart, email: `${localpart}@local` },
    ...more,
  });
  return { dir, actor: { localpart, role }, sync: hurried ? sync : unhurried(sync), git, workTree, told };
}

/** A test asks plain git next, so it waits until the index is up to date, too. */
function unhurried(sync: Sync): Sync {
  const afterwards = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } finally {
      await sync.idle();
    }
  };
  return {
    ...sync,
    pull: (reach) => afterwards(sync.pull(reach)),
    push: () => afterwards(sync.push()),
    adopt: (paths) => afterwards(sync.adopt(paths)),
    transact: (transaction) => afterwards(sync.transact(transaction)),
  };
}

export const taskMeta = (id: string, assignee: string, more: object = {}): string =>
  `${JSON.stringify({ task_id: id, project_id: 'p', task_title: id, assigned_to: assignee, status: 'assigned', ...more }, undefined, 2)}\n`;

export const PLAN = `# Team Project: P

**ID**: p

## DAG Task Plan

**Plan Type**: dag

- [~] t-ana — First (assigned: ana)
- [~] t-bo — Second (assigned: bo)
- [ ] t-last — Third (assigned: ana, depends: t-ana, t-bo)
`;

const FILES: Readonly<Record<string, string>> = {
  '.gitignore': '.baton/\nbaton.json\n',
  '.gitattributes': '* text=auto eol=lf\n',
  'shared/team.json': '{\n  "schema": 1,\n  "name": "t",\n  "policies": { "maxFileBytes": 100000 }\n}\n',
  'shared/projects/p/meta.json': '{\n  "project_id": "p",\n  "title": "P",\n  "status": "active"\n}\n',
  'shared/projects/p/plan.md': PLAN,
  'shared/tasks/t-ana/meta.json': taskMeta('t-ana', 'ana'),
  'shared/tasks/t-ana/spec.md': '# First\n',
  'shared/tasks/t-ana/base/input.txt': 'input\n',
  'shared/tasks/t-bo/meta.json': taskMeta('t-bo', 'bo'),
  'shared/tasks/t-bo/spec.md': '# Second\n',
  'shared/agents/ana.json': '{\n  "agent_id": "ana",\n  "role": "worker",\n  "status": "IDLE"\n}\n',
};

export interface Team {
  readonly folder: string;
  readonly remote: string;
  readonly lead: Node;
  readonly ana: Node;
  readonly bo: Node;
}

const soloFolder = prepared('solo', async (folder) => {
  const dir = join(folder, 'w');
  await makeWorkspace(dir);
  await (await openNode({ dir, role: 'leader', localpart: 'lead' })).sync.close();
});

/** One workspace without a remote. */
export async function makeSolo(): Promise<Node> {
  return openNode({ dir: join(await soloFolder(), 'w'), role: 'leader', localpart: 'lead' });
}

async function makeWorkspace(dir: string): Promise<void> {
  await initRepository(dir, 'main');
  for (const [path, text] of Object.entries(FILES)) put(dir, path, text);
  await firstCommit(dir, Object.keys(FILES), 'first files', { name: 'lead', email: 'lead@local' });
}

const teamFolder = prepared('sync', async (folder) => {
  const remote = join(folder, 'team.git');
  await initBare(remote, 'main');
  const lead = join(folder, 'lead');
  await makeWorkspace(lead);
  await addRemote(lead, 'origin', remote);
  const leader = await openNode({ dir: lead, role: 'leader', localpart: 'lead', remote });
  await leader.sync.push();
  await leader.sync.close();
  for (const name of ['ana', 'bo']) {
    const dir = join(folder, name);
    plain(folder, 'clone', '-q', '--no-tags', '--branch=main', remote, dir);
    plain(dir, 'switch', '-q', '-c', `lanes/${name}`);
  }
});

/** A bare remote, a Leader's clone and two Workers' clones; `address` is what they call the remote. */
export async function makeTeam(address: (remote: string) => string = (remote) => remote): Promise<Team> {
  const folder = await teamFolder();
  const remote = join(folder, 'team.git');
  const open = (localpart: string, role: Place['role']): Promise<Node> =>
    openNode({ dir: join(folder, localpart), role, localpart, remote: address(remote) });
  return {
    folder,
    remote,
    lead: await open('lead', 'leader'),
    ana: await open('ana', 'worker'),
    bo: await open('bo', 'worker'),
  };
}

export function put(dir: string, path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

export function drop(dir: string, path: string): void {
  rmSync(join(dir, path), { recursive: true });
}

export function see(dir: string, path: string): string | undefined {
  return existsSync(join(dir, path)) ? readFileSync(join(dir, path), 'utf8') : undefined;
}

/** A file of a branch of the remote. */
export function published(remote: string, branch: string, path: string): string | undefined {
  try {
    return `${plain(remote, 'show', `${branch}:${path}`)}\n`;
  } catch {
    return undefined;
  }
}

type Step = Partial<Omit<Transaction<unknown>, 'decide'>>;

/** A step that writes these files; a function decides on the view. */
export function change(
  node: Node,
  changes: readonly Change[] | ((view: WorkspaceView) => readonly Change[]),
  step: Step = {},
): Promise<Committed<unknown>> {
  return node.sync.transact({
    actor: node.actor,
    label: 'taskflow(test): t-ana',
    subject: { project: 'p', task: 't-ana' },
    whenOffline: 'refuse',
    ...step,
    decide: (view) => ({ changes: typeof changes === 'function' ? changes(view) : changes, output: 'done' }),
  });
}

export const write = (path: string, text: string): Change => ({ kind: 'write', path, text });

/** Edits a record of the view. */
export function edit(view: WorkspaceView, path: string, fields: Record<string, unknown>): Change {
  const record = JSON.parse(view.text(path) ?? '{}') as Record<string, unknown>;
  return write(path, `${JSON.stringify({ ...record, ...fields }, undefined, 2)}\n`);
}

/** Plain git in a clone, as the person who owns it, on behalf of `name`. */
export function byHand(dir: string, message: string): void {
  plain(dir, 'add', '-A');
  plain(dir, 'commit', '-q', '-m', message);
}

/** Moves the remote out of reach until the test says otherwise, or ends. */
export function unplug(remote: string): () => void {
  const away = `${remote}.away`;
  renameSync(remote, away);
  let gone = true;
  const back = (): void => {
    if (gone) renameSync(away, remote);
    gone = false;
  };
  onTestFinished(back);
  return back;
}
