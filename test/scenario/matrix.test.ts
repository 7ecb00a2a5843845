import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { App, Envelope } from '../../src/app-types.ts';
import type { RoomEvent } from '../support/synapse/accounts.ts';
import { onHomeserver } from '../support/synapse/homeserver.ts';
import { batonWith } from '../support/baton.ts';
import { matrixTeam, startMatrixNode, tokenOf } from '../support/synapse/team.ts';
import { git } from '../support/git.ts';
import { eventually } from '../support/waiting.ts';

const call = (app: App, action: string, payload: Record<string, unknown>): Promise<Envelope> =>
  app.call({ tool: /task$|attention|progress/.test(action) ? 'taskflow' : 'projectflow', action, payload });

async function must(app: App, action: string, payload: Record<string, unknown>): Promise<Envelope> {
  const answer = await call(app, action, payload);
  expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
  return answer;
}

/** A project with one task that is planned for a Worker. */
async function plan(app: App, projectId: string, assignee: string): Promise<string> {
  const taskId = `${projectId}-01`;
  await must(app, 'create_project', { projectId, title: 'Figures', source: 'team-admin' });
  await must(app, 'plan_dag', {
    projectId,
    tasks: [{ taskId, title: 'Collect <b>figures</b>', assignedTo: assignee }],
  });
  return taskId;
}

const about = (events: readonly RoomEvent[], token: string): readonly RoomEvent[] =>
  events.filter(({ content }) => content.body?.includes(token) === true);

const link = (user: string): string => `<a href="https://matrix.to/#/${encodeURIComponent(user)}">`;

