import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { must } from './bench.ts';
import type { Bench } from './bench.ts';
import { absolute } from './figure.ts';
import type { Figure } from './figure.ts';
import { percentile, shown } from './numbers.ts';
import { delegation, fewTasks, heldBy, planProject, remoteWith, startLeader, tipOf } from './team.ts';

/** P12: a thousand changes in a minute on a node that may push every ten seconds. */
export async function measureP12(bench: Bench): Promise<readonly Figure[]> {
  const [changes, seconds, interval] = bench.small ? [5, 1, '1s'] : [1000, 60, '10s'];
  const remote = await remoteWith(bench, fewTasks(bench));
  await must('git', ['config', 'core.logAllRefUpdates', 'always'], { cwd: remote, env: bench.env });
  const lead = await startLeader(bench, remote, { env: { BATON_GIT_MIN_PUSH_INTERVAL: interval } });
  const ids = await planProject(lead, 'quota', changes);
  await lead.quiet();
  bench.say(`  ${changes} changes in ${seconds} s`);

  const pushes = (): number => readFileSync(join(remote, 'logs/refs/heads/main'), 'utf8').trim().split('\n').length;
  const before = pushes();
  const start = performance.now();
  const answers: Promise<number | undefined>[] = [];
  for (const [index, taskId] of ids.entries()) {
    await wait(Math.max(0, (index * seconds * 1000) / changes - (performance.now() - start)));
    const asked = performance.now();
    answers.push(
      lead
        .call('taskflow', 'delegate_task', delegation('quota', taskId))
        .then(({ ok }) => (ok ? performance.now() - asked : undefined)),
    );
  }
  await wait(Math.max(0, seconds * 1000 - (performance.now() - start)));
  const pushed = pushes() - before;
  const waited = (await Promise.all(answers)).filter((ms) => ms !== undefined);
  const paths = ids.map((taskId) => `shared/tasks/${taskId}/meta.json`);
  const lost = changes - (await heldBy(bench, remote, tipOf(remote), paths)).size;
  await lead.stop();
  const notes = [
    `${lost} lost, ${changes - waited.length} refused; an answer took ${shown(percentile(waited, 0.5))} ms (median), ${shown(percentile(waited, 0.95))} ms (95 %)`,
  ];
  const what = `pushes in a minute with git.minPushInterval ${interval}, ${changes} changes in ${seconds} s`;
  const sound = lost === 0 && waited.length === changes;
  return [absolute({ id: 'P12', what, unit: 'a minute', limit: 6, sound, notes }, (pushed * 60) / seconds)];
}
