import { describe, expect, test } from 'vitest';
import { createProject } from '../../../src/flows/project-flow/create.ts';
import { recordLoopIteration } from '../../../src/flows/project-flow/loop.ts';
import { planDag, planLoop } from '../../../src/flows/project-flow/plan.ts';
import { readyDagNodes, readyIterationNodes } from '../../../src/flows/project-flow/ready.ts';
import { setMarker } from '../../../src/protocol/plan/edit.ts';
import { createWorld, idsOf, refusal } from './world.ts';
import type { World } from './world.ts';

const PLAN = 'shared/projects/p/plan.md';

const task = (taskId: string, dependsOn: readonly string[] = [], assignedTo = 'ana') => ({
  taskId,
  title: `Do ${taskId}`,
  assignedTo,
  dependsOn,
});

function withProject(): World {
  const world = createWorld();
  world.call(createProject, { projectId: 'p', title: 'P' });
  return world;
}

function mark(world: World, id: string, status: 'delegated' | 'completed'): void {
  world.files[PLAN] = setMarker(world.files[PLAN] ?? '', id, status);
}

describe('project.plan_dag', () => {
  test('plans the graph and tells what is ready', () => {
    const world = withProject();
    const tasks = [
      task('p-01', [], '@ana:hs.local'),
      { task_id: 'p-02', title: 'Draft (v2)', assigned_to: 'bo', depends_on: '["p-01"]' },
    ];
    expect(world.call(planDag, { projectId: 'p', tasks })).toEqual({
      tasks: [
        { task_id: 'p-01', title: 'Do p-01', assigned_to: '@ana:hs.local', depends_on: [], status: 'pending' },
        { task_id: 'p-02', title: 'Draft (v2)', assigned_to: 'bo', depends_on: ['p-01'], status: 'pending' },
      ],
      readyNodes: [
        { task_id: 'p-01', title: 'Do p-01', assigned_to: '@ana:hs.local', depends_on: [], status: 'pending' },
      ],
      dropped: [],
    });
    expect(world.files[PLAN]).toContain(
      '- [ ] p-01 — Do p-01 (assigned: @ana:hs.local)\n- [ ] p-02 — Draft (v2) (assigned: bo, depends: p-01)\n',
    );
    expect(world.changed(planDag, { projectId: 'p', tasks: JSON.stringify(tasks) })).toEqual([]);
  });

  test('does not warn of a reassignment to the same person in another spelling', () => {
    const world = withProject();
    world.call(planDag, { projectId: 'p', tasks: [task('a')] });
    mark(world, 'a', 'delegated');
    expect(world.call(planDag, { projectId: 'p', tasks: [task('a', [], '@Ana:hs.local')] })['warning']).toBeUndefined();
  });

  test('keeps the state of known ids, drops the rest, and warns about work under way', () => {
    const world = withProject();
    world.call(planDag, { projectId: 'p', tasks: [task('a'), task('b'), task('c')] });
    mark(world, 'a', 'completed');
    mark(world, 'b', 'delegated');
    mark(world, 'c', 'delegated');
    const output = world.call(planDag, { projectId: 'p', tasks: [task('d', ['a']), task('a'), task('b', [], 'bo')] });
    expect(idsOf(output['readyNodes'])).toEqual(['d']);
    expect(output['dropped']).toEqual([{ task_id: 'c', status: 'delegated' }]);
    expect(output['warning']).toBe(
      'delegated task c was dropped from the plan; cancel_task stops its worker; delegated task b was reassigned from ana to bo; delegate_task tells the new worker',
    );
    expect((output['tasks'] as { status: string }[]).map(({ status }) => status)).toEqual([
      'pending',
      'completed',
      'delegated',
    ]);
  });

  test.each([
    [
      'nothing but that it was late',
      { sla_due_at: '2026-09-08T08:00:00Z', sla_violated_at: '2026-09-08T09:00:00Z' },
      false,
    ],
    ['when it is expected', { eta: '2026-10-01T08:00:00Z' }, true],
    ['what Baton knows nothing of', { unknown: { customer: 'Acme' } }, true],
  ])('leaves a record of a dropped line where somebody has written into it: %s', (_, more, isKept) => {
    const world = withProject();
    world.call(planDag, { projectId: 'p', tasks: [task('a'), task('b')] });
    const line = { task_id: 'b', project_id: 'p', task_title: 'Do b', assigned_to: 'ana', status: 'pending' } as const;
    world.putTask({ ...line, ...more });
    world.call(planDag, { projectId: 'p', tasks: [task('a')] });
    expect('shared/tasks/b/meta.json' in world.files).toBe(isKept);
  });

  test('takes back a dropped id as it stands, but not one that has ended', () => {
    const world = withProject();
    world.putTask({ task_id: 'a', project_id: 'p', status: 'in_progress' });
    world.putTask({ task_id: 'b', project_id: 'p', status: 'cancelled' });
    world.putTask({ task_id: 'c', project_id: 'other', status: 'assigned' });
    expect(world.call(planDag, { projectId: 'p', tasks: [task('a')] })['readyNodes']).toEqual([]);
    expect(() => world.call(planDag, { projectId: 'p', tasks: [task('b')] })).toThrow(
      refusal('illegal-transition', 'task b is already cancelled and cannot be planned again'),
    );
    expect(() => world.call(planDag, { projectId: 'p', tasks: [task('c')] })).toThrow(
      refusal('already-exists', 'task already exists: c (in project other)'),
    );
  });

  test.each([
    [undefined, 'tasks must be a non-empty list'],
    [[], 'tasks must be a non-empty list'],
    [{ a: 1 }, 'tasks must be a non-empty list'],
    [['a'], 'tasks must be a list of objects'],
    [[{ ...task('a'), title: '' }], 'taskId, title, and assignedTo are required'],
    [[{ taskId: 'a', title: 'A', worker: 'ana' }], 'taskId, title, and assignedTo are required'],
    [[{ ...task('a'), dependsOn: 'b' }], 'dependsOn must be a list for task a'],
    [[{ ...task('a'), dependsOn: [1] }], 'dependsOn must be a list for task a'],
    [[task('a'), task('a')], 'duplicate task id: a'],
    [[task('a', ['x', 'y'])], 'task a depends on unknown task: x, y'],
    [[task('a', ['b']), task('b', ['a'])], 'cycle in task graph: a -> b -> a'],
    [[task('a/b')], 'invalid id: taskId must be a safe id: a/b'],
    [[task('a', [], 'ana, depends: b')], 'assignedTo must be a worker name or a Matrix id: ana, depends: b'],
  ])('refuses %j and writes nothing', (tasks, message) => {
    const world = withProject();
    const before = { ...world.files };
    expect(() => world.call(planDag, { projectId: 'p', tasks })).toThrow(refusal('invalid-argument', message));
    expect(world.files).toEqual(before);
  });

  test('says why a text is no list', () => {
    expect(() => withProject().call(planDag, { projectId: 'p', tasks: '[{' })).toThrow(/^tasks must be a JSON array: /);
  });

  test('plans a paused project without resuming it, but not one that has ended', () => {
    const world = withProject();
    const meta = 'shared/projects/p/meta.json';
    world.files[meta] = (world.files[meta] ?? '').replace('"active"', '"paused"');
    expect(world.call(planDag, { projectId: 'p', tasks: [task('a')] })['readyNodes']).toEqual([]);
    world.files[meta] = (world.files[meta] ?? '').replace('"paused"', '"completed"');
    expect(() => world.call(planDag, { projectId: 'p', tasks: [task('b')] })).toThrow(
      refusal('illegal-transition', 'project is not active: p (completed)'),
    );
  });

  test('refuses an unknown project', () => {
    expect(() => createWorld().call(planDag, { projectId: 'nope', tasks: [task('a')] })).toThrow(
      refusal('not-found', 'project not found: nope'),
    );
  });
});

