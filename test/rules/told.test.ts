import { describe, expect, test } from 'vitest';
import { renderTaskMeta } from '../../src/protocol/records/task.ts';
import type { ProjectMeta, TaskMeta } from '../../src/protocol/records/types.ts';
import { changedNodes, lastTold, newsIn, tellable } from '../../src/rules/told.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';

const meta: ProjectMeta = { project_id: 'p', title: 'P', status: 'active' };

function project(lines: readonly string[], tasks: readonly Partial<TaskMeta>[] = []) {
  const files: Record<string, string> = {
    'shared/projects/p/meta.json': JSON.stringify(meta),
    'shared/projects/p/plan.md': `${lines.join('\n')}\n`,
  };
  for (const task of tasks) {
    const full: TaskMeta = { task_id: 'a', project_id: 'p', task_title: 't', assigned_to: 'ana', status: 'assigned' };
    files[`shared/tasks/${task.task_id ?? 'a'}/meta.json`] = renderTaskMeta({ ...full, ...task });
  }
  const view = createView(memoryReader(files));
  const entry = view.project('p');
  if (entry === undefined) throw new Error('no project');
  return { view, entry };
}

const DAG = ['## DAG Task Plan', '', '**Plan Type**: dag', ''];
const question = { kind: 'decision', question: 'q', attempt: 2, requestedAt: '2026-06-06T00:00:00Z' } as const;

describe('tellable', () => {
  test('has one word for each node that was begun', () => {
    const { view, entry } = project([
      ...DAG,
      '- [x] a — A (assigned: ana)',
      '- [~] b — B (assigned: ana)',
      '- [!] c — C (assigned: ana, cancelled: no)',
      '- [→] d — D (assigned: ana)',
      '- [ ] e — E (assigned: ana)',
    ]);
    expect(tellable(view, entry, meta)).toEqual({ a: 'completed', b: 'delegated', c: 'cancelled', d: 'revision' });
  });

  test.each([
    [false, 'asks decision 2'],
    [true, 'delegated'],
  ])('tells a question while it is open (resolved: %s)', (resolved, word) => {
    const { view, entry } = project(
      [...DAG, '- [~] a — A (assigned: ana)'],
      [{ attention: [{ ...question, resolved }] }],
    );
    expect(tellable(view, entry, meta)).toEqual({ a: word });
  });

  test('tells that a loop waits for a person, that a plan is broken, and that a project failed', () => {
    const head = ['**Plan Type**: loop', '**Loop Status**: waiting_user', '**Iteration**: 2 / 3', '**Goal**: g'];
    const task = '- [x] a — A (assigned: ana)';
    const waiting = project(['## Loop Plan', '', ...head, '', '## Current Iteration', '', task]);
    expect(tellable(waiting.view, waiting.entry, meta)).toEqual({ a: 'completed', 'loop:': 'waiting_user 2' });
    const broken = project([...DAG, '- [ ] a — A (assigned: ana)', '- [ ] a — A (assigned: ana)']);
    expect(tellable(broken.view, broken.entry, { ...meta, status: 'failed' })).toEqual({
      'plan:': 'broken',
      'project:': 'failed',
    });
  });
});

describe('newsIn', () => {
  test.each<[Record<string, string>, Record<string, string> | undefined, string | undefined]>([
    [{ a: 'completed' }, { a: 'delegated' }, 'task_result_accepted'],
    [{ a: 'revision' }, { a: 'delegated' }, 'task_result_revision'],
    [{ a: 'blocked' }, {}, 'task_result_blocked'],
    [{ a: 'cancelled' }, { a: 'delegated' }, 'task_cancelled'],
    [{ a: 'cancelled' }, {}, undefined],
    [{ a: 'delegated' }, {}, undefined],
    [{ a: 'completed' }, { a: 'completed' }, undefined],
    [{ a: 'completed' }, undefined, undefined],
    [{ a: 'asks approval 1' }, undefined, 'attention_approval'],
    [{ a: 'asks approval 2' }, { a: 'asks approval 1' }, 'attention_approval'],
    [{ a: 'delegated' }, { a: 'asks approval 1' }, undefined],
    [{ 'loop:': 'waiting_user 1' }, undefined, 'decision_needed'],
    [{ 'loop:': 'blocked 1' }, {}, 'loop_blocked'],
    [{ 'plan:': 'broken' }, {}, 'plan_broken'],
    [{ 'project:': 'failed' }, {}, 'project_failed'],
  ])('%j after %j: %s', (now, before, reason) => {
    expect(newsIn(now, before)).toBe(reason);
  });
});

test('what another tool has told is not known, and what nobody was told is nothing', () => {
  expect(lastTold(undefined)).toBeUndefined();
  expect(lastTold({ pending: false, sent_at: '2026-06-06T00:00:00Z' })).toBeUndefined();
  expect(lastTold({ pending: true })).toEqual({});
  expect(lastTold({ pending: true, told: { a: 'completed' } })).toEqual({ a: 'completed' });
});

test('a node that was set back to pending has changed as well', () => {
  const { view, entry } = project([...DAG, '- [ ] a — A (assigned: ana)', '- [x] b — B (assigned: ana)']);
  const before = { a: 'delegated', b: 'completed', gone: 'completed' };
  expect(changedNodes(entry, tellable(view, entry, meta), before)).toEqual(['a']);
});
