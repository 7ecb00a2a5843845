import { describe, expect, test } from 'vitest';
import { presentProject, presentTask } from '../../src/flows/present.ts';
import { findTask, requireProject, requireTask } from '../../src/flows/shared.ts';
import { createView } from '../../src/workspace/snapshot.ts';
import { memoryReader } from '../../src/workspace/readers.ts';

describe('presentation', () => {
  test('puts unknown keys beside the known ones, which win', () => {
    const meta = { project_id: 'p', title: 'P', status: 'active', unknown: { workers: ['w'], status: 'odd' } } as const;
    expect(Object.entries(presentProject(meta))).toEqual([
      ['project_id', 'p'],
      ['title', 'P'],
      ['status', 'active'],
      ['workers', ['w']],
    ]);
    const task = { task_id: 't', project_id: 'p', task_title: 'T', assigned_to: 'ana', status: 'assigned' } as const;
    expect(presentTask(task)).toEqual(task);
  });
});

describe('looking up records', () => {
  const view = createView(
    memoryReader({
      'shared/projects/broken/meta.json': '{',
      'shared/tasks/broken/meta.json': '[]',
      'shared/projects/plan/plan.md': '# P\n',
    }),
  );

  test.each(['nope', 'plan'])('tells when there is none: %s', (id) => {
    expect(() => requireProject(view, id)).toThrow(
      expect.objectContaining({ code: 'not-found', message: `project not found: ${id}` }),
    );
  });

  test('tells where a broken one stands', () => {
    expect(() => requireProject(view, 'broken')).toThrow(
      expect.objectContaining({
        code: 'broken-file',
        message: expect.stringMatching(/^shared\/projects\/broken\/meta\.json cannot be read: /),
      }),
    );
    expect(() => findTask(view, 'broken')).toThrow(expect.objectContaining({ code: 'broken-file' }));
    expect(() => requireTask(view, 'nope')).toThrow(
      expect.objectContaining({ code: 'not-found', message: 'task not found: nope' }),
    );
  });

  test('refuses an id that leaves its folder', () => {
    expect(() => requireProject(view, '../x')).toThrow('invalid id: projectId must be a safe id: ../x');
    expect(() => findTask(view, 'a/b')).toThrow('invalid id: taskId must be a safe id: a/b');
  });
});
