import { describe, expect, test } from 'vitest';
import type { ChatReport } from '../../src/protocol/chat-report.ts';
import { DEFAULT_TEAM } from '../../src/protocol/records/team.ts';
import type { WorkspaceView } from '../../src/protocol/view.ts';
import { chatFindings, roomsToExamine } from '../../src/rules/chat-findings.ts';

const NOW = '2026-09-01T10:00:00Z';
const lead = { role: 'leader', matrixUserId: '@lead:b' } as const;
const team = {
  ...DEFAULT_TEAM,
  teamRoomId: '!team:b',
  leaderDmRoomId: '!dm:b',
  admin: { name: 'A', matrixUserId: '@admin:b' },
};
const view = { team, agents: () => [] } as unknown as WorkspaceView;

const room = (id: string, joined: readonly string[]) => {
  return { room: id, state: 'joined', encrypted: false, joined, invited: [] } as const;
};
const well: ChatReport = {
  homeserver: 'https://b',
  clockAhead: 0,
  rooms: [room('!team:b', ['@lead:b', '@admin:b']), room('!dm:b', ['@lead:b', '@admin:b'])],
  listening: { heardAt: NOW },
};

const told = (report: ChatReport | undefined, owed: Parameters<typeof chatFindings>[2]['owed'] = []) =>
  chatFindings(view, lead, { owed, ...(report === undefined ? {} : { report }) }, NOW)
    .filter(({ severity }) => severity !== 'ok')
    .map(({ check, severity, message }) => `${severity} ${check}: ${message}`);

describe('what is found of the chat', () => {
  test('is nothing where everything is well, and where there is no homeserver', () => {
    expect(told(well)).toEqual([]);
    expect(told(undefined)).toEqual([]);
  });

  test.each([
    [60, []],
    [-60, []],
    [61, ["warning clock: this machine's clock is 61 s ahead of that of https://b"]],
    [-7_200, ["warning clock: this machine's clock is 2 h behind that of https://b"]],
  ])('is a warning when the clocks are too far apart: %i seconds', (clockAhead, warnings) => {
    expect(told({ ...well, clockAhead })).toEqual(warnings);
  });

  test('is nothing about clocks while the homeserver is away, whatever it said before', () => {
    const problem = { concerns: 'homeserver', message: 'away', remedy: 'see' } as const;
    const report = { ...well, clockAhead: 7_200, rooms: [], problem };
    const checks = chatFindings(view, lead, { owed: [], report }, NOW).map(({ check }) => check);
    expect(checks).not.toContain('clock');
  });

  test('is only the reason when the homeserver or the account cannot be asked', () => {
    const problem = { concerns: 'account', message: 'no', remedy: 'log in' } as const;
    expect(told({ ...well, rooms: [], problem })).toEqual(['error account: no']);
  });

  test('is the oldest of the messages that wait, with the reason, and that the node hears nothing', () => {
    const owed = [
      { room: '!team:b', kind: 'notice', since: '2026-09-01T09:59:00Z', state: 'due' },
      { room: '!dm:b', kind: 'report', since: '2026-09-01T08:00:00Z', state: 'due', error: 'away' },
    ] as const;
    expect(told({ ...well, listening: { problem: 'deaf' } }, owed)).toEqual([
      'warning listening: deaf',
      'warning messages: 2 messages wait to be sent, the oldest (report, to !dm:b) for 2 h: away',
    ]);
    const [waiting] = chatFindings(view, lead, { owed: [{ ...owed[0], state: 'waiting' }] }, NOW);
    expect(waiting).toMatchObject({
      check: 'messages',
      remedy: expect.stringContaining('follow their commit') as string,
    });
  });

  test('concerns the rooms that a node works in', () => {
    const keys = (role: 'leader' | 'worker', settings = team) =>
      roomsToExamine(settings, { role }).map(({ key }) => key);
    expect(keys('worker')).toEqual(['teamRoomId']);
    expect(keys('leader')).toEqual(['teamRoomId', 'leaderDmRoomId']);
    expect(keys('leader', { ...team, leaderRoomId: '!leaders:b' })).toContain('leaderRoomId');
    expect(roomsToExamine(DEFAULT_TEAM, lead).map((named) => named.room)).toEqual([undefined, undefined]);
  });
});
