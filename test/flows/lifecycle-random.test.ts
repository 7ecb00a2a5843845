import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTaskMeta } from '../../src/protocol/records/task.ts';
import type { HistoryEntry } from '../../src/protocol/records/types.ts';
import { TASK_TRANSITIONS } from '../../src/rules/lifecycle.ts';
import { ana, createOffice, lead, planned } from './office.ts';
import type { Office } from './office.ts';

const DEEDS: Readonly<Record<string, (office: Office, taskId: string) => Promise<{ readonly ok: boolean }>>> = {
  assign: (office, taskId) => office.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId }),
  move: (office, taskId) => office.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId, assignedTo: 'bo' }),
  begin: (office, taskId) => office.call(ana, 'engine', 'progress_task', { taskId }),
  report: (office, taskId) => office.call(lead, 'engine', 'progress_task', { taskId, progress: 50 }),
  finish: (office, taskId) => office.call(ana, 'engine', 'finish_task', { taskId }),
  close: (office, taskId) => office.call(lead, 'engine', 'finish_task', { taskId, fromQueue: true }),
  revise: (office, taskId) =>
    office.call(lead, 'engine', 'finish_task', { taskId, status: 'REVISION_NEEDED', fromQueue: true }),
  block: (office, taskId) => office.call(lead, 'engine', 'block_task', { taskId }),
  unblock: (office, taskId) => office.call(lead, 'engine', 'unblock_task', { taskId }),
  fail: (office, taskId) => office.call(lead, 'engine', 'fail_task', { taskId }),
  cancel: (office, taskId) => office.call(lead, 'taskflow', 'cancel_task', { taskId, reason: 'why' }),
  give: (office, taskId) => office.call(lead, 'engine', 'hand_over_task', { taskId, assignedTo: 'cy' }),
  take: (office, taskId) => office.call(lead, 'engine', 'take_back_task', { taskId }),
};

const stateOf = (word: string): string => (word === 'planned' ? 'pending' : word);

/** `none` and `planned` are both before the first step of a task (protocol.md §8.4). */
function isRow({ from, to, action }: HistoryEntry): boolean {
  if (action === 'progress') return from === to && from === 'in_progress';
  return TASK_TRANSITIONS.some(
    (row) => (row.from === stateOf(from) || (row.from === 'none' && from === 'planned')) && row.to === stateOf(to),
  );
}

test('whatever is tried, a history is a path of the table that ends in the state, and a refusal changes nothing', async () => {
  const deed = fc.tuple(fc.constantFrom(...Object.keys(DEEDS)), fc.constantFrom('p-01', 'p-02', 'p-03', 'p-04'));
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 25 }), async (deeds) => {
      const office = createOffice({ chat: 'local' });
      await planned(office, { 'p-01': [], 'p-02': ['p-01'] });
      for (const [name, taskId] of deeds) {
        const before = { ...office.files };
        const { ok } = (await DEEDS[name]?.(office, taskId)) ?? { ok: false };
        if (!ok) expect(office.files).toEqual(before);
      }
      for (const [path, text] of Object.entries(office.files)) {
        const [, id] = /^shared\/tasks\/([^/]+)\/meta\.json$/.exec(path) ?? [];
        if (id === undefined) continue;
        const { meta } = parseTaskMeta(text, id);
        const history = meta?.history ?? [];
        expect(history.filter((entry) => !isRow(entry))).toEqual([]);
        expect(history.slice(1).map(({ from }) => from)).toEqual(history.slice(0, -1).map(({ to }) => to));
        expect(stateOf(history.at(-1)?.to ?? '')).toBe(meta?.status);
      }
    }),
    { numRuns: 80 },
  );
});
