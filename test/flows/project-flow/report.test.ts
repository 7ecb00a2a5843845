import { describe, expect, test } from 'vitest';
import { acceptTaskResult } from '../../../src/flows/project-flow/accept.ts';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import { completeProject, pauseProject, resumeProject } from '../../../src/flows/project-flow/lifecycle.ts';
import { planDag } from '../../../src/flows/project-flow/plan.ts';
import { markRequesterReportSent, reportProject } from '../../../src/flows/project-flow/report.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import { isOvertaken, reportDue } from '../../../src/rules/reports.ts';
import { createWorld, lead, NOW, refusal } from './world.ts';
import type { World } from './world.ts';

const PLAN = 'shared/projects/p/plan.md';
const META = 'shared/projects/p/meta.json';
const RESULT = 'shared/projects/p/result.md';

const task = (taskId: string) => ({ taskId, title: taskId, assignedTo: 'ana' });

function submit(world: World, id: string): void {
  world.files[PLAN] = setMarker(world.files[PLAN] ?? '', id, 'delegated');
  world.putTask({
    task_id: id,
    project_id: 'p',
    status: 'submitted',
    result_status: 'SUCCESS',
    summary: `${id} is done`,
  });
}

function withResult(origin: { source?: string; requester?: string } = { source: 'team-admin' }): World {
  const world = createWorld();
  world.call(createProject, { projectId: 'p', title: 'P', ...origin });
  world.call(planDag, { projectId: 'p', tasks: [task('a'), task('b')] });
  submit(world, 'a');
  return world;
}

/** Delivers what was announced last, as the outbox does. */
function deliver(world: World): void {
  const followUp = world.announcements.at(-1)?.followUp;
  expect(followUp?.operation).toBe('project.mark_requester_report_sent');
  world.call(markRequesterReportSent, { ...(followUp?.input as { projectId: string }), eventId: '$report' });
}

