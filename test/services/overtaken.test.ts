import { expect, test } from 'vitest';
import type { Announcement } from '../../src/ports-chat.ts';
import { renderTaskMeta } from '../../src/protocol/records/task.ts';
import { isOvertakenMessage } from '../../src/services/overtaken.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';

const assignment = (txn: string): Announcement => ({
  kind: 'assignment',
  txn,
  room: '!r:hs',
  text: 'x',
  mentions: [],
  followUp: {
    operation: 'task.confirm_assignment',
    input: { taskId: 't-1', txn },
    actor: { localpart: 'lead', role: 'leader' },
  },
});

test('an assignment that was not said is overtaken by the one that took its place, and by nothing else', () => {
  const task = { task_id: 't-1', project_id: 'p', task_title: 'T', assigned_to: 'ana', status: 'prepared' } as const;
  const holding = (meta: object): Readonly<Record<string, string>> => ({
    'shared/tasks/t-1/meta.json': renderTaskMeta({ ...task, ...meta }),
  });
  const overtaken = (files: Readonly<Record<string, string>>): boolean =>
    isOvertakenMessage(createView(memoryReader(files)), assignment('delegate-t-1-old'));
  expect(overtaken(holding({ notify_txn: 'delegate-t-1-new' }))).toBe(true);
  expect(overtaken(holding({ notify_txn: 'delegate-t-1-old' }))).toBe(false);
  expect(overtaken(holding({}))).toBe(false);
  expect(overtaken({})).toBe(false);
  expect(overtaken({ 'shared/tasks/t-1/meta.json': '{' })).toBe(false);
});
