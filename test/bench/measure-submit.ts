import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { absolute, unmeasured } from './figure.ts';
import type { Figure } from './figure.ts';
import { within } from './limit.ts';
import type { Limit } from './limit.ts';
import type { BenchNode } from './node.ts';
import { percentile, shown, spreadOf } from './numbers.ts';
import { allQuiet, delegation, fewTasks, planProject, remoteWith, startLeader, startWorkers, stopAll } from './team.ts';
import { workerName } from './tree.ts';

/** What nobody knows of by then is not waited for; seconds. */
const LONGEST = 20;

/** Milliseconds: longer than a Worker's node waits before it takes up what came before, and before it writes its index. */
const AT_REST = 1_200;

/**
 * P6: Workers submit at once, each in its own clone; how long until the Leader's node has it in its tree. Of each such moment it is
 * the 95th percentile of its Workers that counts, and of several moments the median, as with every other figure.
 */
export async function measureP6(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  // Then nothing happens for so many seconds, to see how often the Leader's node asks for news.
  const [many, rounds, idle] = bench.small ? [3, 1, 1] : [20, 10, 4];
  const what = `submit in one clone → the Leader's node knows, ${many} Workers at once, 95th percentile`;
  const remote = await remoteWith(bench, fewTasks(bench));
  const lead = await startLeader(bench, remote, { processes: true });
  const workers = await startWorkers(bench, remote, many);
  const moments: (readonly Submission[])[] = [];
  for (let round = 1; round <= rounds && (round === 1 || !limit.over()); round += 1) {
    bench.say(`  ${many} Workers submit at once, round ${round} of ${rounds}`);
    const projectId = `submit-${round}`;
    const ids = await planProject(lead, projectId, many, (index) => workerName(index + 1));
    const moment = await submitAtOnce({ lead, workers, projectId, ids }, limit);
    // What nobody knew of because the time was over says nothing of those who would have known.
    if (round > 1 && limit.over() && moment.some(({ known }) => known === undefined)) break;
    moments.push(moment);
  }
  // The first round meets programs that have not run this way before: it counts only where there is no other.
  const counted = moments.length > 1 ? moments.slice(1) : moments;
  const samples = counted.flat();
  await allQuiet([lead, ...workers]);
  const since = Date.now();
  await wait(idle * 1000);
  // Not those that end meanwhile, because they have waited in vain for the next question, and not what tidies up the clone.
  const started = lead.processes().filter(({ at, words: [name] }) => at >= since && !TIDYING.has(name ?? ''));
  const polls = started.length;
  const names = polls === 0 ? '' : ` (${started.map(({ words: [name = ''] }) => name).join(', ')})`;
  await stopAll([lead, ...workers]);
  const known = samples.flatMap((one) => one.known ?? []);
  if (known.length === 0) return [unmeasured('P6', what, `nothing was known of within ${limit.seconds} s`)];
  const missing = samples.length - known.length;
  const answered = samples.flatMap((one) => one.answered ?? []);
  const after = samples.flatMap(({ known: ms, answered: at }) =>
    ms === undefined || at === undefined ? [] : [Math.max(0, ms - at)],
  );
  const spread = spreadOf(
    counted.flatMap((moment) => {
      const here = moment.flatMap((one) => one.known ?? []);
      return here.length === 0 ? [] : [percentile(here, 0.95)];
    }),
  );
  const both = (values: readonly number[]): string =>
    `${shown(percentile(values, 0.5))} ms (median), ${shown(percentile(values, 0.95))} ms (95 %)`;
  const notes = [
    `of ${counted.length} moments with ${many} submissions each; of all ${known.length} together: ${both(known)}, ${shown(percentile(known, 1))} ms (highest)`,
    `the Worker is answered after ${both(answered)}; the Leader's node knows ${both(after)} after that answer`,
    `seen by a watch on the files of the Leader’s clone; when nothing happens its node starts ${polls} git processes in ${idle} s${names}`,
  ];
  const cut =
    moments.length < rounds || missing > 0
      ? `${moments.length} of ${rounds} rounds; ${missing} of ${samples.length} submissions were not known of`
      : undefined;
  return [
    absolute({ id: 'P6', what, unit: 'ms', limit: 300, sound: missing === 0 && polls <= idle, cut, notes }, spread),
  ];
}

/** What a node has git do to the store of its clone when nothing happens. */
const TIDYING: ReadonlySet<string> = new Set(['maintenance', 'gc', 'prune-packed', 'config']);

export interface Submission {
  /** Milliseconds from the call until the Worker is answered. */
  readonly answered: number | undefined;
  /** Until the record is in the Leader's tree. */
  readonly known: number | undefined;
}

/** Gives every Worker one task, and has all of them submit at the same moment. */
export async function submitAtOnce(
  {
    lead,
    workers,
    projectId,
    ids,
  }: {
    readonly lead: BenchNode;
    readonly workers: readonly BenchNode[];
    readonly projectId: string;
    /** One for each Worker, in their order. */
    readonly ids: readonly string[];
  },
  limit: Limit,
): Promise<readonly Submission[]> {
  await Promise.all(ids.map((id) => lead.must('taskflow', 'delegate_task', delegation(projectId, id))));
  const given = workers.map((worker, index) => ({ worker, taskId: ids[index] ?? '' }));
  await Promise.all(given.map(({ worker, taskId }) => worker.must('taskflow', 'ack_task', { taskId })));
  await allQuiet([lead, ...workers], AT_REST);
  const own = limit.part(LONGEST);
  return Promise.all(given.map(({ worker, taskId }) => submission(lead, worker, taskId, own)));
}

async function submission(lead: BenchNode, worker: BenchNode, taskId: string, limit: Limit): Promise<Submission> {
  const folder = join(lead.root, 'shared/tasks', taskId);
  const submitted = (): boolean => readFileSync(join(folder, 'meta.json'), 'utf8').includes('"status": "submitted"');
  const seen = Promise.withResolvers<number>();
  const start = performance.now();
  const look = (): void => {
    if (submitted()) seen.resolve(performance.now() - start);
  };
  // Most messages about a folder are not about the record, and to read it with each would take from what is measured.
  const watcher = watch(folder, (_, name) => name === 'meta.json' && look());
  try {
    const call = worker.must('taskflow', 'submit_task', {
      taskId,
      status: 'SUCCESS',
      summary: 'Written, and checked.',
    });
    const answered = await within(
      call.then(() => performance.now() - start),
      limit.left(),
    );
    look();
    return { answered, known: await within(seen.promise, limit.left()) };
  } finally {
    watcher.close();
  }
}
