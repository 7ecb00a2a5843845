import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { onHomeserver } from '../support/synapse/homeserver.ts';
import { proxyTo } from '../support/synapse/proxy.ts';
import { call, matrixTeam, must, startMatrixNode } from '../support/synapse/team.ts';
import { eventually } from '../support/waiting.ts';

const projectId = 'p';
const [first, second] = ['p-01', 'p-02'];
const taskIds = [first, second];

onHomeserver('a homeserver that takes requests and answers none', (homeserver) => {
  test('holds up neither calls nor results, and is told of all once and in order when it answers', async () => {
    const proxy = await proxyTo(homeserver().url);
    const { lead, members, observer, teamRoom, remote } = await matrixTeam(homeserver(), { through: proxy.url });
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const leader = await startMatrixNode(lead);
    const worker = await startMatrixNode(ana);
    await must(leader, 'create_project', { projectId, title: 'P', source: 'team-admin' });
    const tasks = taskIds.map((taskId) => ({ taskId, title: taskId, assignedTo: ana.userId }));
    await must(leader, 'plan_dag', { projectId, tasks });

    // Every call below comes back while nothing is answered.
    const release = proxy.hold();
    for (const taskId of taskIds) {
      const delegate = { projectId, taskId, roomId: teamRoom, spec: 'Do it.' };
      expect(await must(leader, 'delegate_task', delegate)).toMatchObject({
        notification: { sent: false, queued: true, reason: 'the homeserver takes its time' },
      });
      expect(git(remote, 'show', `main:shared/projects/${projectId}/plan.md`)).toContain(`- [~] ${taskId} `);
    }
    for (const taskId of taskIds)
      await eventually(async () => (await call(worker, 'ack_task', { taskId })).ok || undefined, `${taskId} arrives`);
    await must(worker, 'submit_task', { taskId: first, status: 'SUCCESS', summary: `Did ${first}.` });
    const result = `STATUS: SUCCESS\nSUMMARY: Did ${second}.\n\nDELIVERABLES:\n`;
    writeFileSync(join(ana.dir, `shared/tasks/${second}/result.md`), result);
    for (const taskId of taskIds)
      await eventually(
        async () => (await call(leader, 'check_task', { taskId }))['submitted'] === true || undefined,
        `${taskId} is submitted`,
      );
    expect(await observer.messages(teamRoom)).toEqual([]);

    release();
    const saidBy = async (user: string): Promise<readonly string[]> =>
      (await observer.messages(teamRoom))
        .filter(({ sender }) => sender === user)
        .map(({ content }) => content.body?.split(' ').slice(1, 3).join(' ') ?? '');
    await eventually(async () => {
      const { task } = await call(leader, 'check_task', { taskId: second });
      return (task as { event_id?: string }).event_id;
    }, 'the last assignment is said and recorded');
    await eventually(async () => (await saidBy(ana.userId)).length >= 2 || undefined, 'the results are told');
    await worker.stop();
    await leader.stop();
    expect(await saidBy(lead.userId)).toEqual(taskIds.map((taskId) => `TASK_ASSIGNED: ${taskId}`));
    expect(await saidBy(ana.userId)).toEqual(taskIds.map((taskId) => `TASK_COMPLETED: ${taskId}`));
    for (const { dir } of [lead, ana])
      expect(JSON.parse(readFileSync(join(dir, '.baton/outbox.json'), 'utf8'))).toEqual({ schema: 1, owed: [] });
  });
});
