import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stampOf } from '../../src/protocol/timestamps.ts';
import type { Beats } from '../../src/rules/lateness/beats.ts';
import { LADDERS } from '../../src/rules/lateness/ladder.ts';
import type { LateKind } from '../../src/rules/lateness/ladder.ts';
import { ana, createOffice, lead } from './office.ts';
import type { Office } from './office.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-09-01T08:00:00Z');

async function planned(): Promise<Office> {
  const office = createOffice();
  for (const name of ['lead', 'ana']) office.hire(name);
  office.now = stampOf(START);
  await office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'P', source: 'team-admin' });
  const tasks = [{ taskId: 't', title: 'T', assignedTo: 'ana' }];
  await office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks });
  await office.call(lead, 'taskflow', 'delegate_task', {
    projectId: 'p',
    taskId: 't',
    roomId: '!team:hs.local',
    spec: 'Do it.',
  });
  return office;
}

interface Raised {
  readonly key: string;
  readonly kind: LateKind;
  readonly level: number;
  readonly told: readonly string[];
}

const raisedIn = ({ events }: Office): readonly Raised[] =>
  events.filter(({ type }) => type === 'finding.raised').map(({ data }) => data as unknown as Raised);

const clearedIn = ({ events }: Office): readonly string[] =>
  events.filter(({ type }) => type === 'finding.cleared').map(({ data }) => String(data?.['key']));

/** What may happen in a week: time passes, a node forgets its heartbeats, the Worker does something. */
const weeks = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant('wait' as const), hours: fc.integer({ min: 0, max: 30 }) }) },
    fc.record({ what: fc.constantFrom('forget', 'ack', 'progress', 'submit', 'cancel'), hours: fc.constant(0) }),
  ),
  { maxLength: 20 },
);

describe('lateness', () => {
  test('is raised once for each level and told once to each, whatever happens in a week, and cleared once', async () => {
    const actions = { ack: 'ack_task', progress: 'report_progress', submit: 'submit_task', cancel: 'cancel_task' };
    const payload = { taskId: 't', note: 'on it', status: 'SUCCESS', summary: 'Done.', reason: 'not now' };
    await fc.assert(
      fc.asyncProperty(weeks, async (steps) => {
        const office = await planned();
        let now = START;
        let beats: Beats = new Map();
        const tick = async (): Promise<void> => {
          const known = beats.get('t')?.count ?? 0;
          const context = `c${office.task('t').history?.length ?? 0}`;
          beats = new Map([['t', { context, count: known + 1 }]]);
          office.facts = { beats: () => beats };
          await office.internal('lateness.raise', {});
        };
        for (const { what, hours } of steps) {
          if (what === 'forget') beats = new Map();
          else if (what !== 'wait')
            await office.call(what === 'cancel' ? lead : ana, 'taskflow', actions[what], payload);
          now += hours * HOUR;
          office.now = stampOf(now);
          await tick();
          // Whoever looks again, on this node or another, finds it raised.
          const files = { ...office.files };
          await office.internal('lateness.raise', {});
          expect(office.files).toEqual(files);
        }
        const raised = raisedIn(office);
        expect(new Set(raised.map(({ key, level }) => `${key} ${level}`)).size).toBe(raised.length);
        for (const key of new Set(raised.map((found) => found.key))) {
          const own = raised.filter((found) => found.key === key);
          const { kind, level } = own.at(-1) ?? { kind: 'stuck', level: 0 };
          expect(own.flatMap(({ told }) => told)).toEqual(LADDERS[kind].slice(0, level).map(({ tells }) => tells));
        }
        const standing = office.task('t').raised ?? [];
        const open = new Set(raised.map(({ key }) => key).filter((key) => !clearedIn(office).includes(key)));
        expect(new Set(standing.map(({ key }) => key))).toEqual(open);
        expect(new Set(clearedIn(office)).size).toBe(clearedIn(office).length);
        if (office.task('t').status === 'cancelled') expect(standing).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('of a whole plan is one message that a room can show, which says how many more there are', async () => {
    const office = await planned();
    const tasks = Array.from({ length: 60 }, (_, index) => ({ taskId: `t-${index}`, title: 'T', assignedTo: 'ana' }));
    await office.call(lead, 'projectflow', 'create_project', { projectId: 'q', title: 'Q', source: 'team-admin' });
    await office.call(lead, 'projectflow', 'plan_dag', { projectId: 'q', tasks });
    office.now = stampOf(START + 8 * 24 * HOUR);
    const before = office.sent.length;
    await office.internal('lateness.raise', { projects: ['q'] });
    expect(raisedIn(office).filter(({ kind }) => kind === 'sla-violated')).toHaveLength(60);
    const told = office.sent.slice(before).map(({ text }) => text.split('\n').filter((line) => line.startsWith('- ')));
    expect(told.length).toBeGreaterThan(0);
    for (const lines of told) {
      expect(lines).toHaveLength(21);
      expect(lines.at(-1)).toBe('- … and 40 more: `baton check`');
    }
  });

  test('speaks to the Leader in the Team Room and to the admin in the Leader DM, and calls nobody by itself', async () => {
    const office = await planned();
    office.now = stampOf(START + 2 * HOUR);
    const before = office.sent.length;
    await office.internal('lateness.raise', {});
    expect(office.sent.slice(before).map(({ kind, room, mentions }) => ({ kind, room, mentions }))).toEqual([
      { kind: 'assignment', room: '!team:hs.local', mentions: ['@ana:hs.local'] },
      { kind: 'notice', room: '!team:hs.local', mentions: [] },
      { kind: 'notice', room: '!dm:hs.local', mentions: ['@admin:hs.local'] },
    ]);
    const txns = office.sent.map(({ txn }) => txn);
    expect(new Set(txns).size).toBe(txns.length);
  });
});
