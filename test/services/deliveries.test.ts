import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Announcement } from '../../src/ports-chat.ts';
import { decideOwed, sayOwed } from '../../src/services/deliveries.ts';
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

async function deliverOwed(parts: Parts): Promise<void> {
  await decideOwed(parts);
  await sayOwed(parts);
}

/** One line in the own log that names a transaction, as a committed operation leaves it. */
function recordIn(parts: Parts, month: string, txn: string, log = 'lead.jsonl'): void {
  const event = { id: txn, ts: `${month}-28T00:00:00Z`, type: 't', actor: { id: 'lead', role: 'leader' } };
  parts.put(`shared/events/${month}/${log}`, `${JSON.stringify({ ...event, data: { announces: [txn] } })}\n`);
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
    first.outbox.record();
    recordIn(first, months[0] ?? '', 'committed');
    if (months[1] !== months[0]) recordIn(first, months[1] ?? '', 'long-ago');
    const second = await reopened(first);
    await deliverOwed(second);
    expect(second.said('')).toEqual(months[1] === months[0] ? ['committed'] : ['committed', 'long-ago']);
    expect(second.outbox.pending()).toEqual([]);
  });

  test('is found in every part of the own log', async () => {
    const first = await openSolo();
    const month = new Date().toISOString().slice(0, 7);
    first.outbox.owe([notice('in-the-first'), notice('in-the-last'), notice('never-made')], undefined);
    first.outbox.record();
    recordIn(first, month, 'in-the-first');
    recordIn(first, month, 'in-the-last', 'lead@0003.jsonl');
    const second = await reopened(first);
    await deliverOwed(second);
    expect(second.said('')).toEqual(['in-the-first', 'in-the-last']);
  });

  test('is said once, however often it is tried', async () => {
    const first = await openSolo();
    first.outbox.owe([notice('fact')], undefined);
    first.outbox.record();
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

/**
 * The remote goes away the moment it has taken the next push to main, so that neither the push nor the fetch behind it is
 * answered. The returned function brings it back.
 */
function loseNextAnswer(remote: string): () => void {
  const hook = join(remote, 'hooks', 'reference-transaction');
  mkdirSync(join(remote, 'hooks'), { recursive: true });
  const lines = ['[ "$1" = committed ] || exit 0', 'grep -q refs/heads/main || exit 0', `rm -f "${hook}"`];
  writeFileSync(hook, ['#!/bin/sh', ...lines, `mv "${remote}" "${remote}.away"`, 'kill -9 $PPID', ''].join('\n'));
  chmodSync(hook, 0o755);
  return () => renameSync(`${remote}.away`, remote);
}

describe('a push of which nobody knows whether it arrived', () => {
  const answer = (lead: Parts): Promise<unknown> =>
    lead.run('task.answer_attention', { taskId: 'p-01', kind: 'decision', answer: 'the second' });

  async function asked(): Promise<{ readonly remote: string; readonly lead: Parts }> {
    const { lead, ana, remote } = await openTeam();
    await plan(lead, 'p-01');
    await ana.sync.pull();
    await ana.run('task.ack', { taskId: 'p-01' });
    await ana.run('task.request_attention', { taskId: 'p-01', kind: 'decision', question: 'which?' });
    await lead.sync.pull();
    await lead.settle();
    return { remote, lead };
  }

  test('has its messages said once the remote shows that it did', async () => {
    const { remote, lead } = await asked();
    const back = loseNextAnswer(remote);
    await expect(answer(lead)).rejects.toMatchObject({ code: 'sync-failed', data: { published: 'unknown' } });
    // As long as nobody can look, nothing is decided.
    await lead.settle();
    expect(lead.outbox.pending()).toMatchObject([{ state: 'waiting' }]);
    back();
    await lead.settle();
    expect(lead.said('ATTENTION_ANSWERED')).toHaveLength(1);
    expect(lead.outbox.pending()).toEqual([]);
    await lead.settle();
    expect(lead.said('ATTENTION_ANSWERED')).toHaveLength(1);
  });

  test('has its messages said by the next process, whenever the remote is back', async () => {
    const { remote, lead } = await asked();
    const back = loseNextAnswer(remote);
    await expect(answer(lead)).rejects.toMatchObject({ code: 'sync-failed' });
    const again = await reopened(lead);
    await again.settle();
    expect(again.outbox.pending()).toMatchObject([{ state: 'waiting' }]);
    back();
    await again.settle();
    expect([again.said('ATTENTION_ANSWERED').length, again.outbox.pending()]).toEqual([1, []]);
  });

  test('has nothing said when the remote shows that it did not', async () => {
    const { remote, lead } = await asked();
    const hook = join(remote, 'hooks', 'pre-receive');
    mkdirSync(join(remote, 'hooks'), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\nrm -f "${hook}"\nmv "${remote}" "${remote}.away"\nkill -9 $PPID\n`);
    chmodSync(hook, 0o755);
    await expect(answer(lead)).rejects.toMatchObject({ data: { published: 'unknown' } });
    renameSync(`${remote}.away`, remote);
    await lead.settle();
    expect([lead.said('ATTENTION_ANSWERED'), lead.outbox.pending()]).toEqual([[], []]);
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
