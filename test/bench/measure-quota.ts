import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { absolute } from './figure.ts';
import type { Figure } from './figure.ts';
import { within } from './limit.ts';
import type { Limit } from './limit.ts';
import { percentile, shown } from './numbers.ts';
import { delegation, fewTasks, heldBy, planProject, remoteWith, startLeader, tipOf } from './team.ts';

/** P12: a thousand changes in a minute on a node that may push every ten seconds. */
export async function measureP12(bench: Bench, limit: Limit): Promise<readonly Figure[]> {
  const [changes, seconds, interval] = bench.small ? [5, 1, '1s'] : [1000, 60, '10s'];
  const remote = await remoteWith(bench, fewTasks(bench));
  const lead = await startLeader(bench, remote, { env: { BATON_GIT_MIN_PUSH_INTERVAL: interval } });
  const ids = await planProject(lead, 'quota', changes);
  await lead.quiet();
  bench.say(`  ${changes} changes in ${seconds} s`);

  const pushes = countPushes(remote);
  const start = performance.now();
  const times: number[] = [];
  const answered: string[] = [];
  let refused = 0;
  const change = async (taskId: string): Promise<void> => {
    const asked = performance.now();
    const { ok } = await lead.call('taskflow', 'delegate_task', delegation('quota', taskId));
    if (ok) {
      times.push(performance.now() - asked);
      answered.push(taskId);
    } else refused += 1;
  };
  const answers: Promise<void>[] = [];
  for (const [index, taskId] of ids.entries()) {
    await wait(Math.max(0, (index * seconds * 1000) / changes - (performance.now() - start)));
    answers.push(change(taskId));
  }
  await wait(Math.max(0, seconds * 1000 - (performance.now() - start)));
  const pushed = pushes();
  const watched = (performance.now() - start) / 1000;
  await within(Promise.all(answers), limit.left());
  const unanswered = changes - answered.length - refused;
  const paths = answered.map((taskId) => `shared/tasks/${taskId}/meta.json`);
  const lost = paths.length - (await heldBy(bench, remote, tipOf(remote), paths)).size;
  await lead.stop();
  const notes = [
    `${lost} lost, ${refused} refused, ${unanswered} without an answer; an answer took ${times.length === 0 ? 'for ever' : `${shown(percentile(times, 0.5))} ms (median), ${shown(percentile(times, 0.95))} ms (95 %)`}`,
    'counted by a hook of the remote, which runs for every push that arrives',
  ];
  const what = `pushes in a minute with git.minPushInterval ${interval}, ${changes} changes in ${seconds} s`;
  const cut = unanswered > 0 ? `${changes - unanswered} of ${changes} changes were answered` : undefined;
  const sound = lost === 0 && refused === 0;
  return [absolute({ id: 'P12', what, unit: 'a minute', limit: 6, sound, cut, notes }, (pushed * 60) / watched)];
}

/** Tells how often somebody has pushed to the remote from now on. */
function countPushes(remote: string): () => number {
  const file = join(remote, 'pushes');
  mkdirSync(join(remote, 'hooks'), { recursive: true });
  writeFileSync(join(remote, 'hooks/pre-receive'), `#!/bin/sh\necho >>'${file}'\n`, { mode: 0o755 });
  return () => (existsSync(file) ? readFileSync(file, 'utf8').length : 0);
}
