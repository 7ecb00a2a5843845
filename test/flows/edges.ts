import { setMarker } from '../../src/protocol/plan/edit.ts';
import { parseProjectMeta, renderProjectMeta } from '../../src/protocol/records/project.ts';
import type { ProjectMeta, TaskMeta, TaskStatus } from '../../src/protocol/records/types.ts';
import type { Envelope } from '../../src/dialects/taskflow.ts';
import { markerFor } from '../../src/rules/lifecycle.ts';
import type { TaskEvent } from '../../src/rules/lifecycle.ts';
import { inState } from '../../src/rules/project-lifecycle.ts';
import type { ProjectEvent, ProjectState } from '../../src/rules/project-lifecycle.ts';
import { ana, createOffice, lead, ok, planned, ROOM } from './office.ts';
import type { Office } from './office.ts';

const PLAN = 'shared/projects/p/plan.md';
const META = 'shared/projects/p/meta.json';

/** A call that asks for one step of task `t`, which is ana's, or of project `p`. */
export type Door = (office: Office) => Promise<Envelope>;

const engine =
  (action: string, more: object = {}, actor = lead): Door =>
  (office) =>
    office.call(actor, 'engine', action, { taskId: 't', ...more });
const delegate =
  (more: object = {}): Door =>
  (office) =>
    office.call(lead, 'taskflow', 'delegate_task', { projectId: 'p', taskId: 't', roomId: ROOM, spec: 'Do.', ...more });
const worker =
  (action: string, more: object = {}): Door =>
  (office) =>
    office.call(ana, 'taskflow', action, { taskId: 't', ...more });
const cancel =
  (tool: string, reason: string): Door =>
  (office) =>
    office.call(lead, tool, 'cancel_task', { taskId: 't', reason, submissionId: office.task('t').submission_id });
const decision =
  (more: object): Door =>
  (office) => {
    const { submission_id: submissionId } = office.task('t');
    const payload = { projectId: 'p', taskId: 't', submissionId, ...more };
    return office.call(lead, 'projectflow', 'accept_task_result', payload);
  };

/** The doors of each event; by the first of them every edge is taken. */
export const TASK_DOORS: Readonly<Record<TaskEvent, Readonly<Record<string, Door>>>> = {
  create: { create_task: engine('create_task', { projectId: 'p', title: 'T' }) },
  prepare: { assign_task: engine('assign_task', { projectId: 'p' }), delegate_task: delegate() },
  redelegate: {
    assign_task: engine('assign_task', { projectId: 'p', assignedTo: 'bo' }),
    'delegate_task to another': delegate({ assignedTo: 'bo' }),
    'delegate_task elsewhere': delegate({ roomId: '!other:hs.local' }),
  },
  notified: {
    confirm_assignment: (office) =>
      office
        .internal('task.confirm_assignment', { taskId: 't', txn: 'txn', eventId: '$e' })
        .then((output) => ({ ok: true, ...output })),
  },
  ack: { ack_task: worker('ack_task') },
  progress: {
    progress_task: engine('progress_task', { progress: 30 }, ana),
    'progress_task for ana': engine('progress_task', { progress: 30 }),
    report_progress: worker('report_progress', { note: 'Half.' }),
  },
  submit: { submit_task: worker('submit_task', { status: 'SUCCESS', summary: 'Otherwise.' }) },
  accept: { accept_task_result: decision({ resultStatus: 'SUCCESS' }) },
  revise: {
    accept_task_result: decision({ resultStatus: 'SUCCESS', accepted: false }),
    'accept_task_result of what needs one': decision({ resultStatus: 'REVISION_NEEDED' }),
  },
  hold: {
    hold_task: (office) => engine('hold_task', { submissionId: office.task('t').submission_id })(office),
    'accept_task_result of what is blocked': decision({ resultStatus: 'BLOCKED' }),
  },
  block: { block_task: engine('block_task', { reason: 'why' }) },
  unblock: { unblock_task: engine('unblock_task') },
  fail: { fail_task: engine('fail_task', { reason: 'why' }) },
  cancel: {
    'taskflow cancel_task': cancel('taskflow', 'why'),
    'projectflow cancel_task': cancel('projectflow', 'why'),
    'cancel_task for another reason': cancel('taskflow', 'for once'),
  },
  supersede: { hand_over_task: engine('hand_over_task', { assignedTo: 'bo' }) },
  takeback: { take_back_task: engine('take_back_task') },
};

/** An office with task `t` in a state, as the record, the plan and its result would be then. */
export async function officeAt(state: TaskStatus | 'none', event: TaskEvent): Promise<Office> {
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
  if (handedIn) office.files['shared/tasks/t/result.md'] = 'STATUS: SUCCESS\nSUMMARY: S\n';
  if (state === 'superseded') office.put({ task_id: 'next', status: 'pending' });
  office.files['shared/tasks/t/spec.md'] = 'Do it.\n';
  office.files[PLAN] = setMarker(office.files[PLAN] ?? '', 't', markerFor(state));
  return office;
}

export const statusOf = (office: Office): TaskMeta['status'] | 'none' =>
  office.files['shared/tasks/t/meta.json'] === undefined ? 'none' : office.task('t').status;

const action =
  (name: string): Door =>
  (office) =>
    office.call(lead, 'projectflow', name, { projectId: 'p', title: 'Once more' });

/** The door of an event of project `p`: an action of the protocol, or a transition of the task engine. */
export const projectDoor = (event: ProjectEvent): Door => {
  if (event === 'create_project' || event === 'complete_project') return action(event);
  if (event === 'pause' || event === 'resume') return action(`${event}_project`);
  return (office) => office.call(lead, 'engine', 'transition_project', { projectId: 'p', event });
};

export const projectOf = (office: Office): ProjectMeta =>
  parseProjectMeta(office.files[META] ?? '', 'p').meta as ProjectMeta;

/** An office with project `p` in a state: all work is accepted, and nothing goes on by itself. */
export async function projectAt(state: ProjectState): Promise<Office> {
  const office = createOffice({ chat: 'local' });
  await ok(office.call(lead, 'projectflow', 'create_project', { projectId: 'p', title: 'Project' }));
  const tasks = [
    { taskId: 'a', title: 'Build', assignedTo: 'ana', type: 'dev' },
    { taskId: 'b', title: 'Try', assignedTo: 'ana', type: 'test' },
  ];
  await ok(office.call(lead, 'projectflow', 'plan_dag', { projectId: 'p', tasks }));
  for (const id of ['a', 'b']) office.files[PLAN] = setMarker(office.files[PLAN] ?? '', id, 'completed');
  office.files[META] = renderProjectMeta(inState({ ...projectOf(office), phase: 'testing', reopened: 2 }, state));
  return office;
}
