import { describe, expect, test } from 'vitest';
import { subtaskAnswer, transitionAnswer } from '../../src/dialects/engine.ts';
import { TASK_STATUSES } from '../../src/protocol/records/types.ts';
import type { TaskStatus } from '../../src/protocol/records/types.ts';
import { markerFor, nextTaskStatus, TASK_EVENTS } from '../../src/rules/lifecycle.ts';
import type { TaskEvent } from '../../src/rules/lifecycle.ts';
import { nextProjectState, PROJECT_EVENTS, PROJECT_STATES, projectState } from '../../src/rules/project-lifecycle.ts';
import { expectRefused, pairOf, reply } from './at-doors.ts';
import { officeAt, projectAt, projectDoor, projectOf, statusOf, TASK_DOORS } from './edges.ts';
import type { Door } from './edges.ts';
import { ok } from './office.ts';
import type { Office } from './office.ts';

/** What a repetition leaves as it is without a refusal (protocol.md §8.2, §10); the note of a sent message is kept. */
const SILENT = new Set([
  'submitted ack',
  'completed accept',
  'revision revise',
  'cancelled cancel',
  ...TASK_STATUSES.filter((state) => state !== 'prepared').map((state) => `${state} notified`),
]);

/** Doors that stand for one more step where it is missing: the first progress acknowledges. */
const COMPOUND: Readonly<Record<string, TaskStatus>> = { 'prepared progress': 'in_progress' };

const everyPair = (['none', ...TASK_STATUSES] as const).flatMap((state) =>
  TASK_EVENTS.map((event) => [state, event, nextTaskStatus(state, event) ?? COMPOUND[`${state} ${event}`]] as const),
);

/** One door serves both: what nobody has is prepared, not moved. */
const isOneDoor = (state: string, event: string): boolean =>
  event === 'redelegate' && (state === 'none' || state === 'pending');
/** These doors need the record to be called at all. */
const needsRecord = (event: string): boolean => ['accept', 'revise', 'hold', 'cancel', 'notified'].includes(event);

const pairs = everyPair.filter(
  ([state, event]) => !isOneDoor(state, event) && !(state === 'none' && needsRecord(event)),
);
/** These take a planned node that has no record for what it will be: pending. */
const ofPlanned: ReadonlySet<TaskEvent> = new Set(['block', 'unblock']);

const edges = pairs.filter(([, , to]) => to !== undefined);

const firstDoor = (event: TaskEvent): Door => Object.values(TASK_DOORS[event])[0] as Door;

/** Doors that are told first of the result that is there, which says otherwise. */
const MISMATCHED = 'revision accept_task_result of what needs one';

/** Every door of every pair that the table does not hold; one door does not stand for what another one adds. */
const closed = pairs.flatMap(([state, event, to]) =>
  Object.entries(TASK_DOORS[event])
    .filter(([name]) => `${state} ${name}` !== MISMATCHED || event !== 'revise')
    .filter(([name]) => to === undefined || (`${state} ${event}` in COMPOUND && name === 'report_progress'))
    .map(([name, door]) => [state, event, name, door] as const),
);

/** Whether a door says of a pair that it is so already, where others of the same event are refused. */
const isRepeated = (state: string, event: string, door: string): boolean =>
  SILENT.has(`${state} ${event}`) && door !== 'cancel_task for another reason';

describe('every step of a task, through its door', () => {
  test.each(edges)('from %s, %s leads to %s', async (state, event, to) => {
    const office = await officeAt(state, event);
    await ok(firstDoor(event)(office));
    // Without a message to send, what is prepared is assigned at once.
    expect(statusOf(office)).toBe(to === 'prepared' ? 'assigned' : to);
    if (event !== 'create') expect(office.line('p', 't')).toContain(`- [${boxOf(office)}] t`);
  });

  test.each(closed)(
    'from %s, %s is refused in the same words or says nothing new: %s',
    async (state, event, name, door) => {
      const office = await officeAt(state, event);
      const before = statusOf(office);
      const files = { ...office.files };
      const answer = await door(office);
      expect(statusOf(office)).toBe(before);
      if (event === 'notified') return;
      expect(office.files).toEqual(files);
      // An id that is taken, and one that is not there, have no state.
      if (event === 'create') return expect(answer).toMatchObject({ ok: false, code: 'already-exists' });
      if (state === 'none' && !ofPlanned.has(event))
        return expect(answer).toMatchObject({ ok: false, code: 'not-found' });
      if (isRepeated(state, event, name)) return expect(answer).toMatchObject({ ok: true });
      // Another result than the one that was handed in has a code of its own (protocol.md §9.3).
      const code = state === 'submitted' && event === 'submit' ? 'stale-submission' : 'illegal-transition';
      expectRefused(answer, state === 'none' ? 'pending' : state, event, code);
      expect(subtaskAnswer(answer, 'p', 'verb').error).toMatch(/^Invalid transition: [A-Z_]+ \+ 'verb'(?:$|: \S)/);
    },
  );
});

function boxOf(office: Office): string {
  const marker = markerFor(office.task('t').status);
  return { pending: ' ', delegated: '~', completed: 'x', blocked: '!', revision: '→', cancelled: '!' }[marker];
}

describe('what a room is told of a task', () => {
  const orders = { accept: '!accept t', revise: '!reject t no' } as const;
  const refused = TASK_STATUSES.flatMap((state) =>
    (['accept', 'revise'] as const)
      .filter((event) => nextTaskStatus(state, event) === undefined && !SILENT.has(`${state} ${event}`))
      .map((event) => [state, event] as const),
  );

  test.each(refused)('that is %s and cannot take %s', async (state, event) => {
    const said = await reply(await officeAt(state, event), orders[event]);
    expect(said.startsWith(`${pairOf(state, event)}. `), said).toBe(true);
    expect(said).toMatch(/'\. (?:Nothing has been submitted for `t`|`t` was decided before)/);
  });
});

describe('every step of a project, through its door', () => {
  const pairsOfProjects = PROJECT_STATES.flatMap((state) =>
    PROJECT_EVENTS.filter((event) => event !== 'create').map(
      (event) => [state, event, nextProjectState(state, event, 'testing')] as const,
    ),
  );
  const others = pairsOfProjects.filter(([, , to]) => to === undefined);

  test.each(pairsOfProjects.filter(([, , to]) => to !== undefined))(
    'from %s, %s leads to %s',
    async (state, event, to) => {
      const office = await projectAt(state);
      await ok(projectDoor(event)(office));
      expect(projectState(projectOf(office))).toBe(to);
    },
  );

  test.each(others)('from %s, %s is refused in the same words and changes nothing', async (state, event) => {
    const office = await projectAt(state);
    const before = { ...office.files };
    const answer = await projectDoor(event)(office);
    expect(office.files).toEqual(before);
    if (event === 'create_project') return expect(answer).toMatchObject({ ok: false, code: 'already-exists' });
    expectRefused(answer, state, event);
    expect(transitionAnswer(answer, 'p', 'verb').error).toMatch(/^Invalid transition: [A-Z_]+ \+ 'verb'(?:$|: \S)/);
  });

  test.each(others.filter(([, event]) => event === 'pause' || event === 'resume'))(
    'from %s, %s is refused in the room as well',
    async (state, event) => {
      const said = await reply(await projectAt(state), `!${event} p`);
      expect(said).toMatch(/^Invalid transition: [A-Z]+ \+ '[a-z]+'\. That did not work: cannot \w+ a \w+ project\./);
      expect(said.startsWith(`${pairOf(state, event)}. `), said).toBe(true);
    },
  );
});
