import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Envelope } from '../../src/app-types.ts';
import { check } from '../../src/chaos/check.ts';
import { createChance } from '../../src/chaos/chance.ts';
import type { Acknowledged, Violation } from '../../src/chaos/facts.ts';
import { readStage } from '../../src/chaos/read.ts';
import { settle } from '../../src/chaos/seed.ts';
import { PROJECT, castOf, openStage, setUpStage } from '../../src/chaos/stage.ts';
import type { Stage, StageOptions } from '../../src/chaos/stage.ts';
import { BRANCHES } from './ground.ts';
import type { LocalGround } from './ground.ts';
import type { Deed } from './victim.ts';

/** One action, in the clone in which it is done, and what its answer promises. */
interface Scene {
  readonly name: string;
  readonly seat: 'lead' | 'ana';
  readonly deed: Deed;
  /** The Leader names the submission that was looked at. */
  readonly ofSubmission?: string;
  /** Files that are there before. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the seat could not do before, since the remote was away: it is owed. */
  readonly owing?: Deed;
  promise(answer: Envelope): Acknowledged | undefined;
}

const roomId = '!chaos:local';
const taskflow = (action: string, payload: object): Deed => ({ tool: 'taskflow', action, payload });
const projectflow = (action: string, payload: object): Deed => ({ tool: 'projectflow', action, payload });
const SYNC: Deed = { tool: 'node', action: 'sync', payload: {} };
const [FIRST = '', SECOND = '', THIRD = ''] = castOf(1, 3).tasks;
const nothing = (): undefined => undefined;
const delegation = (task: string): Deed =>
  taskflow('delegate_task', { projectId: PROJECT, taskId: task, spec: `Do ${task}.`, roomId });
const submission = (task: string): Deed => {
  const deliverables = [`shared/tasks/${task}/workspace/out.md`];
  return taskflow('submit_task', { taskId: task, status: 'SUCCESS', summary: `Done ${task}.`, deliverables });
};
const work = (task: string): Readonly<Record<string, string>> => ({
  [`shared/tasks/${task}/workspace/out.md`]: 'out\n',
});
const submitted =
  (task: string) =>
  (answer: Envelope): Acknowledged => {
    const { submission_id: submissionId = '' } = answer['task'] as { readonly submission_id?: string };
    return { kind: 'submitted', task, by: 'ana', summary: `Done ${task}.`, submissionId };
  };

/** A task's whole life; each scene begins where the one before ended. */
const SCENES: readonly Scene[] = [
  {
    name: 'create_project',
    seat: 'lead',
    deed: projectflow('create_project', { projectId: 'q', title: 'Q', sourceRoomId: roomId }),
    promise: nothing,
  },
  {
    name: 'plan_dag',
    seat: 'lead',
    deed: projectflow('plan_dag', { projectId: 'q', tasks: [{ taskId: 'q-01', title: 'One', assignedTo: 'ana' }] }),
    promise: nothing,
  },
  {
    name: 'delegate_task',
    seat: 'lead',
    deed: delegation(FIRST),
    promise: () => ({ kind: 'delegated', task: FIRST, to: 'ana' }),
  },
  {
    name: 'ack_task',
    seat: 'ana',
    deed: taskflow('ack_task', { taskId: FIRST }),
    promise: () => ({ kind: 'started', task: FIRST, by: 'ana' }),
  },
  {
    name: 'report_progress',
    seat: 'ana',
    deed: taskflow('report_progress', { taskId: FIRST, note: 'half of it' }),
    promise: () => ({ kind: 'noted', task: FIRST, by: 'ana', text: 'half of it' }),
  },
  { name: 'submit_task', seat: 'ana', deed: submission(FIRST), files: work(FIRST), promise: submitted(FIRST) },
  { name: 'sync that integrates a lane', seat: 'lead', deed: SYNC, promise: nothing },
  {
    name: 'accept_task_result',
    seat: 'lead',
    deed: projectflow('accept_task_result', { projectId: PROJECT, taskId: FIRST }),
    ofSubmission: FIRST,
    promise: () => ({ kind: 'decided', task: FIRST, to: 'completed' }),
  },
  {
    name: 'delegate_task again',
    seat: 'lead',
    deed: delegation(SECOND),
    promise: () => ({ kind: 'delegated', task: SECOND, to: 'ana' }),
  },
  { name: 'sync that takes main in', seat: 'ana', deed: SYNC, promise: nothing },
  {
    name: 'sync that publishes and says what is owed',
    seat: 'ana',
    deed: SYNC,
    files: work(SECOND),
    owing: submission(SECOND),
    promise: nothing,
  },
  {
    name: 'delegate_task to cancel',
    seat: 'lead',
    deed: delegation(THIRD),
    promise: () => ({ kind: 'delegated', task: THIRD, to: 'ana' }),
  },
  {
    name: 'cancel_task',
    seat: 'lead',
    deed: taskflow('cancel_task', { taskId: THIRD, reason: 'no longer wanted' }),
    promise: () => ({ kind: 'cancelled', task: THIRD }),
  },
];

