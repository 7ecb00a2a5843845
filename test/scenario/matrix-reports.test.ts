import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { App, Envelope } from '../../src/app-types.ts';
import type { RoomEvent } from '../support/synapse/accounts.ts';
import { onHomeserver, onOwnHomeserver } from '../support/synapse/homeserver.ts';
import { call, matrixTeam, must, startMatrixNode } from '../support/synapse/team.ts';
import { eventually } from '../support/waiting.ts';

type Payload = Readonly<Record<string, unknown>>;

/** Changes a file of the workspace as a person does. */
function edit(dir: string, path: string, changes: Payload): void {
  const file = join(dir, path);
  const before = JSON.parse(readFileSync(file, 'utf8')) as Payload;
  writeFileSync(file, `${JSON.stringify({ ...before, ...changes }, undefined, 2)}\n`);
}

async function plan(app: App, origin: Payload, taskIds: readonly string[], assignedTo: string): Promise<Envelope> {
  const created = await must(app, 'create_project', { projectId: 'p', title: 'Figures', ...origin });
  const tasks = taskIds.map((taskId) => ({ taskId, title: `Task ${taskId}`, assignedTo }));
  await must(app, 'plan_dag', { projectId: 'p', tasks });
  return created;
}

const claim = (taskId: string, roomId: string): Payload => ({ projectId: 'p', taskId, roomId, spec: 'Do it.' });

async function handIn(app: App, taskId: string, worker: string): Promise<void> {
  await must(app, 'submit_task', { taskId, status: 'SUCCESS', summary: `Did ${taskId}.` }, worker);
}

async function accept(app: App, taskId: string): Promise<void> {
  const { task } = await must(app, 'check_task', { taskId });
  const { submission_id: submissionId } = task as { submission_id: string };
  await must(app, 'accept_task_result', { projectId: 'p', taskId, submissionId });
}

async function pending(app: App): Promise<boolean> {
  const { project } = await must(app, 'resolve_project', { projectId: 'p' });
  return (project as { requester_report?: { pending?: boolean } }).requester_report?.pending === true;
}

const delivered = (app: App): Promise<true> =>
  eventually(async () => !(await pending(app)) || undefined, 'the report is delivered');

/** Reports in a room, in any language, oldest first. */
const reportsIn = (events: readonly RoomEvent[]): readonly RoomEvent[] =>
  events.filter(({ content }) => content.body?.includes('- **ID**') === true);

const nameOf = (userId: string): string => userId.slice(1, userId.indexOf(':'));

async function team(homeserver: Parameters<typeof matrixTeam>[0], settings: Payload = {}) {
  const made = await matrixTeam(homeserver, { workers: ['ana'] });
  const [ana] = made.members;
  if (ana === undefined) throw new Error('a team needs a Worker');
  edit(made.lead.dir, 'shared/team.json', settings);
  return { ...made, ana: ana.userId, worker: nameOf(ana.userId) };
}

