import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { onOwnHomeserver } from '../support/synapse/homeserver.ts';
import { proxyTo } from '../support/synapse/proxy.ts';
import { call, matrixTeam, must, startMatrixNode } from '../support/synapse/team.ts';
import { eventually } from '../support/waiting.ts';

const projectId = 'p';
const taskIds = [...Array(60).keys()].map((index) => `p-${String(index + 1).padStart(2, '0')}`);

/** Every task that a text assigns, as often as it does. */
const assignedIn = (text: string | undefined): readonly string[] => text?.match(/(?<=TASK_ASSIGNED: )\S+/g) ?? [];

onOwnHomeserver('a homeserver with the limits of Synapse', { rateLimits: 'default' }, (homeserver) => {
  test(
    'is told of 60 tasks that are delegated at once, each once and none before its commit, while work goes on',
    { timeout: 180_000 },
    async () => {
      let remote = '';
      /** What was about to be said of a task before others could fetch it. */
      const early: string[] = [];
      const digest = Promise.withResolvers<readonly string[]>();
      const submitted = Promise.withResolvers<void>();
      const proxy = await proxyTo(homeserver().url, async ({ body, ...content }) => {
        const plan = git(remote, 'show', `main:shared/projects/${projectId}/plan.md`);
        for (const taskId of assignedIn(String(body))) {
          const task = JSON.parse(git(remote, 'show', `main:shared/tasks/${taskId}/meta.json`)) as { status: string };
          if (!plan.includes(`- [~] ${taskId} `) || task.status === 'pending') early.push(taskId);
        }
        // The first digest stands still until Workers have done work that the rooms have not heard of.
        if (!('dev.batond.txns' in content)) return;
        digest.resolve(assignedIn(String(body)));
        await submitted.promise;
      });
      const { lead, members, observer, teamRoom, ...team } = await matrixTeam(homeserver(), {
        workers: ['ana', 'bo', 'cy'],
        through: proxy.url,
      });
      remote = team.remote;
      const leader = await startMatrixNode(lead);
      const workers = await Promise.all(members.map((member) => startMatrixNode(member)));
      const assignee = (taskId: string): number => taskIds.indexOf(taskId) % members.length;
      await must(leader, 'create_project', { projectId, title: 'P', source: 'team-admin' });
      await must(leader, 'plan_dag', {
        projectId,
        tasks: taskIds.map((taskId) => ({ taskId, title: taskId, assignedTo: members[assignee(taskId)]?.userId })),
      });

      const delegating = taskIds.map(async (taskId) => {
        const delegate = { projectId, taskId, roomId: teamRoom, spec: 'Do it.' };
        const answer = await call(leader, 'delegate_task', delegate);
        // A call may come to wait for the digest that stands still here; the limit alone is no reason to fail.
        if (!answer.ok) return expect(answer.error).toMatch(/cannot be reached$/);
        const { sent, queued } = answer['notification'] as { sent: boolean; queued?: boolean };
        expect([sent, queued]).toEqual(sent ? [true, undefined] : [false, true]);
      });
      const done = (await digest.promise).slice(0, 2);
      expect(done.length).toBe(2);
      for (const taskId of done) {
        const worker = workers[assignee(taskId)];
        if (worker === undefined) throw new Error(`nobody has ${taskId}`);
        await eventually(async () => (await call(worker, 'ack_task', { taskId })).ok || undefined, `${taskId} arrives`);
        await must(worker, 'submit_task', { taskId, status: 'SUCCESS', summary: `Did ${taskId}.` });
      }
      const unheard = (await observer.messages(teamRoom)).flatMap(({ content }) => assignedIn(content.body));
      expect(unheard).toEqual(expect.not.arrayContaining(done));
      submitted.resolve();
      await Promise.all(delegating);

      const events = await Promise.all(
        taskIds.map((taskId) =>
          eventually(async () => {
            const { status, event_id } = (await call(leader, 'check_task', { taskId }))['task'] as Record<
              string,
              string
            >;
            return status === (done.includes(taskId) ? 'submitted' : 'assigned') ? event_id : undefined;
          }, `the message of ${taskId} is recorded`),
        ),
      );
      const said = (await observer.messages(teamRoom)).flatMap(({ event_id: eventId, sender, content }) =>
        assignedIn(content.body).map((taskId) => ({ taskId, eventId, sender })),
      );
      expect(said.toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1))).toEqual(
        taskIds.map((taskId, index) => ({ taskId, eventId: events[index], sender: lead.userId })),
      );
      expect(early).toEqual([]);
      const owed = (): readonly unknown[] =>
        (JSON.parse(readFileSync(join(lead.dir, '.baton/outbox.json'), 'utf8')) as { owed: readonly unknown[] }).owed;
      // A round of the node may still find something to report.
      expect(await leader.sync()).toMatchObject({ ok: true });
      await eventually(() => owed().length === 0 || undefined, 'the queue is empty');
      await leader.stop();
      expect(JSON.parse(readFileSync(join(lead.dir, '.baton/outbox.json'), 'utf8'))).toEqual({ schema: 1, owed: [] });
    },
  );
});
