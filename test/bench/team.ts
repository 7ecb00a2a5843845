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

/** A fresh copy of a remote that holds a tree of so many tasks. */
export async function remoteWith(bench: Bench, tasks: number): Promise<string> {
  const original = await bench.once(`tree of ${tasks}`, async () => {
    bench.say(`  making a tree of ${tasks} tasks`);
    const remote = join(bench.fresh('tree'), 'team.git');
    await makeTree(remote, { tasks, projects: Math.max(1, Math.round(tasks / 50)), workers: WORKERS }, bench.env);
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

/** Workers' nodes, `w01` onwards, all up. */
export async function startWorkers(bench: Bench, remote: string, many: number): Promise<readonly BenchNode[]> {
  const place = bench.fresh('w');
  const nodes: BenchNode[] = [];
  for (let index = 1; index <= many; index += 1) {
    const dir = await joinTeam(bench, place, { name: workerName(index), role: 'worker', remote });
    nodes.push(await startNode(bench, dir));
  }
  return nodes;
}

/** A new project whose `many` nodes may all be given at once; returns their ids. */
export async function planProject(
  lead: BenchNode,
  projectId: string,
  many: number,
  workerOf: (index: number) => string = (index) => workerName((index % WORKERS) + 1),
): Promise<readonly string[]> {
  await lead.must('projectflow', 'create_project', { projectId, title: `Project ${projectId}`, source: 'team-admin' });
  const ids = Array.from({ length: many }, (_, index) => `${projectId}-${String(index + 1).padStart(4, '0')}`);
  const tasks = ids.map((taskId, index) => ({
    taskId,
    title: `Part ${index + 1} of ${projectId}`,
    assignedTo: workerOf(index),
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

/** What a branch of the remote names at this moment, without starting a process; it must be a loose ref. */
export function tipOf(remote: string, branch = 'main'): string {
  return readFileSync(join(remote, 'refs/heads', branch), 'utf8').trim();
}
