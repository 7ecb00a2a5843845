import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Chat } from '../../src/ports-chat.ts';
import { createOutbox } from '../../src/services/outbox.ts';
import { createReconciler } from '../../src/services/reconciler.ts';
import { eventsOf, mark, openParts, openSolo, openTeam, plan, worker } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';
import { eventually } from '../support/waiting.ts';

const META = 'shared/tasks/p-01/meta.json';
const RESULT = 'shared/tasks/p-01/result.md';

const meta = (parts: Parts): Record<string, unknown> => JSON.parse(parts.text(META)) as Record<string, unknown>;

const submissionOf = (parts: Parts): string => String(meta(parts)['submission_id']);

async function submitted(): Promise<Parts> {
  const solo = await openSolo();
  await plan(solo, 'p-01', 'p-02');
  await solo.run('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, worker('ana'));
  return solo;
}

describe('the reconciler', () => {
  test('takes a marker that was edited by hand for the decision, reports it, and is idle afterwards', async () => {
    const solo = await submitted();
    await solo.settle();
    mark(solo, 'p-01', 'x');
    await solo.sync.adopt(['shared/projects/p/plan.md']);
    await solo.settle();
    expect(meta(solo)).toMatchObject({
      status: 'completed',
      continuation: { status: 'resolved', resolution: 'completed' },
    });
    expect(eventsOf(solo, 'state.repaired')).toHaveLength(1);
    const project = JSON.parse(solo.text('shared/projects/p/meta.json')) as Record<string, unknown>;
    expect(project['requester_report']).toMatchObject({ pending: false, task_id: 'p-01' });
    const reports = solo.said('Task p-01').filter((text) => text.startsWith('---'));
    expect(reports.length).toBeGreaterThan(0);

    const settled = { head: solo.head(), rooms: solo.said('') };
    for (let round = 0; round < 3; round += 1) await solo.settle();
    expect({ head: solo.head(), rooms: solo.said('') }).toEqual(settled);
  });

  test('accepts results where they count by themselves, and takes the project on', async () => {
    const solo = await openSolo();
    await plan(solo, 'p-01', 'p-02');
    const before = solo.text('shared/projects/p/meta.json');
    solo.put(
      'shared/projects/p/meta.json',
      before.replace('"status": "active",', '"status": "active",\n  "acceptance": "auto",'),
    );
    const typed = solo.text('shared/projects/p/plan.md').replace(/(p-0[12] — .*\(assigned: \w+)/g, '$1, type: dev');
    solo.put('shared/projects/p/plan.md', typed);
    await solo.sync.adopt(['shared/projects/p/meta.json', 'shared/projects/p/plan.md']);
    await solo.run('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, worker('ana'));
    await solo.settle();
    expect(meta(solo)).toMatchObject({ status: 'completed', accepted_by: 'auto' });
    mark(solo, 'p-02', 'x');
    await solo.sync.adopt(['shared/projects/p/plan.md']);
    await solo.settle();
    expect(solo.text('shared/projects/p/meta.json')).toContain('"phase": "testing"');
    expect(eventsOf(solo, 'project.testing')).toHaveLength(1);
    const { length } = eventsOf(solo, 'task.completed');
    await solo.settle();
    expect(eventsOf(solo, 'task.completed')).toHaveLength(length);
  });

  test('records a result that its Worker wrote by hand, announces it once, and tells nothing twice', async () => {
    const solo = await openSolo();
    await plan(solo, 'p-01');
    solo.put(RESULT, 'STATUS: SUCCESS\nSUMMARY: Written by hand.\n\nDELIVERABLES:\n');
    for (let round = 0; round < 3; round += 1) await solo.settle();
    expect(meta(solo)).toMatchObject({ status: 'submitted', result_status: 'SUCCESS', summary: 'Written by hand.' });
    expect(solo.said('TASK_COMPLETED: p-01')).toHaveLength(1);
    expect(eventsOf(solo, 'task.submitted').map(({ actor }) => actor)).toEqual([{ id: 'ana', role: 'worker' }]);
  });

  test('records results while a homeserver does not answer, and has the rooms told once it does', async () => {
    const solo = await openSolo();
    await plan(solo, 'p-01');
    await solo.settle();
    const answers = Promise.withResolvers<void>();
    const { chat, clock, log, execute, workTree, sync, events, identity } = solo;
    const mute: Chat = { ...chat, kind: 'remote', send: (message) => answers.promise.then(() => chat.send(message)) };
    const outbox = createOutbox({ dir: join(solo.dir, '.baton/mute'), chat: mute, clock, log });
    outbox.owe([{ kind: 'notice', txn: 'older', room: '!team:local', text: 'older', mentions: [] }], undefined);
    await outbox.confirm(() => true);
    const parts = { identity, mode: 'solo', execute, workTree, sync, outbox, localRooms: false } as const;
    const reconciler = createReconciler({ ...parts, clock, events, log });
    onTestFinished(() => {
      answers.resolve();
      return reconciler.close();
    });
    reconciler.wake();
    solo.put('shared/projects/q/meta.json', '{ "project_id": "q", ');
    solo.put(RESULT, 'STATUS: SUCCESS\nSUMMARY: Written by hand.\n\nDELIVERABLES:\n');
    reconciler.wake();
    await eventually(() => meta(solo)['status'] === 'submitted', 'the result is recorded');
    expect([solo.said('older'), solo.said('json-invalid')]).toEqual([[], []]);
    answers.resolve();
    await reconciler.idle();
    const spoken = solo.said('').filter((text) => text === 'older' || text.includes('json-invalid'));
    expect(spoken).toEqual([
      'older',
      expect.stringContaining(String.raw`shared/projects/q/meta.json:1:22 \[json-invalid\]`),
    ]);
    expect(outbox.pending()).toEqual([]);
  });

  test('does what it was asked for before it closes', async () => {
    const solo = await openSolo();
    await plan(solo, 'p-01');
    await solo.settle();
    solo.put(RESULT, 'STATUS: SUCCESS\nSUMMARY: Written by hand.\n\nDELIVERABLES:\n');
    const { chat, clock, log, execute, workTree, sync, events, identity, dir } = solo;
    const outbox = createOutbox({ dir: join(dir, '.baton/own'), chat, clock, log });
    outbox.owe([{ kind: 'notice', txn: 'older', room: '!team:local', text: 'older', mentions: [] }], undefined);
    const parts = { identity, mode: 'solo', execute, workTree, sync, outbox, localRooms: false } as const;
    const reconciler = createReconciler({ ...parts, clock, events, log });
    await outbox.confirm(() => true);
    reconciler.wake([]);
    await reconciler.close();
    expect([solo.said('older').length, outbox.pending()]).toEqual([1, []]);
  });

  test('does not repeat a repair that was refused, until what it rests on has changed', async () => {
    const solo = await openSolo();
    await plan(solo, 'p-01');
    // A valid result, but a status that no Worker may hand in.
    solo.put(RESULT, 'STATUS: INTERRUPTED\nSUMMARY: Stopped.\n\nDELIVERABLES:\n');
    for (let round = 0; round < 3; round += 1) await solo.settle();
    const refusals = (): readonly string[] => solo.logged.filter((line) => line.startsWith('a repair was refused'));
    expect(refusals()).toHaveLength(1);
    expect(refusals()[0]).toContain('result status INTERRUPTED is reserved for the control plane');
    expect(meta(solo)).toMatchObject({ status: 'assigned' });

    solo.put(RESULT, 'STATUS: BLOCKED\nSUMMARY: Stopped.\n\nDELIVERABLES:\n');
    await solo.settle();
    expect(refusals()).toHaveLength(1);
    expect(meta(solo)).toMatchObject({ status: 'submitted', result_status: 'BLOCKED' });
  });

  test('raises a finding once, tells it once, and clears it when it no longer stands', async () => {
    const solo = await openSolo();
    const raised: string[] = [];
    const cleared: string[] = [];
    solo.events.on('finding:raised', ({ key }) => raised.push(key));
    solo.events.on('finding:cleared', ({ key }) => cleared.push(key));
    solo.put('shared/projects/q/plan.md', '# Q\n');
    solo.put('shared/projects/q/meta.json', '{ "project_id": "q", ');
    for (let round = 0; round < 3; round += 1) await solo.settle();
    expect(raised).toEqual(['broken-file:shared/projects/q/meta.json:json-invalid:1:22']);
    expect(solo.said(String.raw`shared/projects/q/meta.json:1:22 \[json-invalid\]`)).toHaveLength(1);
    expect(cleared).toEqual([]);
    solo.put('shared/projects/q/meta.json', '{ "project_id": "q", "title": "Q", "status": "active" }');
    await solo.settle();
    expect(cleared).toEqual(raised);
  });

  test('says again after a restart what was not said, and nothing that was', async () => {
    const solo = await submitted();
    await solo.settle();
    const before = solo.said('');
    const { outbox, dir } = solo;
    outbox.owe(
      [{ kind: 'notice', txn: 'never-happened', room: '!team:local', text: 'untrue', mentions: [] }],
      undefined,
    );
    await solo.close();
    const again = await openParts({ dir, role: 'leader', as: 'lead' });
    await again.settle();
    expect(again.said('')).toEqual(before);
    expect(again.outbox.pending()).toEqual([]);
  });

  test('never says a report late that the project has left behind', async () => {
    const solo = await submitted();
    await solo.settle();
    await solo.run('project.accept_task_result', { projectId: 'p', taskId: 'p-01', submissionId: submissionOf(solo) });
    const late = { projectId: 'p', reportDigest: '0123456789ab' };
    const followUp = { operation: 'project.mark_requester_report_sent', input: late, actor: solo.identity };
    const report = { kind: 'report', room: '!leader-dm:local', text: 'how it was', mentions: [] } as const;
    solo.outbox.owe([{ ...report, txn: 'report-p-0123456789ab', followUp }], undefined);
    await solo.outbox.confirm(() => true);
    await solo.settle();
    expect(solo.said('how it was')).toEqual([]);
    expect(solo.said('1 of 2 tasks are completed, 1 pending.')).toHaveLength(1);
    expect(solo.outbox.pending()).toEqual([]);
  });

  test('leaves to the Leader what is the Leader’s, and hands in only what is its own Worker’s', async () => {
    const { lead, ana } = await openTeam();
    await plan(lead, 'p-01', 'p-02');
    await ana.sync.pull();
    await ana.settle();
    expect(ana.said('TASK_ASSIGNED: p-01')).toHaveLength(1);
    // The marker and the record disagree: a Worker's node sees it and does nothing about it.
    mark(lead, 'p-01', ' ');
    await lead.sync.adopt(['shared/projects/p/plan.md']);
    await ana.sync.pull();
    const head = ana.head();
    await ana.settle();
    expect(ana.head()).toBe(head);
    expect(eventsOf(ana, 'state.repaired')).toEqual([]);
    await lead.settle();
    expect(eventsOf(lead, 'state.repaired')).toHaveLength(1);
    expect(lead.text('shared/projects/p/plan.md')).toContain('- [~] p-01 ');

    await ana.sync.pull();
    ana.put(RESULT, 'STATUS: SUCCESS\nSUMMARY: From ana.\n\nDELIVERABLES:\n');
    await ana.settle();
    await lead.sync.pull();
    await lead.settle();
    expect(meta(lead)).toMatchObject({ status: 'submitted', summary: 'From ana.' });
    expect([ana.said('TASK_COMPLETED: p-01').length, lead.said('TASK_COMPLETED: p-01').length]).toEqual([1, 1]);
  });

  test('tells of what was overtaken before a round came', async () => {
    const { lead, ana } = await openTeam();
    // Both have had their first round: what they find then of others is older than they are.
    await lead.settle();
    await ana.settle();
    await plan(lead, 'p-01', 'p-02');
    await ana.sync.pull();
    await ana.run('task.ack', { taskId: 'p-01' }, worker('ana'));
    await ana.run('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, worker('ana'));
    await ana.settle();
    expect(ana.said('TASK_ASSIGNED: p-01')).toHaveLength(1);
    await lead.sync.pull();
    await lead.run('project.accept_task_result', { projectId: 'p', taskId: 'p-01', submissionId: submissionOf(lead) });
    await lead.settle();
    expect(meta(lead)).toMatchObject({ status: 'completed' });
    expect(lead.said('TASK_COMPLETED: p-01')).toHaveLength(1);
  });
});
