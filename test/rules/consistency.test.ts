import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderTaskMeta } from '../../src/protocol/records/task.ts';
import { TASK_STATUSES } from '../../src/protocol/records/types.ts';
import type { TaskMeta, TaskStatus } from '../../src/protocol/records/types.ts';
import type { NodeStatus } from '../../src/protocol/plan-types.ts';
import { resultDigest } from '../../src/protocol/result/digest.ts';
import { findInconsistencies } from '../../src/rules/consistency.ts';
import { disagreement } from '../../src/rules/disagreement.ts';
import { isTerminalTask, markerFor } from '../../src/rules/lifecycle.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';

const MARKERS = { pending: ' ', delegated: '~', completed: 'x', blocked: '!', revision: '→' } as const;

function findings(lines: readonly string[], tasks: readonly Partial<TaskMeta>[], files: Record<string, string> = {}) {
  const metas = tasks.map((meta): [string, string] => {
    const full: TaskMeta = {
      task_id: 'a',
      project_id: 'p',
      task_title: 'A',
      assigned_to: 'ana',
      status: 'assigned',
      ...meta,
    };
    return [`shared/tasks/${full.task_id}/meta.json`, renderTaskMeta(full)];
  });
  const view = createView(
    memoryReader({
      'shared/projects/p/meta.json': '{ "project_id": "p", "title": "P", "status": "active" }\n',
      'shared/projects/p/plan.md': `# P\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n${lines.join('\n')}\n`,
      ...Object.fromEntries(metas),
      ...files,
    }),
  );
  return findInconsistencies(view);
}

const line = (marker: keyof typeof MARKERS, id = 'a', rest = ''): string =>
  `- [${MARKERS[marker]}] ${id} — A (assigned: ana${rest})`;