/** What the kills of one action came to. */
export interface KillResult {
  readonly scene: string;
  /** Points that the action passes. */
  readonly points: number;
  /** How many of them a process died at. */
  readonly killed: number;
  readonly violations: readonly (Violation & { readonly point: string })[];
  readonly seconds: number;
}

export interface KillOptions {
  readonly ground: LocalGround;
  /** Chooses which points are taken where not all are. */
  readonly seed: number;
  /** How many points of each action; all, unless given. */
  readonly each?: number;
  readonly onResult?: (result: KillResult) => void;
}

type KillStage = StageOptions & { readonly ground: LocalGround };

/** Kills a process at points of every mutating action, starts again, and checks what is there (quality.md R1). */
export async function runKills({ ground, seed, each, onResult }: KillOptions): Promise<readonly KillResult[]> {
  const options: KillStage = { ground, branches: BRANCHES, cast: castOf(1, 3), mortal: [] };
  await (await setUpStage(options)).close();
  const before = join(ground.beside, 'before');
  const chance = createChance(seed);
  const results: KillResult[] = [];
  for (const planned of SCENES) {
    const begun = performance.now();
    await prepare(options, planned);
    const scene = withSubmission(ground, planned);
    copy(ground.folder, before);
    const { points } = await victim(ground, scene);
    if (points === undefined) throw new Error(`${scene.name} did not come to its end without a kill`);
    const after = join(ground.beside, 'after');
    copy(ground.folder, after);
    const taken = each === undefined ? points.map((_, index) => index) : sample(chance, points.length, each);
    const violations: KillResult['violations'][number][] = [];
    let killed = 0;
    for (const index of taken) {
      copy(before, ground.folder);
      const died = await killAt(options, scene, index + 1);
      if (died === undefined) continue;
      killed += 1;
      violations.push(...died.map((violation) => ({ ...violation, point: points[index] ?? '' })));
    }
    copy(after, ground.folder);
    const result = {
      scene: scene.name,
      points: points.length,
      killed,
      violations,
      seconds: (performance.now() - begun) / 1000,
    };
    onResult?.(result);
    results.push(result);
  }
  return results;
}

function copy(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true, maxRetries: 5 });
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

function sample(chance: ReturnType<typeof createChance>, count: number, wanted: number): readonly number[] {
  const left = Array.from({ length: count }, (_, index) => index);
  const taken = Array.from({ length: Math.min(wanted, count) }, () => left.splice(chance.int(left.length), 1)[0] ?? 0);
  return taken.sort((a, b) => a - b);
}