onHomeserver('reports on a homeserver', (homeserver) => {
  test('go to the Leader DM without a mention when the Team Admin asked', async () => {
    const { lead, observer, teamRoom, leaderDm, ana, worker } = await team(homeserver());
    const leader = await startMatrixNode(lead);
    const created = await plan(leader, { source: 'team-admin' }, ['p-01', 'p-02'], ana);
    expect(created).not.toHaveProperty('warning');
    await must(leader, 'delegate_task', claim('p-01', teamRoom));
    await handIn(leader, 'p-01', worker);
    await accept(leader, 'p-01');
    await delivered(leader);
    expect(reportsIn(await observer.messages(leaderDm))).toMatchObject([
      { sender: lead.userId, content: { body: expect.stringMatching(/^---/) as string, 'm.mentions': {} } },
    ]);
    expect(reportsIn(await observer.messages(teamRoom))).toEqual([]);
  });

  test('go to the Leader Room with a pill for the Manager when the Manager asked', async () => {
    const { lead, observer, admin, teamRoom, leaderDm, ana, worker } = await team(homeserver());
    const leaderRoom = await lead.createRoom({ invite: [admin.userId, observer.userId] });
    await observer.join(leaderRoom);
    edit(lead.dir, 'shared/team.json', { leaderRoomId: leaderRoom });
    const leader = await startMatrixNode(lead);
    const created = await plan(leader, { source: 'manager', requester: admin.userId }, ['p-01', 'p-02'], ana);
    const obstacle = `reports on project p would reach nobody: room ${leaderRoom} has not been joined by ${admin.userId}`;
    expect(created).toMatchObject({ warning: expect.stringContaining(obstacle) as string });
    expect(await call(leader, 'delegate_task', claim('p-01', teamRoom))).toMatchObject({
      ok: false,
      code: 'no-report-route',
      error: obstacle,
    });
    expect(await observer.messages(teamRoom)).toEqual([]);

    await admin.join(leaderRoom);
    await must(leader, 'delegate_task', claim('p-01', teamRoom));
    await handIn(leader, 'p-01', worker);
    await accept(leader, 'p-01');
    await delivered(leader);
    const pill = `<a href="https://matrix.to/#/${encodeURIComponent(admin.userId)}">`;
    expect(reportsIn(await observer.messages(leaderRoom))).toMatchObject([
      {
        sender: lead.userId,
        content: {
          body: expect.stringMatching(`^${admin.userId}\n\n---`) as string,
          formatted_body: expect.stringContaining(pill) as string,
          'm.mentions': { user_ids: [admin.userId] },
        },
      },
    ]);
    expect(await observer.messages(leaderDm)).toEqual([]);
  });

  test('on a route that leads nowhere no work starts, until the metadata is mended', async () => {
    const { lead, observer, teamRoom, leaderDm, ana } = await team(homeserver());
    const leader = await startMatrixNode(lead);
    const created = await plan(leader, { source: 'api' }, ['p-01'], ana);
    const error = 'reports on project p would reach nobody: its source api has no room';
    expect(created).toMatchObject({ warning: expect.stringContaining(error) as string });
    expect(await call(leader, 'delegate_task', claim('p-01', teamRoom))).toMatchObject({
      ok: false,
      code: 'no-report-route',
      error,
      remedy: expect.stringContaining('shared/projects/p/meta.json') as string,
    });
    expect(await observer.messages(teamRoom)).toEqual([]);
    edit(lead.dir, 'shared/projects/p/meta.json', { reply_route: { channel: 'matrix', target_session: leaderDm } });
    await eventually(
      async () => (await call(leader, 'delegate_task', claim('p-01', teamRoom))).ok || undefined,
      'the mended record is taken up',
    );
    expect((await observer.messages(teamRoom)).length).toBe(1);
  });

  test.each([
    ['ko-KR', '## 프로젝트 보고서: Figures', '전체 작업 2건 중 완료 1건, 대기 1건입니다.'],
    ['zh-TW', '## 项目报告：Figures', '共 2 项任务，已完成 1 项，1 项待开始。'],
  ])('are in the language of the team: %s', async (language, heading, summary) => {
    const { lead, observer, teamRoom, leaderDm, ana, worker } = await team(homeserver(), { policies: { language } });
    const leader = await startMatrixNode(lead);
    await plan(leader, { source: 'team-admin' }, ['p-01', 'p-02'], ana);
    await must(leader, 'delegate_task', claim('p-01', teamRoom));
    await handIn(leader, 'p-01', worker);
    await accept(leader, 'p-01');
    await delivered(leader);
    const [report, ...others] = reportsIn(await observer.messages(leaderDm));
    expect(others).toEqual([]);
    expect(report?.content.body?.split('\n')).toEqual(expect.arrayContaining([heading, summary]));
    expect((await observer.messages(teamRoom))[0]?.content.body).toContain('TASK_ASSIGNED: p-01 - Task p-01');
  });

  test('that a room refuses stay owed, and arrive once when it takes them again', async () => {
    const { lead, admin, observer, teamRoom, ana, worker } = await team(homeserver());
    const room = await admin.createRoom({ invite: [lead.userId, observer.userId] });
    await observer.join(room);
    await lead.join(room);
    const leader = await startMatrixNode(lead);
    await plan(leader, { requester: `matrix:${room}` }, ['p-01', 'p-02'], ana);
    await must(leader, 'delegate_task', claim('p-01', teamRoom));
    await handIn(leader, 'p-01', worker);
    await lead.call('POST', `/rooms/${encodeURIComponent(room)}/leave`, {});
    await accept(leader, 'p-01');
    await leader.sync();
    expect(await pending(leader)).toBe(true);
    expect(reportsIn(await observer.messages(room))).toEqual([]);

    await admin.invite(room, lead.userId);
    await lead.join(room);
    await delivered(leader);
    await leader.stop();
    expect(reportsIn(await observer.messages(room)).length).toBe(1);
  });
});

onOwnHomeserver('reports while the homeserver is down', { rateLimits: 'raised' }, (homeserver) => {
  test('of three completions become one, which names all three', async () => {
    const { lead, observer, teamRoom, leaderDm, ana, worker } = await team(homeserver());
    const taskIds = ['p-01', 'p-02', 'p-03'];
    const leader = await startMatrixNode(lead);
    await plan(leader, { source: 'team-admin' }, [...taskIds, 'p-04'], ana);
    for (const taskId of [...taskIds, 'p-04']) await must(leader, 'delegate_task', claim(taskId, teamRoom));
    await delivered(leader);
    const [start, ...none] = reportsIn(await observer.messages(leaderDm));
    expect(none).toEqual([]);
    expect(start?.content.body).toContain('0 of 4 tasks are completed, 4 in progress.');

    await homeserver().halt();
    for (const taskId of taskIds) {
      await call(leader, 'submit_task', { taskId, status: 'SUCCESS', summary: `Did ${taskId}.` }, worker);
      await accept(leader, taskId);
    }
    expect(await pending(leader)).toBe(true);
    await homeserver().start();
    await delivered(leader);
    await leader.stop();

    const [, report, ...others] = reportsIn(await observer.messages(leaderDm));
    expect(others).toEqual([]);
    expect(report?.content.body).toContain(
      '3 of 4 tasks are completed, 1 in progress. Changed: p-01 (completed), p-02 (completed), p-03 (completed).',
    );
    for (const taskId of taskIds) expect(report?.content.body).toContain(`Did ${taskId}.`);
  });
});
