import { expect, test } from 'vitest';
import { OPERATIONS } from '../../src/flows/catalog.ts';
import { git } from '../support/git.ts';
import { openSolo, openTeam, plan, worker } from '../support/parts.ts';

test('three commands are answered before their push, since nobody elsewhere acts on them', () => {
  const early = [...OPERATIONS.values()].filter(({ answers }) => answers === 'committed').map(({ name }) => name);
  expect(early.sort()).toEqual(['task.confirm_assignment', 'task.confirm_completion', 'task.report_progress']);
});

test('every step of a task’s life says how safe it is', async () => {
  const { lead, ana, remote } = await openTeam();
  await plan(lead, 'p-01', 'p-02');
  const safe = { durability: 'replicated' };
  const claim = { projectId: 'p', taskId: 'p-02', roomId: '!team:local', spec: 'Do it.' };
  expect(await lead.run('task.delegate', claim)).toMatchObject(safe);
  expect(await lead.run('task.cancel', { taskId: 'p-02', reason: 'not needed' })).toMatchObject(safe);
  expect(await ana.run('task.ack', { taskId: 'p-01' })).toMatchObject(safe);
  const note = await ana.run('task.report_progress', { taskId: 'p-01', note: 'half done' });
  expect(note).toMatchObject({ durability: 'committed', synced: false });
  // The push of a note takes its turn before whatever is asked for next.
  await ana.sync.pull();
  expect(git(remote, 'show', 'lanes/ana:shared/tasks/p-01/meta.json')).toContain('half done');
  const result = { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' };
  expect(await ana.run('task.submit', result)).toMatchObject(safe);
  expect(await ana.run('task.submit', result), 'once more').toMatchObject({ ...safe, reused: true });
  await lead.sync.pull();
  const { submission_id: submissionId } = JSON.parse(lead.text('shared/tasks/p-01/meta.json')) as Record<
    string,
    string
  >;
  const decision = { projectId: 'p', taskId: 'p-01', submissionId, accepted: true, resultStatus: 'SUCCESS' };
  expect(await lead.run('project.accept_task_result', decision)).toMatchObject(safe);
});

test('without a remote a commit is as safe as it gets', async () => {
  const solo = await openSolo();
  await plan(solo, 'p-01');
  const answers = [
    await solo.run('task.ack', { taskId: 'p-01' }, worker('ana')),
    await solo.run('task.report_progress', { taskId: 'p-01', note: 'half done' }, worker('ana')),
    await solo.run('task.submit', { taskId: 'p-01', status: 'SUCCESS', summary: 'Done.' }, worker('ana')),
  ];
  for (const answer of answers) expect(answer).toMatchObject({ durability: 'committed', synced: true });
});
