import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeId, numberedId, numberOfId, numberOfNode } from '../../src/protocol/ids.ts';
import { nextNodeId, nextTaskId } from '../../src/rules/next-id.ts';
import { memoryReader } from '../../src/workspace/readers.ts';
import { createView } from '../../src/workspace/snapshot.ts';

const view = (...paths: readonly string[]) =>
  createView(memoryReader(Object.fromEntries(paths.map((path) => [path, path.endsWith('plan.md') ? '' : '{}']))));

describe('the next id of the task engine', () => {
  test.each([
    ['nothing is there', [], 'TASK-001'],
    ['a project has one', ['shared/projects/TASK-007/meta.json'], 'TASK-008'],
    ['a task has one', ['shared/tasks/TASK-010/meta.json', 'shared/projects/TASK-002/meta.json'], 'TASK-011'],
    ['an archived project has one', ['shared/archive/2026-01/projects/TASK-041/meta.json'], 'TASK-042'],
    ['an archived task has one', ['shared/archive/2026-01/tasks/TASK-003/meta.json'], 'TASK-004'],
    ['one is cased otherwise', ['shared/projects/task-004/meta.json'], 'TASK-005'],
    ['a thousand were made', ['shared/projects/TASK-999/meta.json'], 'TASK-1000'],
    ['others only look alike', ['shared/tasks/TASK-001-07/meta.json', 'shared/tasks/TASK-x/meta.json'], 'TASK-001'],
  ])('when %s', (_, paths, id) => {
    expect(nextTaskId(view(...paths))).toBe(id);
  });

  test('begins with what the team has chosen, and counts that alone (S002-34)', () => {
    const tree = createView(
      memoryReader({
        'shared/team.json': '{ "policies": { "idPrefix": "JOB" } }',
        'shared/projects/TASK-007/meta.json': '{}',
        'shared/tasks/job-002/meta.json': '{}',
      }),
    );
    expect(nextTaskId(tree)).toBe('JOB-003');
  });

  test('counts the nodes of the inbox that have no record', () => {
    const tree = createView(
      memoryReader({ 'shared/projects/inbox/plan.md': '## DAG Task Plan\n\n- [ ] TASK-006 — By hand (assigned: -)\n' }),
    );
    expect(nextTaskId(tree)).toBe('TASK-007');
  });

  test('of a node goes past every node and task that the project had', () => {
    const tree = createView(
      memoryReader({
        'shared/projects/TASK-001/plan.md': '## DAG Task Plan\n\n- [ ] TASK-001-02 — Two (assigned: -)\n',
        'shared/tasks/TASK-001-03/meta.json': '{}',
        'shared/tasks/TASK-001-x/meta.json': '{}',
        'shared/tasks/TASK-0011-09/meta.json': '{}',
      }),
    );
    const project = tree.project('TASK-001');
    expect(project && nextNodeId(tree, project)).toBe('TASK-001-04');
  });

  test('reads back the number that it wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (number) => {
        expect(numberOfId(numberedId(number), 'TASK')).toBe(number);
        expect(numberOfNode('p', nodeId('p', number))).toBe(number);
      }),
    );
  });
});
