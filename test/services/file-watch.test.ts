import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { watchesOf } from '../../src/waking.ts';
import { createWorkIndex } from '../../src/workspace/work-index.ts';
import { openSolo, plan } from '../support/parts.ts';
import { eventually } from '../support/waiting.ts';

test('a task that has ended is not watched, whatever an index of yesterday says of it', async () => {
  const solo = await openSolo();
  await plan(solo, 'live', 'ended', 'woken');
  for (const taskId of ['ended', 'woken'])
    await solo.run('task.delegate', { projectId: 'p', taskId, roomId: '!team:local', spec: 'Do it.', notify: true });
  for (const taskId of ['ended', 'woken']) await solo.run('task.cancel', { taskId, reason: 'Not needed.' });
  const index = createWorkIndex(solo.dir, { workTree: solo.workTree, millis: () => systemClock.millis() });
  index.facts();
  await solo.settle();
  // By hand, while no node runs.
  const woken = 'shared/tasks/woken/meta.json';
  solo.put(woken, solo.text(woken).replace('"cancelled"', '"assigned"'));

  const heard = new Set<string>();
  const { watchFiles } = watchesOf({
    ...solo,
    index,
    root: solo.dir,
    remote: undefined,
    clock: systemClock,
    hints: undefined,
    wants: () => true,
    isLeading: true,
    branch: 'main',
    onError: (error) => expect.unreachable(String(error)),
  });
  const watching = await watchFiles((paths) => paths.forEach((path) => heard.add(path)));
  onTestFinished(() => watching.close());
  for (const id of ['ended', 'woken', 'live']) {
    mkdirSync(join(solo.dir, `shared/tasks/${id}`), { recursive: true });
    appendFileSync(join(solo.dir, `shared/tasks/${id}/notes.md`), 'a line\n');
  }
  writeFileSync(join(solo.dir, 'shared/tasks/last.txt'), '');
  const wanted = ['shared/tasks/live/notes.md', 'shared/tasks/woken/notes.md', 'shared/tasks/last.txt'];
  await eventually(() => wanted.every((path) => heard.has(path)) || undefined, 'the other changes are told');
  expect(heard).not.toContain('shared/tasks/ended/notes.md');
});
