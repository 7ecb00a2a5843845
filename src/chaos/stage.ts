import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initWorkspace } from '../app.ts';
import type { Log } from '../ports.ts';
import { FlowError } from '../protocol/errors.ts';
import type { Weather } from './faults.ts';
import type { Cast } from './schedule.ts';
import { plainGit } from './plain-git.ts';
import { remoteGit } from './remote-git.ts';
import type { RemoteTalk } from './remote-git.ts';
import { localSeat, mortalSeat } from './seat.ts';
import type { Seat } from './seat.ts';
import type { Shim } from './shim.ts';

/** Everything of a team that one seed is played with. */
export interface Stage {
  readonly cast: Cast;
  readonly seats: readonly Seat[];
  /** The clone of a person who edits main with plain git. */
  readonly person: string;
  /** A bare repository into which whoever watches fetches what is published. */
  readonly mirror: string;
  readonly ground: Ground;
  readonly branches: Branches;
  close(): Promise<void>;
}

export interface Branches {
  readonly branch: string;
  readonly lanePrefix: string;
}

/** Where the seeds are played. */
export interface Ground extends RemoteTalk {
  /** Where the clones of a seed are made; whatever is in it is removed before. */
  readonly folder: string;
  /** Keeps what `folder` holds before a seed is played, for the next one. Only where the remote lies in `folder` too. */
  readonly template?: string;
  /** Makes the remote, where that is the ground's to make. */
  makeRemote?(): Promise<void> | void;
  /** Address of the remote for the node of a seat. */
  readonly remoteOf: (seat: string) => string;
  /** The way to it that no fault touches, for the person and for whoever watches. */
  readonly direct: string;
  readonly log: Log;
  readonly shim: Shim;
  /** What else can go wrong here. */
  readonly weather?: Weather;
}

export const PROJECT = 'p';

/** The team of every seed: a Leader, so many Workers, so many tasks of one project. */
export function castOf(workers: number, tasks: number): Cast {
  return {
    leader: 'lead',
    workers: ['ana', 'bo', 'cy', 'dee', 'eli', 'fay'].slice(0, workers),
    tasks: Array.from({ length: tasks }, (_, index) => `${PROJECT}-${String(index + 1).padStart(2, '0')}`),
  };
}

function membersOf({ leader, coLeaders = [], workers }: Cast): readonly Pick<Seat, 'name' | 'role'>[] {
  return [
    ...[leader, ...coLeaders].map((name) => ({ name, role: 'leader' as const })),
    ...workers.map((name) => ({ name, role: 'worker' as const })),
  ];
}

export interface StageOptions {
  readonly ground: Ground;
  readonly branches: Branches;
  readonly cast: Cast;
  /** Whose nodes are processes of their own. */
  readonly mortal: readonly string[];
  /** Ends the making of a team between two members. */
  readonly signal?: AbortSignal | undefined;
}

/** Makes the team on these branches of the ground's remote, with its project planned, and opens its seats. */
export async function setUpStage(options: StageOptions): Promise<Stage> {
  const { folder, template } = options.ground;
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  if (template !== undefined && existsSync(template)) copyWhole(template, folder);
  else {
    mkdirSync(folder, { recursive: true });
    await makeTeam(options);
    if (template !== undefined) copyWhole(folder, template);
  }
  return openStage(options);
}

/** Opens the seats of a team that is there. */
export async function openStage({ ground, branches, cast, mortal }: StageOptions): Promise<Stage> {
  const { folder, env, log } = ground;
  const seats = membersOf(cast).map(({ name, role }): Seat => {
    const seat = { name, role, root: join(folder, name), env: ground.shim.envOf(name, env), log };
    return mortal.includes(name) ? mortalSeat(seat) : localSeat(seat);
  });
  const close = async (): Promise<void> => {
    for (const seat of seats) await seat.stop();
  };
  try {
    for (const seat of seats) await seat.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { cast, seats, person: join(folder, PERSON), mirror: join(folder, MIRROR), ground, branches, close };
}

const PERSON = 'person';
const MIRROR = 'mirror.git';

function copyWhole(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

async function makeTeam({ ground, branches, cast, signal }: StageOptions): Promise<void> {
  const { folder, env, log, direct } = ground;
  await ground.makeRemote?.();
  for (const { name, role } of membersOf(cast)) {
    signal?.throwIfAborted();
    const root = join(folder, name);
    await makeClone(ground, branches, { root, name, role });
    const seat = localSeat({ name, role, root, env, log });
    await seat.start();
    if (name === cast.leader) await planProject(seat, cast);
    else await seat.sync();
    await seat.stop();
  }
  const person = join(folder, PERSON);
  await remoteGit(ground, folder, 'clone', '-q', '--single-branch', '-b', branches.branch, '--', direct, person);
  await plainGit(person, env, 'config', 'user.name', 'Pat');
  await plainGit(person, env, 'config', 'user.email', 'pat@local');
  await plainGit(folder, env, 'init', '-q', '--bare', join(folder, MIRROR));
}

async function makeClone(
  { remoteOf, env }: Ground,
  { branch, lanePrefix }: Branches,
  { root, name, role }: Pick<Seat, 'root' | 'name' | 'role'>,
): Promise<void> {
  mkdirSync(root, { recursive: true });
  const config = { identity: { localpart: name, role }, git: { remote: remoteOf(name), branch, lanePrefix } };
  writeFileSync(join(root, 'baton.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  await initWorkspace({ dir: root, env });
}

/** Throws when the team cannot even begin. */
async function planProject(leader: Seat, { tasks, workers }: Cast): Promise<void> {
  const must = async (action: string, payload: object): Promise<void> => {
    const answer = await leader.call('projectflow', action, { projectId: PROJECT, ...payload });
    if (answer.ok) return;
    const message = `the team cannot begin: ${action}: ${answer.error ?? ''}`;
    throw answer.code === 'sync-failed' ? new FlowError(answer.code, message) : new Error(message);
  };
  await must('create_project', { title: 'Chaos', sourceRoomId: '!chaos:local' });
  const planned = tasks.map((taskId, index) => ({
    taskId,
    title: `Task ${index + 1}`,
    assignedTo: workers[index % workers.length],
  }));
  await must('plan_dag', { tasks: planned });
}
