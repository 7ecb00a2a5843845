import { describe, expect, test } from 'vitest';
import { parseProjectMeta, renderProjectMeta } from '../../src/protocol/records/project.ts';
import { setMarker } from '../../src/protocol/plan/edit.ts';
import { TASK_STATUSES } from '../../src/protocol/records/types.ts';
import type { ProjectMeta, TaskMeta, TaskStatus } from '../../src/protocol/records/types.ts';
import type { Envelope } from '../../src/dialects/taskflow.ts';
import { markerFor, nextTaskStatus, TASK_EVENTS } from '../../src/rules/lifecycle.ts';
import type { TaskEvent } from '../../src/rules/lifecycle.ts';
import {
  inState,
  nextProjectState,
  PROJECT_EVENTS,
  PROJECT_STATES,
  projectState,
} from '../../src/rules/project-lifecycle.ts';
import type { ProjectEvent, ProjectState } from '../../src/rules/project-lifecycle.ts';
import { ana, createOffice, lead, ok, planned } from './office.ts';
import type { Office } from './office.ts';

const PLAN = 'shared/projects/p/plan.md';
const META = 'shared/projects/p/meta.json';

/** The door of each event, for task `t`, which is ana's. */
const TASK_DOORS: Readonly<Record<TaskEvent, (office: Office) => Promise<Envelope>>> = {
  create: (office) => office.call(lead, 'engine', 'create_task', { projectId: 'p', taskId: 't', title: 'T' }),
  prepare: (office) => office.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId: 't' }),
  redelegate: (office) => office.call(lead, 'engine', 'assign_task', { projectId: 'p', taskId: 't', assignedTo: 'bo' }),
  notified: (office) =>
    office
      .internal('task.confirm_assignment', { taskId: 't', txn: 'txn', eventId: '$e' })
      .then((output) => ({ ok: true, ...output })),
  ack: (office) => office.call(ana, 'taskflow', 'ack_task', { taskId: 't' }),
  progress: (office) => office.call(ana, 'engine', 'progress_task', { taskId: 't', progress: 30 }),
  submit: (office) =>
    office.call(ana, 'taskflow', 'submit_task', { taskId: 't', status: 'SUCCESS', summary: 'Otherwise.' }),
  accept: (office) => decision(office, { resultStatus: 'SUCCESS' }),
  revise: (office) => decision(office, { resultStatus: 'SUCCESS', accepted: false }),
  hold: (office) =>
    office.call(lead, 'engine', 'hold_task', { taskId: 't', submissionId: office.task('t').submission_id }),
  block: (office) => office.call(lead, 'engine', 'block_task', { taskId: 't', reason: 'why' }),
  unblock: (office) => office.call(lead, 'engine', 'unblock_task', { taskId: 't' }),
  fail: (office) => office.call(lead, 'engine', 'fail_task', { taskId: 't', reason: 'why' }),
  cancel: (office) =>
    office.call(lead, 'taskflow', 'cancel_task', {
      taskId: 't',
      reason: 'why',
      submissionId: office.task('t').submission_id,
    }),
  supersede: (office) => office.call(lead, 'engine', 'hand_over_task', { taskId: 't', assignedTo: 'bo' }),
  takeback: (office) => office.call(lead, 'engine', 'take_back_task', { taskId: 't' }),
};

function decision(office: Office, more: object): Promise<Envelope> {
  const { submission_id: submissionId } = office.task('t');
  return office.call(lead, 'projectflow', 'accept_task_result', { projectId: 'p', taskId: 't', submissionId, ...more });
}

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

async function officeAt(state: TaskStatus | 'none', event: TaskEvent): Promise<Office> {
  const office = createOffice({ chat: 'local' });
  await planned(office, state === 'none' && event === 'create' ? { first: [] } : { t: [], next: ['t'] });
  if (state === 'none') return office;
  const handedIn = ['submitted', 'completed', 'revision'].includes(state);
  const result = { submission_id: 'sub', submitted_at: office.now, result_status: 'SUCCESS', summary: 'S' } as const;
  office.put({
    task_id: 't',
    status: state,
    notify_txn: 'txn',
    ...(handedIn ? result : {}),
    ...(state === 'cancelled' ? { cancel_reason: 'why' } : {}),
    ...(state === 'superseded' ? { superseded_by: 'next' } : {}),
  });
  if (state === 'superseded') office.put({ task_id: 'next', status: 'pending' });
  office.files['shared/tasks/t/spec.md'] = 'Do it.\n';
  office.files[PLAN] = setMarker(office.files[PLAN] ?? '', 't', markerFor(state));
  return office;
}

