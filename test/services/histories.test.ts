import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FULL_LOG } from '../../src/protocol/event-logs.ts';
import { git } from '../support/git.ts';
import { openParts, openSolo, openTeam, plan, type Parts } from '../support/parts.ts';

type Entries = readonly { readonly what: string; readonly commit?: string; readonly durability: string }[];

async function log(parts: Parts, id: string, limit = 50): Promise<{ entries: Entries; more: boolean }> {
  return (await parts.run('node.log', { id, limit })) as unknown as { entries: Entries; more: boolean };
}

/** Each event with the subject of its commit. */
async function told(parts: Parts, id: string): Promise<readonly (readonly string[])[]> {
  const { entries } = await log(parts, id);
  return entries.map(({ what, commit, durability }) => [
    what,
    commit === undefined ? '-' : git(parts.dir, 'log', '-1', '--format=%s', commit),
    durability,
  ]);
}

test('a history names for each event the commit that brought it, from whosever clone, and how safe that is', async () => {
  const { lead, ana } = await openTeam();
  await plan(lead, 't-1', 't-10');
  await ana.run('task.ack', { taskId: 't-1' });
  const history = [
    ['task.delegated', 'taskflow(task.delegate): t-1', 'replicated'],
    ['task.acknowledged', 'taskflow(task.ack): t-1', 'replicated'],
  ];
  await lead.sync.pull();
  expect(await told(lead, 't-1')).toEqual(history);
  expect((await told(lead, 'p')).map(([what]) => what)).toEqual([
    'project.created',
    'project.planned',
    'task.delegated',
    'project.started',
    'task.acknowledged',
  ]);
  expect(await log(lead, 'p', 1)).toMatchObject({ more: true, entries: [{ what: 'task.acknowledged' }] });

  // What is only in the file, or only in this clone, is told so.
  await ana.sync.indexed();
  const logs = git(ana.dir, 'ls-files', 'shared/events').split('\n');
  const path = logs.find((name) => name.endsWith('/ana.jsonl')) ?? '';
  const file = join(ana.dir, path);
  const [first = ''] = readFileSync(file, 'utf8').split('\n');
  appendFileSync(file, `${first.replace('task.acknowledged', 'task.added')}\n`);
  expect(await told(ana, 't-1')).toEqual([...history, ['task.added', '-', 'journaled']]);
  git(ana.dir, 'commit', '-q', '-m', 'by hand', '--', path);
  expect(await told(ana, 't-1')).toEqual([...history, ['task.added', 'by hand', 'committed']]);

  // Of a log that was edited in the middle nobody can tell by its size how it grew.
  writeFileSync(file, readFileSync(file, 'utf8').replace('"in_progress"', '"in_hand"'));
  git(ana.dir, 'commit', '-q', '-m', 'edited', '--', path);
  expect(await told(ana, 't-1')).toEqual([
    history[0],
    ['task.acknowledged', '-', 'committed'],
    ['task.added', '-', 'committed'],
  ]);
});

test('a history finds the commit of each lane that came to main in one merge', async () => {
  const { remote, lead, ana } = await openTeam();
  const bo = await openParts({ dir: join(remote, '../bo'), role: 'worker', as: 'bo', remote });
  await lead.run('project.create', { projectId: 'p', title: 'P', source: 'team-admin' });
  const tasks = ['ana', 'bo'].map((name) => ({ taskId: `t-${name}`, title: name, assignedTo: name }));
  await lead.run('project.plan_dag', { projectId: 'p', tasks });
  for (const { taskId } of tasks)
    await lead.run('task.delegate', { projectId: 'p', taskId, roomId: '!team:local', spec: 'Do it.', notify: true });
  await lead.settle();
  await Promise.all([ana.run('task.ack', { taskId: 't-ana' }), bo.run('task.ack', { taskId: 't-bo' })]);
  await lead.sync.pull();
  expect(git(lead.dir, 'log', '-1', '--format=%s')).toBe('integrate lanes/ana, lanes/bo');
  for (const { taskId } of tasks) {
    expect((await told(lead, taskId)).at(-1)).toEqual([
      'task.acknowledged',
      `taskflow(task.ack): ${taskId}`,
      'replicated',
    ]);
  }
});

test('a history goes through the parts of a log in their order, and finds the commit of each', async () => {
  const lead = await openSolo();
  await plan(lead, 't-1');
  const path = git(lead.dir, 'ls-files', 'shared/events/*.jsonl').split('\n')[0] ?? '';
  const full = `${JSON.stringify({ id: 'zz', ts: '2026-06-06T00:00:00Z', type: 'x', note: 'n'.repeat(FULL_LOG) })}\n`;
  appendFileSync(join(lead.dir, path), full);
  git(lead.dir, 'commit', '-q', '-m', 'much', '--', path);
  await lead.run('task.cancel', { taskId: 't-1', reason: 'no' });
  expect(await told(lead, 't-1')).toEqual([
    ['task.delegated', 'taskflow(task.delegate): t-1', 'committed'],
    ['task.cancelled', 'taskflow(task.cancel): t-1', 'committed'],
  ]);
  const logs = git(lead.dir, 'ls-files', 'shared/events/*.jsonl').split('\n');
  expect(logs).toEqual([path, path.replace('.jsonl', '@0002.jsonl')].toSorted());
  expect(readFileSync(join(lead.dir, logs.find((name) => name.includes('@')) ?? ''), 'utf8')).not.toContain(
    'delegated',
  );
});

test('a history of what nobody knows is refused, and one without events is empty', async () => {
  const lead = await openSolo();
  await expect(log(lead, 't-9')).rejects.toMatchObject({ code: 'not-found' });
  await expect(lead.run('node.log', { id: '../x' })).rejects.toMatchObject({ code: 'invalid-argument' });
  lead.put('shared/tasks/t-9/meta.json', JSON.stringify({ task_id: 't-9', project_id: 'p', task_title: 'T' }));
  expect(await log(lead, 't-9')).toMatchObject({ entries: [], more: false });
});