/** Brings everybody up to date, and makes what must be there before the deed. */
async function prepare(options: KillStage, { seat, files = {}, owing, name }: Scene): Promise<void> {
  const { folder, bare } = options.ground;
  const away = `${bare}.away`;
  const stage = await openStage(options);
  try {
    // What only a sync is to bring is left for it.
    if (!name.startsWith('sync that')) await settle(stage);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, seat, path)), { recursive: true });
      writeFileSync(join(folder, seat, path), text);
    }
    if (owing === undefined) return;
    // A node that works with the remote file by file calls no git that could be told to fail.
    renameSync(bare, away);
    const kept = await stage.seats.find((one) => one.name === seat)?.call(owing.tool, owing.action, owing.payload);
    if (kept?.['statePersisted'] !== true) throw new Error(`${name}: nothing is owed: ${JSON.stringify(kept)}`);
  } finally {
    await stage.close();
    if (existsSync(away)) renameSync(away, bare);
  }
}

function withSubmission({ folder }: LocalGround, scene: Scene): Scene {
  if (scene.ofSubmission === undefined) return scene;
  const meta = readFileSync(join(folder, scene.seat, `shared/tasks/${scene.ofSubmission}/meta.json`), 'utf8');
  const { submission_id: submissionId } = JSON.parse(meta) as { readonly submission_id: string };
  return { ...scene, deed: { ...scene.deed, payload: { ...scene.deed.payload, submissionId } } };
}

interface Death {
  readonly answer: Envelope | undefined;
  /** Only from a process that came to its end. */
  readonly points: readonly string[] | undefined;
  readonly signal: NodeJS.Signals | null;
}

const VICTIM = new URL('victim.ts', import.meta.url).pathname;
const POINTS = new URL('kill-points.ts', import.meta.url).href;

async function victim({ folder, env }: LocalGround, { seat, deed }: Scene, point = 0): Promise<Death> {
  const child = spawn(process.execPath, ['--import', POINTS, VICTIM, JSON.stringify(deed)], {
    cwd: join(folder, seat),
    env: { ...env, BATON_CHAOS_KILL: String(point) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let complained = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString('utf8')));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (signal === null && code !== 0) throw new Error(`the victim failed by itself: ${complained}`);
  const lines = said.split('\n').filter((line) => line.endsWith('}'));
  const values = lines.map((line) => JSON.parse(line) as { readonly answer?: Envelope; readonly points?: string[] });
  const find = <Key extends 'answer' | 'points'>(key: Key) => values.find((value) => value[key] !== undefined)?.[key];
  return { answer: find('answer'), points: find('points'), signal };
}

/** What does not hold after the kill; `undefined` when the process came to its end before that point. */
async function killAt(options: KillStage, scene: Scene, point: number): Promise<readonly Violation[] | undefined> {
  const { answer, signal } = await victim(options.ground, scene, point);
  if (signal !== 'SIGKILL') return undefined;
  let stage: Stage;
  try {
    stage = await openStage(options);
  } catch (error) {
    return [{ rule: 'whole', message: `it does not start again: ${String(error)}` }];
  }
  try {
    return await examine(stage, scene, answer);
  } finally {
    await stage.close();
  }
}

/** What was answered must be there; what was not, a retry completes. */
async function examine(stage: Stage, scene: Scene, answer: Envelope | undefined): Promise<readonly Violation[]> {
  const { tool, action, payload } = scene.deed;
  const seat = stage.seats.find(({ name }) => name === scene.seat);
  const retry = async (): Promise<Envelope | undefined> => {
    await seat?.sync();
    return tool === 'node' ? seat?.sync() : seat?.call(tool, action, payload);
  };
  const final = answer?.ok === true ? answer : await retry();
  if (final?.ok !== true && final?.code !== 'already-exists') {
    const message = `the retry is refused: ${final?.code ?? ''} ${final?.error ?? ''}`;
    return [{ rule: 'kept', message }];
  }
  await settle(stage);
  const promised = final.ok ? scene.promise(final) : undefined;
  return check(await readStage(stage), promised === undefined ? [] : [promised]);
}
