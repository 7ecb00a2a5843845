import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { filesBetween } from './bare.ts';
import type { BareClone, Files } from './bare.ts';
import type { Limit } from './limit.ts';
import type { BenchNode } from './node.ts';
import { timed } from './numbers.ts';
import { spentByEnded } from './processor.ts';
import { delegation, tipOf } from './team.ts';

export interface Delegating {
  readonly lead: BenchNode;
  /** The path of the remote, whatever its address is. */
  readonly remote: string;
  /** A person's clone of a copy of that remote. */
  readonly bare: BareClone;
  readonly projectId: string;
  /** Tasks that may be given now; those that are, are taken from the front. */
  readonly ids: string[];
}

export interface InTurns {
  /** Milliseconds from the call to the answer. */
  readonly baton: readonly number[];
  /** Milliseconds for the same files by bare git. */
  readonly floor: readonly number[];
  /** Processor time of all of it, milliseconds. */
  readonly spent: { readonly node: number; readonly git: number; readonly floor: number };
  /** How often the remote did not hold the task when the answer came. */
  readonly early: number;
}

/**
 * Delegations through the node and the same by bare git, in turns of `each`, so that whatever else the machine does
 * meets both. The first of each is not counted. Ends early, with what there is, when the time is over.
 */
export async function inTurns(
  bench: Bench,
  place: Delegating,
  { blocks, each }: { readonly blocks: number; readonly each: number },
  limit: Limit,
): Promise<InTurns> {
  const { lead, bare } = place;
  await bare.publish((await delegateNext(bench, place)).files, 'warm-up');
  const [baton, floor]: [number[], number[]] = [[], []];
  const spent = { node: 0, git: 0, floor: 0 };
  let early = 0;
  for (let block = 0; block < blocks && (block === 0 || !limit.over()); block += 1) {
    await lead.quiet();
    const before = lead.processor();
    const done: Files[] = [];
    for (let count = 0; count < each && (count === 0 || !limit.over()); count += 1) {
      const { ms, files, durable } = await delegateNext(bench, place);
      baton.push(ms);
      done.push(files);
      early += durable ? 0 : 1;
    }
    await lead.quiet();
    const after = lead.processor();
    const idle = spentByEnded();
    for (const files of done) floor.push(await timed(() => bare.publish(files, 'taskflow(delegate_task)')));
    spent.node += after.own - before.own;
    spent.git += after.children - before.children;
    spent.floor += spentByEnded() - idle;
  }
  return { baton, floor, spent, early };
}

async function delegateNext(
  bench: Bench,
  { lead, remote, projectId, ids }: Delegating,
): Promise<{ readonly ms: number; readonly files: Files; readonly durable: boolean }> {
  const taskId = ids.shift();
  if (taskId === undefined) throw new Error(`${projectId} has no task left to give`);
  const before = tipOf(remote);
  const ms = await timed(() => lead.must('taskflow', 'delegate_task', delegation(projectId, taskId)));
  const files = await filesBetween(bench, remote, before, tipOf(remote));
  return { ms, files, durable: files.has(join('shared/tasks', taskId, 'meta.json')) };
}
