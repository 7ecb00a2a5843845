import { describe, expect, test } from 'vitest';
import { renderTaskMeta } from '../../src/protocol/records/task.ts';
import type { ProjectMeta, RequesterReport } from '../../src/protocol/records/types.ts';
import type { TreeReader } from '../../src/protocol/view.ts';
import { reportDue, WORK_STARTED } from '../../src/rules/reports.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';

const PLAN = 'shared/projects/p/plan.md';
const DAG = '# P\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n';
const LOOP =
  '# P\n\n## Loop Plan\n\n**Plan Type**: loop\n**Loop Status**: evaluating\n**Iteration**: 1 / 3\n**Goal**: g\n\n## Current Iteration\n';

const meta: ProjectMeta = { project_id: 'p', title: 'P', status: 'active', source: 'team-admin' };
const TASK = { task_id: 'a', project_id: 'p', task_title: 'A', assigned_to: 'ana', status: 'assigned' } as const;

const unreadable = {
  problem: { rule: 'file-not-utf8', severity: 'error', message: '', file: PLAN, line: 1, column: 1 },
};

/** Why a report is owed on an active project with one task, given what is read of its plan. */
function owed(
  plan: string | typeof unreadable | undefined,
  report: RequesterReport,
  project: Partial<ProjectMeta> = {},
  tasks: readonly object[] = [TASK],
): string | undefined {
  const files = memoryReader({
    'shared/projects/p/meta.json': JSON.stringify({ ...meta, requester_report: report, ...project }),
    ...(typeof plan === 'string' ? { [PLAN]: plan } : {}),
    ...Object.fromEntries(tasks.map((task) => ['shared/tasks/a/meta.json', renderTaskMeta({ ...TASK, ...task })])),
  });
  const reader: TreeReader = {
    ...files,
    exists: (path) => (path === PLAN ? plan !== undefined : files.exists(path)),
    read: (path) =>
      path === PLAN && typeof plan === 'object' ? (plan as ReturnType<TreeReader['read']>) : files.read(path),
  };
  return reportDue(createView(reader))[0]?.reason;
}

const started = { pending: true, reason: WORK_STARTED } as const;
const accepted = { pending: true, reason: 'task_result_accepted' } as const;

const LOST = [
  ['cannot be read', unreadable],
  ['is gone', undefined],
  ['was emptied', ''],
  ['holds no task any more', DAG],
] as const;

describe('a plan that says nothing of the tasks there are', () => {
  test.each(LOST)('since it %s does not count as given out', (_, plan) => {
    expect(owed(plan, started)).toBeUndefined();
  });

  test.each(LOST)('since it %s keeps what is owed back until it is there again', (_, plan) => {
    for (const status of ['active', 'paused'] as const) expect(owed(plan, accepted, { status })).toBeUndefined();
    expect(owed(`${DAG}- [x] a — A (assigned: ana)\n`, accepted)).toBe('task_result_accepted');
  });

  test.each(LOST)('since it %s does not keep back the end of its project', (_, plan) => {
    expect(owed(plan, accepted, { status: 'completed' })).toBe('task_result_accepted');
    expect(owed(plan, { pending: true, reason: 'project_completed' }, { status: 'completed' })).toBe(
      'project_completed',
    );
    expect(owed(plan, started, { status: 'failed' })).toBe('project_failed');
  });

  test('is none that is broken, which is told', () => {
    expect(owed(`${DAG}- [ ] a — A (assigned: ana)\n- [ ] a — A (assigned: ana)\n`, started)).toBe('plan_broken');
  });

  test('keeps nothing back where there are no tasks, or where a loop is between two iterations', () => {
    expect(owed(undefined, accepted, {}, [])).toBe('task_result_accepted');
    expect(owed(DAG, accepted, {}, [{ project_id: 'q' }])).toBe('task_result_accepted');
    expect(owed(LOOP, started)).toBe(WORK_STARTED);
    expect(owed(LOOP, accepted)).toBe('task_result_accepted');
  });
});

test('the first wave is told once all of it is given out', () => {
  expect(owed(`${DAG}- [~] a — A (assigned: ana)\n- [ ] b — B (assigned: ana)\n`, started)).toBeUndefined();
  expect(owed(`${DAG}- [~] a — A (assigned: ana)\n`, started)).toBe(WORK_STARTED);
});
