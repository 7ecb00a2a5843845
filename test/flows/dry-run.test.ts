import { describe, expect, test } from 'vitest';
import { ana, createOffice, lead, ok, planned, refused, ROOM } from './office.ts';
import type { Actor } from '../../src/protocol/records/types.ts';

const quick = { title: 'T', assignedTo: 'ana', roomId: ROOM, spec: 'Do it.' };
const unsafe = (field: string, id: string): string => `invalid-argument: invalid id: ${field} must be a safe id: ${id}`;

describe('a dry run', () => {
  test.each<[Actor, string, string, object, string]>([
    [lead, 'projectflow', 'create_project', { title: 'T', projectId: '../x' }, unsafe('projectId', '../x')],
    [lead, 'projectflow', 'create_project', { title: 'T', projectId: '-x' }, unsafe('projectId', '-x')],
    [lead, 'projectflow', 'create_quick_project', { ...quick, projectId: 'x y' }, unsafe('projectId', 'x y')],
    [
      lead,
      'projectflow',
      'create_quick_project',
      { ...quick, projectId: 'x', taskId: 'z' },
      'invalid-argument: taskId must belong to projectId',
    ],
    [
      lead,
      'projectflow',
      'create_quick_project',
      { ...quick, roomId: 'foo' },
      'invalid-argument: invalid Matrix room target: foo',
    ],
    [lead, 'projectflow', 'pause_project', { projectId: '../x' }, unsafe('projectId', '../x')],
    [lead, 'projectflow', 'resolve_project', {}, 'invalid-argument: projectId or taskId is required'],
    [
      lead,
      'projectflow',
      'plan_dag',
      { projectId: 'p', tasks: [{ taskId: 'a', title: 'A', assignedTo: 'ana', dependsOn: ['b'] }] },
      'invalid-argument: task a depends on unknown task: b',
    ],
    [
      lead,
      'projectflow',
      'plan_dag',
      { projectId: 'p', tasks: [{ taskId: 'a/b', title: 'A', assignedTo: 'ana' }] },
      unsafe('taskId', 'a/b'),
    ],
    [
      lead,
      'projectflow',
      'record_loop_iteration',
      { projectId: 'p', iteration: 0, decision: 'continue', summary: 'S' },
      'invalid-argument: iteration must be greater than zero',
    ],
    [
      lead,
      'projectflow',
      'record_loop_iteration',
      { projectId: 'p', iteration: 1, decision: 'rest', summary: 'S' },
      'invalid-argument: invalid loop decision: rest',
    ],
    [
      lead,
      'projectflow',
      'mark_requester_report_sent',
      { projectId: 'p', sentAt: 'soon' },
      'invalid-argument: payload.sentAt must be a timestamp: soon',
    ],
    [ana, 'taskflow', 'ack_task', { taskId: '../x' }, unsafe('taskId', '../x')],
    [ana, 'taskflow', 'report_progress', { taskId: 'a/b', note: 'n' }, unsafe('taskId', 'a/b')],
    [lead, 'taskflow', 'check_task', { taskId: '..' }, unsafe('taskId', '..')],
  ])('of %o %s.%s %j is refused like the call itself', async (actor, tool, action, payload, message) => {
    const office = createOffice();
    await planned(office, { a: [] });
    for (const dryRun of [true, false]) {
      expect(await refused(office, () => office.call(actor, tool, action, payload, dryRun))).toBe(message);
    }
  });

  test('echoes its payload and writes nothing', async () => {
    const office = createOffice();
    await planned(office, { a: [] });
    const before = { ...office.files };
    const payload = { projectId: 'p', taskId: 'a', roomId: ROOM, spec: 'Do it.' };
    const answer = await ok(office.call(lead, 'taskflow', 'delegate_task', payload, 'yes'));
    expect(answer).toEqual({
      ok: true,
      tool: 'taskflow',
      action: 'delegate_task',
      dryRun: true,
      projectId: 'p',
      taskId: 'a',
      roomId: ROOM,
      notify: true,
    });
    expect([office.files, office.sent]).toEqual([before, []]);
  });
});