const loop = {
  projectId: 'p',
  goal: 'A good\nreport',
  stopCondition: 'no more remarks',
  iterationTemplate: '# Round\n\nlook again',
  maxIterations: 3,
};

describe('project.plan_loop', () => {
  test('plans a loop with the tasks of its iteration', () => {
    const world = withProject();
    const node = { task_id: 'p-i001-01', title: 'Do p-i001-01', assigned_to: 'ana', depends_on: [], status: 'pending' };
    expect(world.call(planLoop, { ...loop, currentIteration: 1, tasks: [task('p-i001-01')] })).toEqual({
      loop: {
        goal: 'A good report',
        stop_condition: 'no more remarks',
        iteration_template: expect.stringContaining('look again'),
        max_iterations: 3,
        current_iteration: 1,
        status: 'running',
        tasks: [node],
        history: [],
      },
      readyNodes: [node],
      readyLoopNodes: [node],
      dropped: [],
    });
  });

  test('keeps iteration, tasks and history when they are not given', () => {
    const world = withProject();
    world.call(planLoop, { ...loop, currentIteration: 2, tasks: [task('a')] });
    world.call(recordLoopIteration, { projectId: 'p', iteration: 2, decision: 'replan', summary: 'so so' });
    const output = world.call(planLoop, { ...loop, goal: 'better' })['loop'] as Record<string, unknown>;
    expect(output).toMatchObject({ goal: 'better', current_iteration: 2, history: ['Iteration 2: replan — so so'] });
    expect(idsOf(output['tasks'])).toEqual(['a']);
  });

  test('may leave an iteration without tasks', () => {
    expect(withProject().call(planLoop, { ...loop, tasks: [] })['readyLoopNodes']).toEqual([]);
  });

  test.each([
    [{ maxIterations: 0 }, 'maxIterations must be greater than zero'],
    [{ currentIteration: 4 }, 'currentIteration cannot exceed maxIterations'],
    [{ currentIteration: -1 }, 'currentIteration must not be negative'],
    [{ status: 'sleeping' }, 'invalid loop status: sleeping'],
    [{ tasks: 'x' }, /^tasks must be a JSON array/],
  ])('refuses %j', (change, message) => {
    expect(() => withProject().call(planLoop, { ...loop, ...change })).toThrow(message);
  });
});