onHomeserver('a team on a homeserver', (homeserver) => {
  test('an assignment, its completion and the report are each there once, and wake whom they name', async () => {
    const { lead, members, observer, teamRoom, leaderDm } = await matrixTeam(homeserver());
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const leader = await startMatrixNode(lead);
    const worker = await startMatrixNode(ana);

    const taskId = await plan(leader, 'figures', ana.userId);
    const delegated = await must(leader, 'delegate_task', {
      projectId: 'figures',
      taskId,
      roomId: `room:${teamRoom}`,
      spec: 'Collect them.',
    });
    const [assignment, ...noOther] = about(await observer.messages(teamRoom), 'TASK_ASSIGNED');
    expect(noOther).toEqual([]);
    expect(assignment).toMatchObject({
      sender: lead.userId,
      content: {
        body: expect.stringContaining(`${ana.userId} TASK_ASSIGNED: ${taskId} - `) as string,
        formatted_body: expect.stringContaining(link(ana.userId)) as string,
        'm.mentions': { user_ids: [ana.userId] },
      },
    });
    expect(assignment?.content.formatted_body).not.toContain('<b>');
    expect(delegated).toMatchObject({
      notification: { sent: true, eventId: assignment?.event_id, roomId: teamRoom, assignee: ana.userId },
      task: { status: 'assigned', event_id: assignment?.event_id },
    });

    await eventually(
      async () => (await call(worker, 'ack_task', { taskId })).ok || undefined,
      'the assignment arrives',
    );
    const submitted = await must(worker, 'submit_task', { taskId, status: 'SUCCESS', summary: 'All of them.' });
    const [completion, ...noSecond] = about(await observer.messages(teamRoom), 'TASK_COMPLETED');
    expect(noSecond).toEqual([]);
    expect(completion).toMatchObject({
      sender: ana.userId,
      content: {
        body: expect.stringMatching(new RegExp(`^${lead.userId} TASK_COMPLETED: ${taskId} - `)) as string,
        formatted_body: expect.stringContaining(link(lead.userId)) as string,
        'm.mentions': { user_ids: expect.arrayContaining([lead.userId]) as string[] },
      },
    });
    expect(submitted).toMatchObject({ notification: { sent: true, eventId: completion?.event_id } });

    const checked = await eventually(async () => {
      const answer = await call(leader, 'check_task', { taskId });
      return answer['submitted'] === true ? answer : undefined;
    }, 'the submission arrives');
    const { submission_id: submissionId } = checked['task'] as { submission_id: string };
    await must(leader, 'accept_task_result', { projectId: 'figures', taskId, submissionId, resultStatus: 'SUCCESS' });
    await must(leader, 'complete_project', { projectId: 'figures' });
    await eventually(async () => {
      const { project } = await must(leader, 'resolve_project', { projectId: 'figures' });
      return (project as { requester_report?: { pending?: boolean } }).requester_report?.pending === false || undefined;
    }, 'the report is delivered');

    // One on the accepted task, one on the completed project; the same state is never told twice.
    const reports = about(await observer.messages(leaderDm), 'All of them.');
    expect(new Set(reports.map(({ content }) => content.body)).size).toBe(reports.length);
    expect(reports.filter(({ content }) => /status.*completed/i.test(content.body ?? ''))).toMatchObject([
      { sender: lead.userId, content: { formatted_body: expect.stringContaining('<table>') as string } },
    ]);
    await leader.stop();
    await worker.stop();
    expect(about(await observer.messages(teamRoom), taskId).length).toBe(2);
  });

  test('who has not joined is not written to, and the same call goes on once they have', async () => {
    const { lead, members, observer, teamRoom } = await matrixTeam(homeserver());
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const other = await lead.createRoom({ invite: [ana.userId, observer.userId] });
    await observer.join(other);
    const leader = await startMatrixNode(lead);
    const taskId = await plan(leader, 'figures', ana.userId);
    const delegate = { projectId: 'figures', taskId, roomId: other, spec: 'Collect them.' };
    expect(await call(leader, 'delegate_task', delegate)).toMatchObject({
      ok: false,
      code: 'notify-failed',
      retryable: true,
      error: `worker ${ana.userId} is not a joined member of room ${other}`,
      task: { status: 'prepared' },
    });
    expect(await observer.messages(other)).toEqual([]);
    await ana.join(other);
    await must(leader, 'delegate_task', delegate);
    expect(about(await observer.messages(other), 'TASK_ASSIGNED').length).toBe(1);
    expect(await observer.messages(teamRoom)).toEqual([]);
  });

  test('a mistyped room leaves an assignment as it is, and a corrected one is said once', async () => {
    const { lead, members, observer, teamRoom } = await matrixTeam(homeserver());
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const other = await lead.createRoom({ invite: [ana.userId, observer.userId] });
    await observer.join(other);
    const leader = await startMatrixNode(lead);
    const taskId = await plan(leader, 'figures', ana.userId);
    const delegate = { projectId: 'figures', taskId, spec: 'Collect them.' };
    // Not joined: claimed, and not said.
    await call(leader, 'delegate_task', { ...delegate, roomId: other });
    const claimed = (await must(leader, 'resolve_project', { taskId }))['task'];
    for (const roomId of ['!nonsense:baton.test', `!${'x'.repeat(43)}`]) {
      expect(await call(leader, 'delegate_task', { ...delegate, roomId, spec: 'Other.' })).toMatchObject({
        ok: false,
        code: 'notify-failed',
      });
    }
    expect((await must(leader, 'resolve_project', { taskId }))['task']).toEqual(claimed);
    await must(leader, 'delegate_task', { ...delegate, roomId: teamRoom });
    await ana.join(other);
    await leader.sync();
    await leader.stop();
    expect(about(await observer.messages(teamRoom), 'TASK_ASSIGNED').length).toBe(1);
    expect(await observer.messages(other)).toEqual([]);
  });

  test('team setup makes the rooms once, and the nodes of the team follow into them', async () => {
    const { lead, members, admin, observer } = await matrixTeam(homeserver(), { rooms: false });
    const [ana] = members;
    if (ana === undefined) throw new Error('a team needs a Worker');
    const setUp = async (...flags: readonly string[]) => {
      const run = await batonWith({ cwd: lead.dir, env: tokenOf(lead.account) }, 'team', 'setup', '--json', ...flags);
      expect(run.code, run.stdout + run.stderr).toBe(0);
      return (JSON.parse(run.stdout) as { rooms: readonly { key: string; roomId: string }[] }).rooms;
    };
    const head = () => git(lead.dir, 'rev-parse', 'HEAD');
    const made = await setUp('--invite', ana.userId);
    expect(made).toEqual([
      { key: 'teamRoomId', roomId: expect.any(String) as string, created: true, invited: [admin.userId, ana.userId] },
      { key: 'leaderDmRoomId', roomId: expect.any(String) as string, created: true, invited: [admin.userId] },
    ]);
    const [teamRoom, leaderDm] = made.map(({ roomId }) => roomId);
    const written = readFileSync(join(lead.dir, 'shared/team.json'), 'utf8');
    expect(JSON.parse(written)).toMatchObject({ name: 'team', teamRoomId: teamRoom, leaderDmRoomId: leaderDm });

    await startMatrixNode(ana);
    await eventually(async () => (await lead.joined(teamRoom ?? '')).includes(ana.userId) || undefined, 'Ana joins');
    const again = await setUp('--invite', ana.userId, observer.userId);
    expect(again).toEqual([
      { key: 'teamRoomId', roomId: teamRoom, created: false, invited: [observer.userId] },
      { key: 'leaderDmRoomId', roomId: leaderDm, created: false, invited: [] },
    ]);

    const before = head();
    await setUp('--invite', ana.userId, observer.userId);
    expect(head()).toBe(before);

    // As if the run had been broken off before it could write down what it made.
    writeFileSync(
      join(lead.dir, 'shared/team.json'),
      written.replaceAll(/^.*RoomId.*\n/gm, '').replace('},\n}', '}\n}'),
    );
    expect((await setUp()).map(({ roomId }) => roomId)).toEqual([teamRoom, leaderDm]);
    expect(JSON.parse(readFileSync(join(lead.dir, 'shared/team.json'), 'utf8'))).toEqual(JSON.parse(written));
  });
});