const statusOf = (office: Office): TaskMeta['status'] | 'none' =>
  office.files['shared/tasks/t/meta.json'] === undefined ? 'none' : office.task('t').status;

const everyPair = (['none', ...TASK_STATUSES] as const).flatMap((state) =>
  TASK_EVENTS.map((event) => [state, event, nextTaskStatus(state, event) ?? COMPOUND[`${state} ${event}`]] as const),
);

/** One door serves both: what nobody has is prepared, not moved. */
const isOneDoor = (state: string, event: string): boolean =>
  event === 'redelegate' && (state === 'none' || state === 'pending');
/** These doors need the record to be called at all. */
const needsRecord = (event: string): boolean => ['accept', 'revise', 'hold', 'cancel', 'notified'].includes(event);

describe('every step of a task, through its door', () => {
  const pairs = everyPair.filter(
    ([state, event]) => !isOneDoor(state, event) && !(state === 'none' && needsRecord(event)),
  );
  const edges = pairs.filter(([, , to]) => to !== undefined);
  const others = pairs.filter(([, , to]) => to === undefined);

  test.each(edges)('from %s, %s leads to %s', async (state, event, to) => {
    const office = await officeAt(state, event);
    await ok(TASK_DOORS[event](office));
    // Without a message to send, what is prepared is assigned at once.
    expect(statusOf(office)).toBe(to === 'prepared' ? 'assigned' : to);
    if (event !== 'create') expect(office.line('p', 't')).toContain(`- [${boxOf(office)}] t`);
  });

  test.each(others)('from %s, %s is refused or says nothing new, and changes nothing', async (state, event) => {
    const office = await officeAt(state, event);
    const before = statusOf(office);
    const call = TASK_DOORS[event](office);
    const files = { ...office.files };
    const answer = await call;
    expect(statusOf(office)).toBe(before);
    if (event === 'notified') return;
    expect(office.files).toEqual(files);
    expect(answer.ok).toBe(SILENT.has(`${state} ${event}`));
  });
});

function boxOf(office: Office): string {
  const marker = markerFor(office.task('t').status);
  return { pending: ' ', delegated: '~', completed: 'x', blocked: '!', revision: '→', cancelled: '!' }[marker];
}

const transition = (event: string) => (office: Office) =>
  office.call(lead, 'engine', 'transition_project', { projectId: 'p', event });
const action = (name: string) => (office: Office) => office.call(lead, 'projectflow', name, { projectId: 'p' });

const PROJECT_DOORS: Readonly<Partial<Record<ProjectEvent, (office: Office) => Promise<Envelope>>>> = {
  create_project: (office) =>
    office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Once more' }),
  pause: action('pause_project'),
  resume: action('resume_project'),
  complete_project: action('complete_project'),
};

const project = (office: Office): ProjectMeta => parseProjectMeta(office.files[META] ?? '', 'p').meta as ProjectMeta;

/** All work is accepted, and nothing goes on by itself. */
async function projectAt(state: ProjectState): Promise<Office> {
  const office = createOffice({ chat: 'local' });
  await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Project' }));
  const tasks = [
    { taskId: 'a', title: 'Build', assignedTo: 'ana', type: 'dev' },
    { taskId: 'b', title: 'Try', assignedTo: 'ana', type: 'test' },
  ];
  await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
  for (const id of ['a', 'b']) office.files[PLAN] = setMarker(office.files[PLAN] ?? '', id, 'completed');
  office.files[META] = renderProjectMeta(inState({ ...project(office), phase: 'testing', reopened: 2 }, state));
  return office;
}

describe('every step of a project, through its door', () => {
  const pairs = PROJECT_STATES.flatMap((state) =>
    PROJECT_EVENTS.filter((event) => event !== 'create').map(
      (event) => [state, event, nextProjectState(state, event, 'testing')] as const,
    ),
  );

  test.each(pairs.filter(([, , to]) => to !== undefined))('from %s, %s leads to %s', async (state, event, to) => {
    const office = await projectAt(state);
    await ok((PROJECT_DOORS[event] ?? transition(event))(office));
    expect(projectState(project(office))).toBe(to);
  });

  test.each(pairs.filter(([, , to]) => to === undefined))(
    'from %s, %s is refused and changes nothing',
    async (state, event) => {
      const office = await projectAt(state);
      const before = { ...office.files };
      const answer = await (PROJECT_DOORS[event] ?? transition(event))(office);
      expect(answer.ok).toBe(false);
      expect(office.files).toEqual(before);
      if (PROJECT_DOORS[event] !== undefined) return;
      expect(answer).toMatchObject({
        code: 'illegal-transition',
        error: `Invalid transition: ${state.toUpperCase()} + '${event}'`,
        state,
        event,
      });
    },
  );
});