describe('the requester report', () => {
  test('is written, sent once, and then no longer due', () => {
    const world = withResult();
    expect(reportDue(world.view())).toEqual([]);
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    expect(reportDue(world.view())).toEqual([{ projectId: 'p', reason: 'task_result_accepted' }]);

    expect(world.settled(reportProject, { projectId: 'p' }, true)).toMatchObject({
      reason: 'task_result_accepted',
      sent: true,
      eventId: '$event',
    });
    const [announcement] = world.announcements;
    expect(announcement).toEqual({
      kind: 'report',
      txn: expect.stringMatching(/^report-p-[0-9a-f]{12}$/),
      room: '!dm:hs.local',
      text: world.files[RESULT],
      mentions: [],
      followUp: {
        operation: 'project.mark_requester_report_sent',
        input: { projectId: 'p', reportDigest: announcement?.txn.slice(-12), told: { a: 'completed' }, after: '' },
        actor: lead,
      },
    });
    deliver(world);
    expect(world.view().project('p')?.meta?.requester_report).toMatchObject({
      pending: false,
      sent_at: NOW,
      task_id: 'a',
      told: { a: 'completed' },
    });
    expect(reportDue(world.view())).toEqual([]);
    expect(world.call(reportProject, { projectId: 'p' })).toMatchObject({ unchanged: true });
    expect(world.announcements).toHaveLength(1);
  });

  test('keeps its transaction id and stays due while it cannot be delivered', () => {
    const world = withResult();
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    expect(world.settled(reportProject, { projectId: 'p' }, false)).toMatchObject({
      sent: false,
      error: 'room is away',
    });
    expect(world.changed(reportProject, { projectId: 'p' })).toEqual([]);
    world.call(reportProject, { projectId: 'p' });
    expect(new Set(world.announcements.map(({ txn }) => txn)).size).toBe(1);
    expect(reportDue(world.view())).toHaveLength(1);
  });

  test('is composed anew when the project changed before it was delivered', () => {
    const world = withResult();
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    world.call(reportProject, { projectId: 'p' });
    submit(world, 'b');
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'b' });
    deliver(world);
    expect(reportDue(world.view())).toHaveLength(1);
    world.call(reportProject, { projectId: 'p' });
    deliver(world);
    expect(reportDue(world.view())).toEqual([]);
    expect(new Set(world.announcements.map(({ txn }) => txn)).size).toBe(2);
    expect(world.announcements.at(-1)?.text).toContain('Changed: b (completed).');
  });

  test('names everything that was decided since the last delivery, and only that', () => {
    const world = withResult();
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    world.call(reportProject, { projectId: 'p' });
    submit(world, 'b');
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'b' });
    world.call(reportProject, { projectId: 'p' });
    const [first, second] = world.announcements;
    const waits = { txn: first?.txn ?? '', room: '!dm:hs.local' };
    expect(isOvertaken(world.view(), 'p', waits)).toBe(true);
    expect(isOvertaken(world.view(), 'p', { txn: second?.txn ?? '', room: '!dm:hs.local' })).toBe(false);
    expect(isOvertaken(world.view(), 'p', { txn: second?.txn ?? '', room: '!old:hs.local' })).toBe(true);
    expect(second?.text).toContain('2 of 2 tasks are completed.');
    expect(second?.text).toBe(world.files[RESULT]);
    deliver(world);
    expect(reportDue(world.view())).toEqual([]);
    expect(isOvertaken(world.view(), 'p', { txn: second?.txn ?? '', room: '!dm:hs.local' })).toBe(true);
  });

  test('is short between the first and the last, and whole in the file', () => {
    const world = withResult();
    world.call(planDag, { projectId: 'p', tasks: [task('a'), task('b'), task('c')] });
    submit(world, 'a');
    for (const id of ['a', 'b']) {
      if (id === 'b') submit(world, 'b');
      world.call(acceptTaskResult, { projectId: 'p', taskId: id });
      world.call(reportProject, { projectId: 'p' });
      deliver(world);
    }
    const { text = '' } = world.announcements.at(-1) ?? {};
    expect(text).toContain('2 of 3 tasks are completed, 1 pending. Changed: b (completed).');
    expect(text).not.toContain('| a | a |');
    expect(world.files[RESULT]).toContain('| a | a |');
    world.call(completeProject, { projectId: 'p', force: true });
    world.call(reportProject, { projectId: 'p' });
    expect(world.announcements.at(-1)?.text).toBe(world.files[RESULT]);
    deliver(world);
    expect(reportDue(world.view())).toEqual([]);
  });

  test('is owed once more by what followed it, only where that is news', () => {
    const world = withResult();
    world.call(planDag, { projectId: 'p', tasks: [task('a'), task('b')] });
    submit(world, 'a');
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    world.call(reportProject, { projectId: 'p' });
    // While it was on its way the next node was given out: told along with the next report.
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'b', 'delegated');
    deliver(world);
    expect(world.view().project('p')?.meta?.requester_report).toMatchObject({
      pending: false,
      told: { a: 'completed' },
    });
    expect(reportDue(world.view())).toEqual([]);
  });

  test('that was noted as delivered is not noted again by a second run of its follow-up', () => {
    const world = withResult();
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    world.call(reportProject, { projectId: 'p' });
    deliver(world);
    submit(world, 'b');
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'b' });
    const owed = world.files[META];
    deliver(world);
    expect(world.files[META]).toBe(owed);
  });

  test.each([
    ['a question', 'attention_decision', { status: 'in_progress' as const }],
    ['a cancellation of work that was told of', 'task_cancelled', { status: 'cancelled' as const }],
  ])('is due for %s', (_, reason, state) => {
    const world = withResult();
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'b', 'delegated');
    world.call(markRequesterReportSent, { projectId: 'p' });
    expect(reportDue(world.view())).toEqual([]);
    const attention = [{ kind: 'decision', question: 'Net?', attempt: 1, requestedAt: NOW, resolved: false }] as const;
    world.putTask({ task_id: 'b', project_id: 'p', ...state, attention });
    if (state.status === 'cancelled') {
      world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'b', 'cancelled', { cancelled: 'no' });
    }
    expect(reportDue(world.view())).toEqual([{ projectId: 'p', reason }]);
    world.call(reportProject, { projectId: 'p' });
    deliver(world);
    expect(reportDue(world.view())).toEqual([]);
  });

  test('mentions a requester in a room of others', () => {
    const world = withResult({ source: 'chat', requester: 'matrix:!req:hs.local' });
    world.files[META] = (world.files[META] ?? '').replace(
      '"target_session"',
      '"target_user": "@rea:hs.local", "target_session"',
    );
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    world.call(reportProject, { projectId: 'p' });
    expect(world.announcements[0]).toMatchObject({
      room: '!req:hs.local',
      mentions: ['@rea:hs.local'],
      text: `@rea:hs.local\n\n${world.files[RESULT]}`,
    });
  });

  test('is written once and sent nowhere when the project names no room', () => {
    const world = withResult({ source: 'dingtalk', requester: 'dingtalk:u:s' });
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    expect(world.call(reportProject, { projectId: 'p' })).toMatchObject({
      sent: false,
      error: expect.stringContaining('Baton does not deliver to dingtalk') as string,
    });
    expect(world.announcements).toEqual([]);
    expect(world.files[RESULT]).toContain('P');
    expect(reportDue(world.view())).toEqual([]);
  });
});

