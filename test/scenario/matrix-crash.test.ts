import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { App } from '../../src/app-types.ts';
import { connectSocket } from '../../src/doors/socket/client.ts';
import { startUp } from '../support/node.ts';
import type { RunningNode } from '../support/node.ts';
import { person } from '../support/synapse/accounts.ts';
import { onHomeserver, onOwnHomeserver } from '../support/synapse/homeserver.ts';
import { proxyTo } from '../support/synapse/proxy.ts';
import { call, matrixTeam, must, startMatrixNode, tokenOf } from '../support/synapse/team.ts';
import { eventually } from '../support/waiting.ts';

const projectId = 'p';

async function plan(app: App, taskIds: readonly string[], assignedTo: string): Promise<void> {
  await must(app, 'create_project', { projectId, title: 'P', source: 'team-admin' });
  await must(app, 'plan_dag', { projectId, tasks: taskIds.map((taskId) => ({ taskId, title: taskId, assignedTo })) });
}

/** The running node, asked over its socket; the call ends with the node at the latest. */
async function over<Value>(workspace: string, work: (app: App) => Promise<Value>): Promise<Value> {
  const app = await connectSocket(join(workspace, '.baton/node.sock'), workspace);
  if (app === undefined) throw new Error('no node answers');
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

onHomeserver('a Leader that is killed', (homeserver) => {
  test.each([
    ['between push and send', 'before'],
    ['between send and recording', 'after'],
  ] as const)('%s says it once', async (_, when) => {
    const proxy = await proxyTo(homeserver().url);
    const { lead, members, observer, teamRoom } = await matrixTeam(homeserver(), { through: proxy.url });
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const up = (): Promise<RunningNode> => startUp(lead.dir, tokenOf(lead.account));
    const node = await up();
    await over(lead.dir, (app) => plan(app, ['p-01'], ana.userId));
    const killed = Promise.withResolvers<void>();
    proxy.meet({ [when]: () => node.kill().then(killed.resolve) });
    const delegate = { projectId, taskId: 'p-01', roomId: teamRoom, spec: 'Do it.' };
    await expect(over(lead.dir, (app) => call(app, 'delegate_task', delegate))).rejects.toThrow();
    await killed.promise;
    expect((await observer.messages(teamRoom)).length).toBe(when === 'before' ? 0 : 1);

    const next = await up();
    const task = await eventually(async () => {
      const answer = await over(lead.dir, (app) => call(app, 'check_task', { taskId: 'p-01' }));
      const { status, event_id: eventId } = answer['task'] as { status?: string; event_id?: string };
      return status === 'assigned' ? { status, eventId } : undefined;
    }, 'the message is sent and recorded');
    const said = await observer.messages(teamRoom);
    expect(said.map(({ event_id }) => event_id)).toEqual([task.eventId]);
    expect(await next.stop()).toBe(0);
  });
});

onOwnHomeserver('a homeserver that', { rateLimits: 'default' }, (homeserver) => {
  const slow = { timeout: 150_000 };

  test('is down for the whole of a project: that hinders no work, and the rooms catch up in order', slow, async () => {
    const { lead, members, observer, teamRoom, leaderDm } = await matrixTeam(homeserver());
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    await homeserver().halt();
    const leader = await startMatrixNode(lead);
    const worker = await startMatrixNode(ana);
    const taskIds = ['p-01', 'p-02'];
    await plan(leader, taskIds, ana.userId);
    for (const taskId of taskIds) {
      expect(
        await call(leader, 'delegate_task', { projectId, taskId, roomId: teamRoom, spec: 'Do it.' }),
      ).toMatchObject({
        ok: false,
        code: 'notify-failed',
        retryable: true,
        task: { status: 'prepared' },
      });
      await eventually(async () => (await call(worker, 'ack_task', { taskId })).ok || undefined, `${taskId} arrives`);
      await must(worker, 'submit_task', { taskId, status: 'SUCCESS', summary: `Did ${taskId}.` });
      const checked = await eventually(async () => {
        const answer = await call(leader, 'check_task', { taskId });
        return answer['submitted'] === true ? answer : undefined;
      }, `${taskId} is submitted`);
      const { submission_id: submissionId } = checked['task'] as { submission_id: string };
      await must(leader, 'accept_task_result', { projectId, taskId, submissionId, resultStatus: 'SUCCESS' });
    }
    await must(leader, 'complete_project', { projectId });

    await homeserver().start();
    await eventually(async () => {
      const { project } = await must(leader, 'resolve_project', { projectId });
      return (project as { requester_report?: { pending?: boolean } }).requester_report?.pending === false || undefined;
    }, 'the report is delivered');
    const lines = await eventually(async () => {
      const said = await observer.messages(teamRoom);
      return said.length >= 5 ? said : undefined;
    }, 'the Team Room has caught up');
    const saidBy = (user: string): readonly string[] =>
      lines
        .filter(({ sender }) => sender === user)
        .map(({ content }) => content.body?.split(' ').slice(1, 3).join(' ') ?? '');
    expect(saidBy(lead.userId)).toEqual(['TASK_ASSIGNED: p-01', 'TASK_ASSIGNED: p-02', 'PROJECT_COMPLETED: p']);
    expect(saidBy(ana.userId)).toEqual(['TASK_COMPLETED: p-01', 'TASK_COMPLETED: p-02']);
    const reports = (await observer.messages(leaderDm)).map(({ content }) => content.body);
    expect(new Set(reports).size).toBe(reports.length);
    expect(reports.at(-1)).toMatch(/completed/i);
  });

  test.each([
    ['after it has chosen what a digest says', 'before'],
    ['between the digest and its recording', 'after'],
  ] as const)('takes less than there is to say, and a Leader that is killed %s says it once', slow, async (_, when) => {
    const proxy = await proxyTo(homeserver().url);
    const { lead, members, observer, teamRoom } = await matrixTeam(homeserver(), { through: proxy.url });
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const node = await startUp(lead.dir, tokenOf(lead.account));
    const taskIds = [...Array(8).keys()].map((index) => `p-0${index + 1}`);
    await over(lead.dir, (app) => plan(app, taskIds, ana.userId));
    // What the account may say at once is said, so that most of the rest is held back.
    const hasty = person(homeserver(), lead.account, { patient: false });
    while (await hasty.say(teamRoom, 'Just talk').catch(() => undefined));
    const killed = Promise.withResolvers<void>();
    proxy.meet({ only: (content) => 'dev.batond.txns' in content, [when]: () => node.kill().then(killed.resolve) });
    // Some of the calls may end with the node; the task stands all the same.
    const delegate = (app: App, taskId: string) =>
      call(app, 'delegate_task', { projectId, taskId, roomId: teamRoom, spec: 'Do it.' }).catch(() => undefined);
    await over(lead.dir, (app) => Promise.all(taskIds.map((taskId) => delegate(app, taskId))));
    await killed.promise;

    const next = await startUp(lead.dir, tokenOf(lead.account));
    const events = await Promise.all(
      taskIds.map((taskId) =>
        eventually(async () => {
          const { status, event_id } = (await over(lead.dir, (app) => call(app, 'check_task', { taskId })))[
            'task'
          ] as Record<string, string>;
          return status === 'assigned' ? event_id : undefined;
        }, `${taskId} is assigned`),
      ),
    );
    const said = (await observer.messages(teamRoom)).flatMap(({ event_id: eventId, content }) =>
      (content.body?.match(/(?<=TASK_ASSIGNED: )\S+/g) ?? []).map((taskId) => ({ taskId, eventId })),
    );
    // They are asked for at the same moment: which of them the homeserver still takes by itself is its own choice.
    const inOrder = said.toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1));
    expect(inOrder).toEqual(taskIds.map((taskId, index) => ({ taskId, eventId: events[index] })));
    expect(new Set(events).size).toBeLessThan(events.length - 1);
    expect(await next.stop()).toBe(0);
  });
});
