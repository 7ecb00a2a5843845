import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';
import { joinTeam, startNode } from './node.ts';
import type { BenchNode, NodeOptions } from './node.ts';
import { makeTree, workerName } from './tree.ts';

/** Where assignments go; a room that is only a name, as there is no homeserver. */
const ROOM = '!team:local';

const WORKERS = 20;

/** The sizes of trees that the figures name, and stand-ins for them in the small form. */
export const fewTasks = ({ small }: Bench): number => (small ? 20 : 100);
export const manyTasks = ({ small }: Bench): number => (small ? 60 : 10_000);

/** A fresh copy of a remote that holds a tree of so many tasks, `each` of them in a project. */
export async function remoteWith(bench: Bench, tasks: number, each = 50): Promise<string> {
  const projects = Math.max(1, Math.round(tasks / each));
  const original = await bench.once(`tree of ${tasks} in ${projects}`, async () => {
    bench.say(`  making a tree of ${tasks} tasks`);
    const remote = join(bench.fresh('tree'), 'team.git');
    await makeTree(remote, { tasks, projects, workers: WORKERS }, bench.env);
    return remote;
  });
  return copyOf(bench, original);
}

export function copyOf(bench: Bench, remote: string): string {
  const copy = join(bench.fresh('remote'), 'team.git');
  cpSync(remote, copy, { recursive: true });
  return copy;
}

export async function startLeader(bench: Bench, remote: string, options: NodeOptions = {}): Promise<BenchNode> {
  const dir = await joinTeam(bench, bench.fresh('lead'), { name: 'lead', role: 'leader', remote });
  return startNode(bench, dir, options);
}

/** Workers' nodes, `w01` onwards, all up; made two at a time. */
export async function startWorkers(
  bench: Bench,
  remote: string,
  many: number,
  options: NodeOptions = {},
): Promise<readonly BenchNode[]> {
  const place = bench.fresh('w');
  const nodes = new Map<number, BenchNode>();
  const left = Array.from({ length: many }, (_, index) => index);
  const startSome = async (): Promise<void> => {
    for (let index = left.shift(); index !== undefined; index = left.shift()) {
      const dir = await joinTeam(bench, place, { name: workerName(index + 1), role: 'worker', remote });
      nodes.set(index, await startNode(bench, dir, options));
    }
  };
  await Promise.all([startSome(), startSome()]);
  return [...nodes].toSorted(([a], [b]) => a - b).map(([, node]) => node);
}

export async function stopAll(nodes: readonly BenchNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}

export async function allQuiet(nodes: readonly BenchNode[], still?: number): Promise<void> {
  await Promise.all(nodes.map((node) => node.quiet(still)));
}

/** A new project of `many` nodes, which may all be given at once unless some wait for others; returns their ids. */
export async function planProject(
  lead: BenchNode,
  projectId: string,
  many: number,
  workerOf: (index: number) => string = (index) => workerName((index % WORKERS) + 1),
  dependsOf: (index: number) => readonly number[] = () => [],
): Promise<readonly string[]> {
  await lead.must('projectflow', 'create_project', { projectId, title: `Project ${projectId}`, source: 'team-admin' });
  const ids = Array.from({ length: many }, (_, index) => `${projectId}-${String(index + 1).padStart(4, '0')}`);
  const tasks = ids.map((taskId, index) => ({
    taskId,
    title: `Part ${index + 1} of ${projectId}`,
    assignedTo: workerOf(index),
    dependsOn: dependsOf(index).map((other) => ids[other] ?? ''),
  }));
  await lead.must('projectflow', 'plan_dag', { projectId, tasks });
  return ids;
}

export const delegation = (projectId: string, taskId: string): object => ({
  projectId,
  taskId,
  roomId: ROOM,
  spec: `Write this part of the report.\n\nDone when the checks pass and the summary of ${taskId} says what was left out.\n`,
});

/** Those of the paths that a commit of the remote holds. */
export async function heldBy(
  bench: Bench,
  remote: string,
  commit: string,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  const input = paths.map((path) => `${commit}:${path}\n`).join('');
  const found = await must('git', ['cat-file', '--batch-check'], { cwd: remote, env: bench.env, input });
  return new Set(found.split('\n').flatMap((line, index) => (line.endsWith('missing') ? [] : [paths[index] ?? ''])));
}

/** What main of the remote names at this moment, without starting a process. */
export function tipOf(remote: string): string {
  try {
    return readFileSync(join(remote, 'refs/heads/main'), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Git has packed its refs while nobody pushed.
    const packed = readFileSync(join(remote, 'packed-refs'), 'utf8');
    const line = packed.split('\n').find((one) => one.endsWith(' refs/heads/main'));
    if (line === undefined) throw new Error(`${remote} has no main`, { cause: error });
    return line.slice(0, line.indexOf(' '));
  }
}