describe('ready nodes', () => {
  test('are asked for by the action that fits the plan', () => {
    const world = withProject();
    world.call(planDag, { projectId: 'p', tasks: [task('a')] });
    expect(idsOf(world.call(readyDagNodes, { projectId: 'p' })['readyNodes'])).toEqual(['a']);
    expect(() => world.call(readyIterationNodes, { projectId: 'p' })).toThrow(
      refusal('invalid-argument', 'project has no loop plan: p'),
    );
    world.call(planLoop, { ...loop, tasks: [task('b')] });
    const ready = world.call(readyIterationNodes, { projectId: 'p' });
    expect([idsOf(ready['readyNodes']), idsOf(ready['readyLoopNodes'])]).toEqual([['b'], ['b']]);
    expect(() => world.call(readyDagNodes, { projectId: 'p' })).toThrow(
      refusal('invalid-argument', 'project plan is not a DAG: p'),
    );
  });

  test('are refused while two lines share an id', () => {
    const world = withProject();
    world.call(planDag, { projectId: 'p', tasks: [task('a')] });
    world.files[PLAN] = `${world.files[PLAN]}- [ ] a — again (assigned: ana)\n`;
    expect(() => world.call(readyDagNodes, { projectId: 'p' })).toThrow(
      /^duplicate task ids in graph: \w+ \(first on line \d+\), at shared\/projects\/p\/plan\.md:\d+$/,
    );
  });
});

describe('project.record_loop_iteration', () => {
  test('records the decision in the plan, once', () => {
    const world = withProject();
    world.call(planLoop, { ...loop, currentIteration: 1, tasks: [task('a')] });
    const input = { projectId: 'p', iteration: 1, decision: 'ask_user', summary: 'unclear', nextAction: 'wait' };
    expect(world.call(recordLoopIteration, input)['loop']).toMatchObject({
      status: 'waiting_user',
      current_iteration: 1,
      history: ['Iteration 1: ask_user — unclear Next: wait'],
    });
    expect(world.files[PLAN]).toContain('- Iteration 1: ask_user — unclear Next: wait\n');
    expect(world.call(readyIterationNodes, { projectId: 'p' })['readyNodes']).toEqual([]);
    const before = { ...world.files };
    expect(world.call(recordLoopIteration, input)).toMatchObject({ reused: true });
    expect(world.files).toEqual(before);
  });

  test.each([
    ['**Iteration**: 1 / 5', '**Iteration**: one of 5', 'invalid loop iteration: one of 5'],
    ['**Loop Status**: running', '**Loop Status**: walking', 'invalid loop status: walking'],
  ])('refuses a loop whose header cannot be read: %s', (good, bad, message) => {
    const world = withProject();
    world.call(planLoop, { ...loop, maxIterations: 5, currentIteration: 1, tasks: [task('a')] });
    const path = 'shared/projects/p/plan.md';
    const text = world.files[path] ?? '';
    world.files[path] = text.replace(good, bad);
    const line = text.split('\n').indexOf(good) + 1;
    const refused = refusal('broken-file', `${message}, at ${path}:${line}`);
    const input = { projectId: 'p', iteration: 1, decision: 'continue', summary: 's' };
    expect(() => world.call(recordLoopIteration, input)).toThrow(refused);
    expect(() => world.call(readyIterationNodes, { projectId: 'p' })).toThrow(refused);
  });

  test('refuses a project without a loop, and what the loop does not know', () => {
    const world = withProject();
    const input = { projectId: 'p', iteration: 1, decision: 'continue', summary: 's' };
    expect(() => world.call(recordLoopIteration, input)).toThrow(
      refusal('invalid-argument', 'project has no loop plan: p'),
    );
    world.call(planLoop, loop);
    expect(() => world.call(recordLoopIteration, { ...input, decision: 'maybe' })).toThrow(
      refusal('invalid-argument', 'invalid loop decision: maybe'),
    );
  });
});