describe('a project that was completed by hand', () => {
  const completeByHand = (world: World): void => {
    const meta = JSON.parse(world.files[META] ?? '{}') as Record<string, unknown>;
    world.files[META] = JSON.stringify({ ...meta, status: 'completed' });
  };

  test('is reported like any other', () => {
    const world = withResult();
    world.call(acceptTaskResult, { projectId: 'p', taskId: 'a' });
    world.call(reportProject, { projectId: 'p' });
    deliver(world);
    completeByHand(world);
    expect(reportDue(world.view())).toEqual([{ projectId: 'p', reason: 'project_completed' }]);
    world.call(reportProject, { projectId: 'p' });
    deliver(world);
    expect(reportDue(world.view())).toEqual([]);
  });

  test('owes nothing when nobody was ever told of it', () => {
    const world = withResult();
    completeByHand(world);
    expect(reportDue(world.view())).toEqual([]);
  });
});

describe('results that arrive while a project is paused', () => {
  test('are told once, and again only when another one arrives', () => {
    const world = withResult();
    world.files[PLAN] = setMarker(world.files[PLAN] ?? '', 'b', 'delegated');
    world.call(pauseProject, { projectId: 'p' });
    expect(reportDue(world.view())).toEqual([{ projectId: 'p', reason: 'result_while_paused' }]);
    world.call(reportProject, { projectId: 'p' });
    deliver(world);
    expect(reportDue(world.view())).toEqual([]);

    submit(world, 'b');
    expect(reportDue(world.view())).toEqual([{ projectId: 'p', reason: 'result_while_paused' }]);
    world.call(reportProject, { projectId: 'p' });
    expect(world.view().project('p')?.meta?.requester_report).toMatchObject({
      pending: true,
      summary: 'results waiting while paused: a, b',
    });
    deliver(world);
    expect(reportDue(world.view())).toEqual([]);
    world.call(resumeProject, { projectId: 'p' });
    expect(reportDue(world.view())).toEqual([]);
  });
});

describe('project.mark_requester_report_sent', () => {
  test('notes the time that it is given, and changes nothing the second time', () => {
    const world = withResult();
    const input = { projectId: 'p', sentAt: '2026-09-01T12:00:00+02:00' };
    expect(world.call(markRequesterReportSent, input)).toMatchObject({
      project: { requester_report: { pending: false, sent_at: '2026-09-01T10:00:00Z' } },
    });
    expect(world.call(markRequesterReportSent, input)).toMatchObject({ unchanged: true });
    expect(world.call(markRequesterReportSent, { projectId: 'p' })).toMatchObject({ unchanged: true });
  });

  test('refuses what is no time', () => {
    expect(() => withResult().call(markRequesterReportSent, { projectId: 'p', sentAt: 'now' })).toThrow(
      refusal('invalid-argument', 'payload.sentAt must be a timestamp: now'),
    );
  });
});
