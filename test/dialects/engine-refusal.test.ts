import { describe, expect, test } from 'vitest';
import { unknownStepAnswer } from '../../src/dialects/engine-refusal.ts';
import { dispatchedAnswer, subtaskAnswer, transitionAnswer } from '../../src/dialects/engine.ts';
import { refusedStep } from '../../src/rules/transition.ts';
import { eventsFrom } from '../../src/rules/lifecycle.ts';
import { legalProjectEvents } from '../../src/rules/project-lifecycle.ts';
import type { ProjectState } from '../../src/rules/project-lifecycle.ts';
import type { TaskStatus } from '../../src/protocol/records/types.ts';
import type { Envelope } from '../../src/dialects/taskflow.ts';
import type { FlowError } from '../../src/protocol/errors.ts';

const ID = 'TASK-001';

const envelopeOf = ({ message, code, remedy, data }: FlowError): Envelope => ({
  ok: false,
  error: message,
  code,
  remedy,
  ...data,
});

const ofProject = (from: ProjectState, event: string) =>
  transitionAnswer(
    envelopeOf(refusedStep({ from, event, legal: legalProjectEvents(from), data: { projectId: ID } })),
    ID,
    event,
  );

const ofSubtask = (from: TaskStatus, event: string) =>
  subtaskAnswer(
    envelopeOf(refusedStep({ from, event: 'finish', legal: eventsFrom(from), data: { taskId: `${ID}-01` } })),
    ID,
    event,
  );

describe('what the task engine says may follow instead', () => {
  test.each([
    ['planning', 'what may follow PLANNING: approve, reject'],
    ['approved', 'what may follow APPROVED: start, block'],
    ['in_progress', 'what may follow IN_PROGRESS: test, block, fail'],
    ['testing', 'what may follow TESTING: review, reopen, fail'],
    ['review', 'what may follow REVIEW: reopen, complete, fail'],
    ['paused', 'what may follow BLOCKED: unblock, fail'],
    ['completed', 'COMPLETED is final'],
    ['rejected', 'REJECTED is final'],
  ] as const)('of a task that is %s are words of `baton transition`', (from, remedy) => {
    expect(ofProject(from, 'dance')).toMatchObject({ ok: false, remedy });
  });

  const more = `\`baton dispatch ${ID} TITLE --agent NAME\` plans what is left to do`;
  test.each([
    ['pending', 'what may follow PENDING: assign, fail, hand-over'],
    ['assigned', 'what may follow ASSIGNED: assign, start, done, block, fail, hand-over'],
    ['in_progress', 'what may follow IN_PROGRESS: start, done, block, fail, hand-over'],
    ['submitted', 'what may follow IN_PROGRESS: done, fail'],
    ['blocked', 'what may follow BLOCKED: unblock, fail, hand-over'],
    ['failed', 'what may follow FAILED: hand-over'],
    ['superseded', 'what may follow SUPERSEDED: take-back'],
    ['completed', `DONE is final: ${more}`],
    ['revision', `FAILED (revision) is final: ${more}`],
    ['cancelled', `FAILED (cancelled) is final: ${more}`],
  ] as const)('of a subtask that is %s are words of `baton subtask`', (from, remedy) => {
    expect(ofSubtask(from, 'dance')).toMatchObject({ ok: false, remedy });
  });

  test('is told to programs in the same words', () => {
    expect(ofProject('approved', 'dance')).toMatchObject({ legal: ['start', 'block'] });
    expect(ofSubtask('failed', 'dance')).toMatchObject({ legal: ['hand-over'] });
  });
});

describe('a refusal of the task engine', () => {
  const refused = (code: string, error: string, remedy = 'delegate it once these are accepted') => ({
    ok: false,
    code,
    error,
    remedy,
  });

  test('of a subtask that waits names the command that gives it out', () => {
    const waits = refused('blocked-by-deps', `task ${ID}-02 is blocked by: ${ID}-01`);
    expect(subtaskAnswer({ ...waits, taskId: `${ID}-02` }, ID, 'start')).toMatchObject({
      error: 'Dependency not DONE: subtask_01',
      remedy: `once that is done: baton subtask ${ID} subtask_02 assign`,
    });
  });

  test.each(['task not found: x', 'task not found in project graph: x', 'project not found: x'])(
    'of what is not there is said in one way: %s',
    (error) => {
      expect(subtaskAnswer(refused('not-found', error), ID, 'assign')).toMatchObject({ error: 'Task x not found' });
    },
  );

  test('of a subtask that is not there says where they are seen', () => {
    const { remedy: _, ...missing } = refused('not-found', `task not found: ${ID}-09`);
    expect(subtaskAnswer({ ...missing, taskId: `${ID}-09` }, ID, 'done')).toMatchObject({
      error: `Task ${ID}-09 not found`,
      remedy: `\`baton status ${ID}\` shows its subtasks`,
    });
  });

  test('of a task that is blocked names the command that lets it go on', () => {
    expect(subtaskAnswer(refused('paused', `project is paused: ${ID}`), ID, 'start')).toMatchObject({
      remedy: `baton transition ${ID} unblock`,
    });
  });

  test('names dependencies as they were typed, and no id that nobody typed (S002-14)', () => {
    const unknown = refused('invalid-argument', `payload.dependsOn names unknown tasks: ${ID}-99, x`);
    expect(dispatchedAnswer(unknown, ID)).toMatchObject({
      error: 'payload.dependsOn names unknown tasks: subtask_99, x',
      remedy: `\`baton status ${ID}\` shows its subtasks`,
    });
    const cycle = refused('invalid-argument', `cycle in task graph: ${ID}-01 -> ${ID}-01`);
    expect(dispatchedAnswer(cycle, ID)).toMatchObject({
      error: 'cycle in task graph: subtask_01 -> subtask_01',
      remedy: `\`baton status ${ID}\` shows its subtasks`,
    });
  });
});

describe('a step of a subtask that nobody knows', () => {
  const next = {
    ok: true,
    task: { task_id: `${ID}-01`, status: 'in_progress' },
    steps: ['progress', 'submit', 'cancel'],
  };

  test.each(['dance', 'cancel'])('is refused as one that the table does not hold: %s (S002-09)', (event) => {
    expect(unknownStepAnswer(next, ID, event)).toEqual({
      ok: false,
      code: 'illegal-transition',
      error: `Invalid transition: IN_PROGRESS + '${event}'`,
      remedy: 'what may follow IN_PROGRESS: start, done',
      taskId: `${ID}-01`,
      state: 'in_progress',
      event,
      legal: ['start', 'done'],
    });
  });

  test('of a subtask that is not there is not found', () => {
    const missing = { ok: false, code: 'not-found', error: `task not found: ${ID}-09` };
    expect(unknownStepAnswer(missing, ID, 'dance')).toMatchObject({ error: `Task ${ID}-09 not found` });
  });
});
