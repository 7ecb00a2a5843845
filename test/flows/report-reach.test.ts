import { describe, expect, test } from 'vitest';
import { newAgent, renderAgent } from '../../src/protocol/records/agent.ts';
import { createOffice, lead, ok, refused, ROOM } from './office.ts';
import type { Office } from './office.ts';

const DM = '!dm:hs.local';
const claim = { projectId: 'p', taskId: 'p-01', roomId: ROOM, spec: 'Do it.' };
const delegate = (office: Office, more: object = {}) =>
  office.call(lead, 'taskflow', 'delegate_task', { ...claim, ...more });

async function project(office: Office, origin: object, ...ids: string[]) {
  const created = await ok(
    office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P', ...origin }),
  );
  const tasks = ['p-01', ...ids].map((taskId) => ({ taskId, title: taskId, assignedTo: 'ana' }));
  await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
  return created;
}

describe('work on which nobody could be told', () => {
  test.each<[string, object, object, string]>([
    ['from a Manager without a room', { source: 'manager' }, {}, 'it was asked for by a Manager, and shared/team.json'],
    ['from an unknown Manager', { source: 'manager' }, { leaderRoomId: '!l:hs.local' }, 'nobody knows who that is'],
    ['from a source without a room', { source: 'api' }, {}, 'its source api has no room'],
    ['from a stranger', { requester: '@eve:hs.local' }, {}, 'nobody knows how to reach its requester @eve:hs.local'],
  ])('%s does not start', async (_, origin, team, problem) => {
    const office = createOffice({ team: { ...team } });
    const { warning } = await project(office, origin);
    expect(warning).toContain(problem);
    expect(await refused(office, () => delegate(office))).toContain(
      'no-report-route: reports on project p would reach nobody: ',
    );
    expect(office.sent).toEqual([]);
    const quick = { title: 'Q', assignedTo: 'ana', roomId: ROOM, spec: 'Do it.', ...origin };
    const call = () => office.call(lead, 'projectflow', 'create_quick_project', quick);
    expect(await refused(office, call)).toContain(problem);
  });

  test('starts once the metadata is mended', async () => {
    const office = createOffice({ team: { leaderRoomId: '!l:hs.local' } });
    await project(office, { source: 'manager' });
    expect(await refused(office, () => delegate(office))).toMatch(/^no-report-route: /);
    const agent = newAgent({ id: 'chief', role: 'manager', matrixUserId: '@chief:hs.local' });
    office.files['shared/agents/chief.json'] = renderAgent(agent);
    await ok(delegate(office));
  });

  test.each([
    [{ room: DM, members: ['@lead:hs.local'] }, 'room !dm:hs.local has not been joined by @lead:hs.local'],
    [{ room: DM, members: ['@a:hs', '@b:hs'] }, 'room !dm:hs.local has not been joined by @a:hs and @b:hs'],
  ])('does not start where the homeserver says who is missing: %j', async (absent, error) => {
    const office = createOffice();
    await project(office, {});
    office.facts = { absent };
    expect(await refused(office, () => delegate(office))).toBe(
      `no-report-route: reports on project p would reach nobody: ${error}`,
    );
  });

  test.each([undefined, { room: DM, members: [] }, { room: '!other:hs.local', members: ['@lead:hs.local'] }])(
    'is no concern when nobody is known to be missing from its room: %j',
    async (absent) => {
      const office = createOffice();
      await project(office, {});
      office.facts = absent === undefined ? {} : { absent };
      await ok(delegate(office));
    },
  );

  test('goes on where it was claimed before the route was lost', async () => {
    const office = createOffice();
    await project(office, {});
    office.weather.silent = 'Matrix send failed: away';
    expect(await delegate(office)).toMatchObject({ code: 'notify-failed' });
    office.weather.silent = undefined;
    office.facts = { absent: { room: DM, members: ['@lead:hs.local'] } };
    await ok(delegate(office));
    expect(await delegate(office)).toMatchObject({ ok: true, notification: { reused: true } });
  });

  test('of another channel starts: whoever serves it fetches the report', async () => {
    const office = createOffice();
    expect(await project(office, { requester: 'dingtalk:u:s' })).not.toHaveProperty('warning');
    await ok(delegate(office, { roomId: '!room:hs.local' }));
  });
});

describe('the first work of a project', () => {
  test('makes a report due once its whole wave is given out', async () => {
    const office = createOffice();
    await project(office, {}, 'p-02');
    await ok(delegate(office));
    expect(await office.internal('project.report', { projectId: 'p' })).toMatchObject({ unchanged: true });
    await ok(delegate(office, { taskId: 'p-02' }));
    expect(await office.internal('project.report', { projectId: 'p' })).toMatchObject({ reason: 'work_started' });
    expect(office.sent.at(-1)).toMatchObject({
      kind: 'report',
      room: DM,
      text: expect.stringContaining('0 of 2 tasks are completed, 2 in progress.') as string,
    });
    expect(await office.internal('project.report', { projectId: 'p' })).toMatchObject({ unchanged: true });
  });
});
