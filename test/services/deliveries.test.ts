import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Announcement } from '../../src/ports.ts';
import { deliverOwed } from '../../src/services/deliveries.ts';
import { openParts, openSolo, openTeam, plan } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';
import { unplug } from '../support/remote.ts';

const notice = (txn: string, text = txn): Announcement => ({
  kind: 'notice',
  txn,
  room: '!team:local',
  text,
  mentions: [],
});

/** One line in the own log that names a transaction, as a committed operation leaves it. */
function recordIn(parts: Parts, month: string, txn: string): void {
  const event = { id: txn, ts: `${month}-28T00:00:00Z`, type: 't', actor: { id: 'lead', role: 'leader' } };
  parts.put(`shared/events/${month}/lead.jsonl`, `${JSON.stringify({ ...event, data: { announces: [txn] } })}\n`);
}

/** As the next process finds the outbox: what it holds was owed by one that is gone. */
async function reopened(parts: Parts): Promise<Parts> {
  await parts.close();
  return openParts({ dir: parts.dir, role: 'leader', as: 'lead' });
}

describe('what is owed after a restart', () => {
  test('is said when the own log shows that its change was committed, and dropped when it was not', async () => {
    const first = await openSolo();
    const months = [new Date(), new Date(Date.now() - 28 * 24 * 3_600_000)].map((at) => at.toISOString().slice(0, 7));
    first.outbox.owe([notice('committed'), notice('never-made'), notice('long-ago')], undefined);
    recordIn(first, months[0] ?? '', 'committed');
    if (months[1] !== months[0]) recordIn(first, months[1] ?? '', 'long-ago');
    const second = await reopened(first);
    await deliverOwed(second);
    expect(second.said('')).toEqual(months[1] === months[0] ? ['committed'] : ['committed', 'long-ago']);
    expect(second.outbox.pending()).toEqual([]);
  });

  test('is said once, however often it is tried', async () => {
    const first = await openSolo();
    first.outbox.owe([notice('fact')], undefined);
    recordIn(first, new Date().toISOString().slice(0, 7), 'fact');
    const second = await reopened(first);
    await Promise.all([deliverOwed(second), deliverOwed(second)]);
    await deliverOwed(second);
    second.outbox.owe([notice('fact')], undefined);
    await deliverOwed(second);
    expect(second.said('fact')).toEqual(['fact']);
  });

  test('runs what the message calls for, with its event', async () => {
    const first = await openSolo();
    await plan(first, 'p-01');
    const actor = { localpart: 'ana', role: 'worker' } as const;
    await first.run('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, actor);
    const { submission_id: submissionId = '' } = first.workTree.view().task('p-01')?.meta ?? {};
    const input = { taskId: 'p-01', submissionId, resultStatus: 'SUCCESS' };
    const line = { ...notice('told'), followUp: { operation: 'task.confirm_completion', input, actor } };
    first.outbox.owe([line], undefined);
    await first.outbox.confirm(() => true);
    await deliverOwed(first);
    expect(JSON.parse(first.text('shared/tasks/p-01/meta.json'))).toMatchObject({
      completion_event_id: expect.stringMatching(/^\$/) as unknown,
      completion_event_status: 'SUCCESS',
    });
  });

  test('waits for a room that cannot be written to, and is said when it can', async () => {
    const solo = await openSolo();
    const rooms = join(solo.dir, '.baton/rooms');
    writeFileSync(rooms, 'in the way\n');
    const [delivery] = await solo.outbox.deliver([notice('patient')]);
    expect(delivery).toMatchObject({ sent: false, retryable: true });
    await deliverOwed(solo);
    expect(solo.outbox.pending().map(({ announcement, state }) => [announcement.txn, state])).toEqual([
      ['patient', 'due'],
    ]);
    rmSync(rooms);
    await deliverOwed(solo);
    expect([solo.said('patient'), solo.outbox.pending()]).toEqual([['patient'], []]);
  });
});

test('nothing is said about a commit that has not reached the remote', async () => {
  const { remote, lead, ana } = await openTeam();
  await plan(lead, 'p-01');
  await ana.run('task.ack', { taskId: 'p-01' });
  const back = unplug(remote);
  const result = { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' };
  await expect(ana.run('task.submit', result)).rejects.toMatchObject({ code: 'sync-failed' });
  await deliverOwed(ana);
  await ana.settle();
  expect(ana.said('TASK_COMPLETED')).toEqual([]);
  expect(ana.outbox.pending()).toMatchObject([{ state: 'waiting', commit: ana.head() }]);
  back();
  await ana.sync.push();
  await deliverOwed(ana);
  expect([ana.said('TASK_COMPLETED').length, ana.outbox.pending()]).toEqual([1, []]);
});