describe('findings', () => {
  test('are none in a tree that fits together', () => {
    expect(findings([line('delegated')], [{ status: 'in_progress' }])).toEqual([]);
  });

  test('ask for a repair when marker and record differ', () => {
    expect(findings([line('completed')], [{ status: 'submitted', submission_id: 's' }])).toEqual([
      {
        key: 'disagree:a:completed:submitted',
        kind: 'marker-and-record-disagree',
        severity: 'warning',
        projectId: 'p',
        taskId: 'a',
        message: 'plan.md shows a as completed, its record says submitted',
        remedy: 'the node sets the record to completed',
        repair: { operation: 'state.repair', input: { projectId: 'p', taskId: 'a' } },
      },
    ]);
  });

  test('leave to people what no rule settles', () => {
    expect(findings([line('completed')], [{ status: 'in_progress' }])).toEqual([
      {
        key: 'disagree:a:completed:in_progress',
        kind: 'marker-and-record-disagree',
        severity: 'warning',
        projectId: 'p',
        taskId: 'a',
        message: 'plan.md shows a as completed, its record says in_progress',
        file: 'shared/projects/p/plan.md',
        line: 7,
        remedy: 'set the marker to [~], and to [x] once a result is submitted',
      },
    ]);
  });

  test('name delegated nodes without a record, records without a node, and records of other projects', () => {
    const found = findings(
      [line('delegated'), line('delegated', 'b')],
      [{ task_id: 'b', project_id: 'other' }, { task_id: 'c' }, { task_id: 'd', status: 'cancelled' }],
    );
    expect(found.map(({ kind, taskId, repair }) => [kind, taskId, repair])).toEqual([
      ['missing-task-record', 'a', undefined],
      ['foreign-task-record', 'b', undefined],
      ['orphan-task', 'c', undefined],
    ]);
  });

  test('name a graph that planning would have refused', () => {
    expect(findings([line('pending', 'a', ', depends: b'), line('pending', 'b', ', depends: a')], [])).toEqual([
      {
        key: 'broken-graph:p:cycle in task graph: a -> b -> a',
        kind: 'broken-graph',
        severity: 'error',
        projectId: 'p',
        file: 'shared/projects/p/plan.md',
        line: 7,
        message: 'cycle in task graph: a -> b -> a',
        remedy: 'mend depends: in that line, or send the whole graph with `baton project plan p --tasks …`',
      },
    ]);
  });

  test('name work that the plan gives to somebody else, by whatever name', () => {
    const given = (assignee: string, meta: Partial<TaskMeta> = {}): readonly string[] =>
      findings([`- [~] a — A (assigned: ${assignee})`], [{ status: 'in_progress', ...meta }], {
        'shared/agents/ana.json': '{ "agent_id": "ana", "role": "worker", "name": "Ana Lee" }',
        'shared/agents/bo.json': '{ "agent_id": "bo", "role": "worker" }',
      }).map(({ key }) => key);
    expect(given('bo')).toEqual(['other-assignee:a:bo']);
    expect(['ana', 'Ana', '@ana:local', 'Ana Lee', ''].flatMap((name) => given(name))).toEqual([]);
    expect(given('bo', { status: 'submitted' })).toEqual([]);
    const [found] = findings(['- [~] a — A (assigned: bo)'], [{ status: 'assigned' }]);
    expect(found).toMatchObject({ file: 'shared/projects/p/plan.md', line: 7, taskId: 'a' });
    expect(found?.remedy).toContain('`baton task delegate p a --spec …`');
  });

  test('say nothing of a node that stands in the plan twice, and of none between the markers of a conflict', () => {
    const kinds = (lines: readonly string[]): readonly string[] =>
      findings(lines, [{ status: 'submitted', submission_id: 's' }]).map(({ kind }) => kind);
    expect(kinds([line('completed')])).toEqual(['marker-and-record-disagree']);
    expect(kinds([line('completed'), line('blocked')])).toEqual(['broken-file']);
    expect(kinds(['<<<<<<< ours', line('completed'), '=======', '>>>>>>> theirs'])).toEqual(['broken-file']);
  });

  test('do not miss a task whose line cannot be read: the line is told of', () => {
    const found = findings(['- [?] a — A (assigned: ana)', line('pending', 'b', ', depends: a')], [{}]);
    expect(found.map(({ kind, message }) => [kind, message])).toEqual([
      ['broken-file', 'shared/projects/p/plan.md:7:3 [plan-marker] unknown task marker [?]'],
    ]);
  });

  test('name a project without a plan', () => {
    const view = createView(
      memoryReader({ 'shared/projects/p/meta.json': '{ "project_id": "p", "title": "P", "status": "active" }' }),
    );
    expect(findInconsistencies(view).map(({ key }) => key)).toEqual(['missing-plan:p']);
  });

  test('say how work without a node is ended, with its submission where it has one', () => {
    const remedies = findings([], [{ task_id: 'c' }, { task_id: 'd', submission_id: 's-1' }]).map(
      ({ remedy }) => remedy,
    );
    expect(remedies.map((remedy) => /`(.+)`/.exec(remedy)?.[1])).toEqual([
      'baton task cancel c --reason …',
      'baton task cancel d --reason … --submission-id s-1',
    ]);
  });

  test('name broken files by place and rule', () => {
    const [found] = findings([line('delegated')], [], { 'shared/tasks/a/meta.json': '{' });
    expect(found).toMatchObject({ kind: 'broken-file', severity: 'error', taskId: 'a' });
    expect(found?.message).toMatch(/^shared\/tasks\/a\/meta\.json:1:\d+ \[/);
  });

  test('say nothing of a project that has ended', () => {
    const ended = { 'shared/projects/p/meta.json': '{ "project_id": "p", "title": "P", "status": "completed" }' };
    expect(findings([line('completed')], [{ status: 'submitted' }], ended)).toEqual([]);
  });
});

describe('results on disk', () => {
  const result = {
    'shared/tasks/a/result.md': 'STATUS: SUCCESS\nSUMMARY: Done.\n\nDELIVERABLES:\n- shared/tasks/a/x.md\n',
  };

  test('are to be recorded when they are valid and were not submitted', () => {
    expect(findings([line('delegated')], [{ status: 'in_progress' }], result)).toEqual([
      {
        key: 'unrecorded-result:a',
        kind: 'unrecorded-result',
        severity: 'warning',
        projectId: 'p',
        taskId: 'a',
        message: 'shared/tasks/a/result.md holds a valid result that is not recorded as submitted',
        remedy: 'ana calls submit_task, or the node records it',
        repair: { operation: 'task.record_submission', input: { taskId: 'a' } },
      },
    ]);
  });

  test.each([
    ['STATUS: MAYBE\nSUMMARY: x\n', 'invalid result status: MAYBE'],
    [
      'STATUS: SUCCESS\nSUMMARY: x\n\nDELIVERABLES:\n- shared/projects/p/x\n',
      'deliverable must be under shared/tasks/a/: shared/projects/p/x',
    ],
  ])('are told to the worker when they are not valid', (text, problem) => {
    const [found] = findings([line('delegated')], [{ status: 'in_progress' }], { 'shared/tasks/a/result.md': text });
    expect(found).toMatchObject({ kind: 'invalid-result', taskId: 'a' });
    expect(found?.message).toContain(problem);
    expect(found).not.toHaveProperty('repair');
  });

  test('are told to the leader when they changed after the submission', () => {
    const digest = resultDigest({ status: 'SUCCESS', summary: 'Done.', deliverables: ['shared/tasks/a/x.md'] });
    const task = { status: 'submitted' as const, submission_id: 's', result_digest: digest };
    expect(findings([line('delegated')], [task], result)).toEqual([]);
    const changed = { 'shared/tasks/a/result.md': 'STATUS: SUCCESS\nSUMMARY: Other.\n' };
    expect(findings([line('delegated')], [task], changed).map(({ kind }) => kind)).toEqual(['result-changed']);
  });
});

const NODE_STATUSES: readonly NodeStatus[] = ['pending', 'delegated', 'completed', 'blocked', 'revision', 'cancelled'];

const repairOf = (marker: NodeStatus, status: TaskStatus, extra: Partial<TaskMeta> = {}) =>
  disagreement(
    { id: 'a', status: marker },
    { task_id: 'a', project_id: 'p', task_title: 'A', assigned_to: 'ana', status, ...extra },
  );

describe('who yields', () => {
  test.each([
    ['completed', 'submitted', { side: 'record', to: 'completed' }],
    ['revision', 'in_progress', { side: 'record', to: 'revision' }],
    ['blocked', 'submitted', { side: 'record', to: 'blocked' }],
    ['cancelled', 'assigned', { side: 'record', to: 'cancelled' }],
    ['delegated', 'completed', { side: 'record', to: 'assigned' }],
    ['pending', 'in_progress', { side: 'marker', to: 'delegated' }],
    ['delegated', 'cancelled', { side: 'marker', to: 'cancelled', cancelled: 'cancelled' }],
    ['pending', 'superseded', { side: 'marker', to: 'cancelled', cancelled: 'superseded' }],
    ['delegated', 'failed', { side: 'marker', to: 'blocked' }],
  ] as const)('marker %s against record %s', (marker, status, repair) => {
    expect(repairOf(marker, status)?.repair).toEqual(repair);
  });

  test('an acceptance that the plan does not show goes back to what was before it', () => {
    expect(repairOf('delegated', 'completed', { submission_id: 's' })?.repair).toEqual({
      side: 'record',
      to: 'submitted',
    });
    expect(repairOf('delegated', 'completed', { acknowledged_at: 'x' })?.repair).toEqual({
      side: 'record',
      to: 'in_progress',
    });
  });

  test('every way of ending agrees with [!]', () => {
    for (const status of ['failed', 'cancelled', 'superseded'] as const) {
      expect(repairOf('blocked', status)).toBeUndefined();
      expect(repairOf('cancelled', status)).toBeUndefined();
    }
  });

  test('repairs settle in at most two steps, and never promote to [x] or revive what was withdrawn', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NODE_STATUSES),
        fc.constantFrom(...TASK_STATUSES),
        fc.boolean(),
        (firstMarker, firstStatus, handedIn) => {
          let marker = firstMarker;
          let status = firstStatus;
          const extra = handedIn ? { submission_id: 's' } : {};
          for (let step = 0; step < 2; step += 1) {
            const repair = repairOf(marker, status, extra)?.repair;
            if (repair === undefined) break;
            if (repair.side === 'marker') {
              expect(repair.to).not.toBe('completed');
              marker = repair.to;
            } else {
              if (repair.to === 'completed') expect(marker).toBe('completed');
              if (['cancelled', 'superseded'].includes(status)) expect(isTerminalTask(repair.to)).toBe(true);
              status = repair.to;
            }
          }
          expect(repairOf(marker, status, extra)?.repair).toBeUndefined();
          if (firstMarker !== 'completed') expect(markerFor(status)).not.toBe('completed');
        },
      ),
    );
  });
});
