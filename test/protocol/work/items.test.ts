import { describe, expect, test } from 'vitest';
import { progressBar } from '../../../src/protocol/progress-bar.ts';
import { workFacts } from '../../../src/protocol/work/facts.ts';
import { indexEntries, isEnded, workItems } from '../../../src/protocol/work/items.ts';
import { projectWord, subtaskWord, taskWord } from '../../../src/protocol/work/words.ts';
import { TASK_STATUSES } from '../../../src/protocol/records/types.ts';
import { memoryReader } from '../../../src/workspace/readers.ts';
import { createView } from '../../../src/workspace/snapshot.ts';

const json = (value: unknown): string => JSON.stringify(value);

const TREE = {
  'shared/projects/TASK-001/meta.json': json({
    project_id: 'TASK-001',
    title: 'Composite',
    status: 'active',
    mode: 'composite',
    phase: 'in_progress',
    priority: 'P0',
    created_at: '2026-09-01T10:00:00Z',
  }),
  'shared/projects/TASK-001/plan.md': [
    '## DAG Task Plan',
    '',
    '- [x] TASK-001-01 — Models (assigned: ana, type: dev)',
    '- [~] TASK-001-02 — API (assigned: ana, type: dev, depends: TASK-001-01)',
    '- [ ] TASK-001-03 — Test (assigned: -, type: test, depends: TASK-001-02)',
    '- [!] TASK-001-04 — Old (assigned: bo, cancelled: superseded)',
  ].join('\n'),
  'shared/tasks/TASK-001-01/meta.json': json({
    task_id: 'TASK-001-01',
    project_id: 'TASK-001',
    assigned_to: 'ana',
    status: 'submitted',
  }),
  'shared/tasks/TASK-001-02/meta.json': json({
    task_id: 'TASK-001-02',
    project_id: 'TASK-001',
    assigned_to: 'ana',
    status: 'in_progress',
    progress: 50,
    history: [
      { ts: '2026-09-02T10:00:00Z', from: 'assigned', to: 'in_progress', action: 'ack_task', actor: 'worker:ana' },
    ],
  }),
  'shared/tasks/TASK-001-04/meta.json': json({
    task_id: 'TASK-001-04',
    project_id: 'TASK-001',
    assigned_to: 'bo',
    status: 'superseded',
  }),
  'shared/projects/report/meta.json': json({ project_id: 'report', title: 'Report', status: 'active' }),
  'shared/projects/report/plan.md': '- [!] report-01 — By hand (assigned: ana)\n',
  'shared/tasks/report-01/meta.json': json({ task_id: 'report-01', project_id: 'report', status: 'in_progress' }),
  'shared/tasks/dropped/meta.json': json({
    task_id: 'dropped',
    project_id: 'report',
    task_title: 'Dropped from the plan',
    assigned_to: 'bo',
    status: 'assigned',
  }),
  'shared/tasks/broken/meta.json': '{"task_id": "broken"',
};

const facts = (files: Readonly<Record<string, string>>) => workFacts(createView(memoryReader(files)));

describe('work items', () => {
  test('are every task and every composite project, whose progress is the mean of its subtasks', () => {
    const items = workItems(facts(TREE));
    expect(items.map(({ kind, id, status, progress }) => [kind, id, status, progress])).toEqual([
      ['composite', 'TASK-001', 'active', 50],
      ['task', 'TASK-001-01', 'completed', 100],
      ['task', 'TASK-001-02', 'in_progress', 50],
      ['task', 'TASK-001-03', 'pending', 0],
      ['task', 'report-01', 'blocked', 0],
      ['task', 'dropped', 'assigned', 0],
    ]);
    expect(items[0]).toMatchObject({ priority: 'P0', active: '2026-09-02T10:00:00Z' });
    expect(items[2]).toMatchObject({ isSubtask: true, priority: 'P0', dependsOn: ['TASK-001-01'], type: 'dev' });
  });

  test('do not count what was cancelled in the progress of the whole: it is no part of the work any more', () => {
    const plan = 'shared/projects/TASK-001/plan.md';
    const of = (text: string) => workItems(facts({ ...TREE, [plan]: text }))[0];
    const dropped = TREE[plan].replace('- [ ] TASK-001-03', '- [!] TASK-001-03');
    expect(of(dropped.replace('depends: TASK-001-02)', 'cancelled: no-need)'))).toMatchObject({ progress: 75 });
    expect(of('- [!] TASK-001-03 — Test (assigned: -, cancelled: no-need)\n')).toMatchObject({ progress: 0 });
  });

  test('leave out what cannot be read, and say why (S002-31)', () => {
    expect(facts(TREE).skipped.map(({ path }) => path)).toEqual(['shared/tasks/broken/meta.json']);
  });

  test('stand in the index as callers of the task engine know them (S002-35)', () => {
    expect(indexEntries(facts(TREE))).toEqual([
      {
        id: 'TASK-001',
        title: 'Composite',
        status: 'IN_PROGRESS',
        priority: 'P0',
        created: '2026-09-01T10:00:00Z',
        subtask_count: 3,
        subtasks_done: 1,
      },
      { id: 'report-01', title: 'By hand', status: 'BLOCKED', priority: 'P2', subtask_count: 0, subtasks_done: 0 },
      {
        id: 'dropped',
        title: 'Dropped from the plan',
        status: 'IN_PROGRESS',
        priority: 'P2',
        subtask_count: 0,
        subtasks_done: 0,
      },
    ]);
  });
});

describe('the words of the task engine', () => {
  test('for every state of a task, as a subtask and by itself', () => {
    expect(TASK_STATUSES.map((status) => [status, subtaskWord(status), taskWord(status)])).toEqual([
      ['pending', 'PENDING', 'APPROVED'],
      ['prepared', 'ASSIGNED', 'IN_PROGRESS'],
      ['assigned', 'ASSIGNED', 'IN_PROGRESS'],
      ['in_progress', 'IN_PROGRESS', 'IN_PROGRESS'],
      ['submitted', 'IN_PROGRESS', 'REVIEW'],
      ['blocked', 'BLOCKED', 'BLOCKED'],
      ['revision', 'FAILED', 'FAILED'],
      ['completed', 'DONE', 'COMPLETED'],
      ['failed', 'FAILED', 'FAILED'],
      ['cancelled', 'FAILED', 'REJECTED'],
      ['superseded', undefined, undefined],
    ]);
  });

  test.each([
    [{ status: 'active', phase: 'planning' }, 'PLANNING'],
    [{ status: 'active' }, 'APPROVED'],
    [{ status: 'active', phase: 'testing' }, 'TESTING'],
    [{ status: 'paused', phase: 'in_progress' }, 'BLOCKED'],
    [{ status: 'completed', phase: 'review' }, 'COMPLETED'],
    [{ status: 'rejected' }, 'REJECTED'],
  ] as const)('for a project that is %j', (state, word) => {
    expect(projectWord(state)).toBe(word);
    expect(isEnded(state)).toBe(word === 'COMPLETED' || word === 'REJECTED');
  });

  test.each([
    [0, '[░░░░░░░░░░] 0%'],
    [9, '[░░░░░░░░░░] 9%'],
    [40, '[████░░░░░░] 40%'],
    [99, '[█████████░] 99%'],
    [100, '[██████████] 100%'],
    [140, '[██████████] 100%'],
  ])('draw %i percent in ten cells (S002-29)', (percent, bar) => {
    expect(progressBar(percent)).toBe(bar);
  });
});
