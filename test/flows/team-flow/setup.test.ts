import { beforeEach, describe, expect, test } from 'vitest';
import { ana, createOffice, lead, ok, refused } from '../office.ts';
import type { Office, OfficeOptions } from '../office.ts';

const ADMIN = '@admin:hs.local';
let office: Office;
const setUp = (payload: Record<string, unknown> = {}, dryRun?: boolean) =>
  office.call(lead, 'team', 'setup', payload, dryRun);
const team = (): Record<string, unknown> =>
  JSON.parse(office.files['shared/team.json'] ?? '{}') as Record<string, unknown>;
const open = (options: Partial<OfficeOptions['team']> = {}): void => {
  office = createOffice({
    files: { 'shared/team.json': `${JSON.stringify({ name: 'demo', admin: { matrixUserId: ADMIN }, ...options })}\n` },
  });
  for (const name of ['ana', 'bo', 'admin']) office.homeserver.accounts.add(`@${name}:hs.local`);
};

beforeEach(() => open());

describe('team setup', () => {
  test('makes the rooms, asks in who belongs there, and puts them on the roster', async () => {
    office.files['shared/agents/lead.json'] = '{"agent_id":"lead","role":"leader"}\n';
    expect(await ok(setUp({ leaderRoom: true, invite: ['ana', '@bo:hs.local', ADMIN] }))).toMatchObject({
      rooms: [
        { key: 'teamRoomId', roomId: '!r1:hs.local', created: true, invited: [ADMIN, '@ana:hs.local', '@bo:hs.local'] },
        { key: 'leaderDmRoomId', roomId: '!r2:hs.local', created: true, invited: [ADMIN] },
        { key: 'leaderRoomId', roomId: '!r3:hs.local', created: true, invited: [ADMIN] },
      ],
      registered: ['lead', 'ana', 'bo'],
      synced: true,
    });
    expect(office.homeserver.made).toMatchObject([
      { name: 'demo: Team Room', topic: 'Assignments and results', direct: false },
      { name: 'demo: Leader', topic: 'Reports and requests', direct: true },
      { name: 'demo: Leader Room', topic: 'Leaders and their Manager', direct: false },
    ]);
    expect(team()).toMatchObject({
      teamRoomId: '!r1:hs.local',
      leaderDmRoomId: '!r2:hs.local',
      leaderRoomId: '!r3:hs.local',
    });
    for (const [name, role] of [
      ['lead', 'leader'],
      ['ana', 'worker'],
      ['bo', 'worker'],
    ] as const) {
      expect(JSON.parse(office.files[`shared/agents/${name}.json`] ?? '')).toMatchObject({
        role,
        matrix_user_id: `@${name}:hs.local`,
      });
    }
    expect(office.files).not.toHaveProperty(['shared/agents/admin.json']);
  });

  test('again does nothing', async () => {
    await ok(setUp({ invite: ['ana'] }));
    const before = { files: { ...office.files }, rooms: office.homeserver.made.length, events: office.events.length };
    expect(await ok(setUp({ invite: ['ana'] }))).toMatchObject({
      rooms: [
        { key: 'teamRoomId', created: false, invited: [] },
        { key: 'leaderDmRoomId', created: false, invited: [] },
      ],
      registered: [],
    });
    expect({ files: office.files, rooms: office.homeserver.made.length, events: office.events.length }).toEqual(before);
  });

  test.each<readonly [Record<string, unknown>, string]>([
    [{ invite: ['ana', 'eve'] }, 'not-found: the homeserver knows no account @eve:hs.local'],
    [{ invite: ['not an id'] }, 'invalid-argument: not a Matrix id: not an id'],
    [{ invite: ['Bo'] }, 'already-exists: Bo differs from the agent bo only by letter case'],
  ])('makes no room when somebody is named wrongly: %j', async (payload, message) => {
    office.hire('bo');
    expect(await refused(office, () => setUp(payload))).toBe(message);
    expect(office.homeserver.made).toEqual([]);
  });

  test('asks for an admin, and for a file that it can write', async () => {
    open({ admin: { name: 'Nobody' } });
    expect(await refused(office, () => setUp())).toMatch('bad-config: shared/team.json names no admin');
    open();
    office.weather.chat = 'local';
    expect(await refused(office, () => setUp())).toMatch('bad-config: no homeserver is configured');
    expect(office.homeserver.made).toEqual([]);
  });

  test('in a dry run tells who would be asked in', async () => {
    expect(await setUp({ invite: ['ana'] }, true)).toMatchObject({
      dryRun: true,
      rooms: [
        { key: 'teamRoomId', members: [ADMIN, '@ana:hs.local'] },
        { key: 'leaderDmRoomId', members: [ADMIN] },
      ],
      registered: ['lead', 'ana'],
    });
    expect(office.homeserver.made).toEqual([]);
  });

  test('is for the Leader', async () => {
    expect(await office.call(ana, 'team', 'setup')).toMatchObject({ code: 'wrong-role' });
  });
});
