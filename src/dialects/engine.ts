import { subtaskOfNode } from '../protocol/ids.ts';
import { recordsIn, textsIn } from '../protocol/json.ts';
import type { Phase, ProjectStatus, TaskStatus } from '../protocol/records/types.ts';
import { projectWord, subtaskWord, taskWord } from '../protocol/work/words.ts';
import { refusedAnswer, SUBTASK_WORDS, TASK_WORDS, wordOfState } from './engine-refusal.ts';
import type { Asked } from './engine-refusal.ts';
import type { Envelope } from './taskflow.ts';

/** The task engine's answers (features.md S002-01 to S002-36, §7.10), made of those of the operations. */

type Fields = Readonly<Record<string, unknown>>;

/** `baton create`. */
export function createdAnswer(envelope: Envelope): Envelope {
  return answered(envelope, {}, () => {
    const project = fields(envelope['project']);
    const id = text(project['project_id']);
    return { task_id: id, status: wordOfProject(project), message: `Created ${id}` };
  });
}

/** `baton status`. */
export function listAnswer(envelope: Envelope): Envelope {
  return answered(envelope, {}, () => {
    const tasks = recordsIn(envelope['items']).map(listed);
    const skipped = recordsIn(envelope['skipped']);
    return { tasks, count: tasks.length, ...(skipped.length === 0 ? {} : { skipped }) };
  });
}

function listed(item: Fields): Fields {
  const { kind, id, title, priority, progress, eta, created_at: created } = item;
  return compact({
    task_id: id,
    title,
    status: wordOfItem(item),
    priority,
    progress,
    eta: eta ?? null,
    created,
    kind,
    project_id: item['project_id'],
    agent: item['assigned_to'],
    subtask_count: item['subtask_count'],
    subtasks_done: item['subtasks_done'],
    archived: item['archived'],
  });
}

/** `baton status TASK`. */
export function taskAnswer(envelope: Envelope): Envelope {
  return answered(envelope, {}, () => {
    const item = fields(envelope['item']);
    const id = text(item['id']);
    const { title, priority, progress, eta, created_at: created, active_at: active, reason } = item;
    return compact({
      task_id: id,
      title,
      status: wordOfItem(item),
      priority,
      progress,
      eta: eta ?? null,
      created,
      last_activity: active,
      blocked_reason: reason,
      agent: item['assigned_to'],
      type: item['type'],
      description: envelope['description'],
      plan: envelope['plan'],
      tags: envelope['tags'],
      subtasks: recordsIn(envelope['subtasks']).map((task) => subtask(id, task)),
      history: recordsIn(envelope['history']).map((step) => historyStep(item, step)),
      archived: envelope['archived'],
    });
  });
}

function subtask(projectId: string, task: Fields): Fields {
  const id = text(task['id']);
  return compact({
    id: subtaskOfNode(projectId, id),
    task_id: id,
    title: task['title'],
    status: wordOfSubtask(task),
    progress: task['progress'],
    agent: task['assigned_to'] ?? null,
    type: task['type'] ?? null,
    deps: textsIn(task['depends_on']).map((dependency) => subtaskOfNode(projectId, dependency)),
    eta: task['eta'],
    last_activity: task['active_at'],
    blocked_reason: task['reason'],
  });
}

/** What happened, in the words of the transition that was asked for (S002-10). */
function historyStep(item: Fields, step: Fields): Fields {
  const isTask = item['kind'] === 'task';
  const word = (state: unknown): string | undefined => {
    if (typeof state !== 'string') return undefined;
    return isTask ? (taskWord(state as TaskStatus) ?? state.toUpperCase()) : wordOfState(state);
  };
  const event = text(step['event'] ?? step['action']);
  return compact({
    time: step['ts'],
    event: EVENTS[event] ?? event,
    from: word(step['from']),
    to: word(step['to']),
    actor: step['actor'],
    note: step['note'],
  });
}

/** What happened to a project, as the event that made it happen. */
const EVENTS: Readonly<Record<string, string>> = {
  created: 'create',
  approved: 'approve',
  rejected: 'reject',
  started: 'start',
  testing: 'test',
  in_review: 'review',
  reopened: 'reopen',
  blocked: 'block',
  unblocked: 'unblock',
  paused: 'block',
  resumed: 'unblock',
  completed: 'complete',
  failed: 'fail',
  archived: 'archive',
};

/** `baton transition`: `event` as it was asked for. */
export function transitionAnswer(envelope: Envelope, id: string, event: string): Envelope {
  return answered(envelope, { id, event, words: TASK_WORDS }, () => {
    const status = wordOfProject(fields(envelope['project']));
    return { task_id: id, status, message: `${id}: ${wordOfState(text(envelope['from']))} → ${status}` };
  });
}

/** `baton dispatch`. */
export function dispatchedAnswer(envelope: Envelope, id: string): Envelope {
  return answered(envelope, { id, event: 'dispatch', words: TASK_WORDS }, () => {
    const task = fields(envelope['task']);
    const nodeId = text(task['task_id']);
    const name = subtaskOfNode(id, nodeId);
    const status = wordOfSubtask(task);
    const agent = text(task['assigned_to']);
    const message =
      status === 'PENDING'
        ? `Created ${name} for ${agent}: it waits for ${waitsFor(id, task)}`
        : `Dispatched ${name} to ${agent}`;
    return { task_id: id, subtask_id: name, node_id: nodeId, status, agent, message };
  });
}

function waitsFor(projectId: string, task: Fields): string {
  return textsIn(task['depends_on'])
    .map((dependency) => subtaskOfNode(projectId, dependency))
    .join(', ');
}

/** `baton auto-dispatch`. */
export function autoDispatchedAnswer(envelope: Envelope, id: string | undefined): Envelope {
  return answered(envelope, { ...(id === undefined ? {} : { id }), event: 'dispatch', words: TASK_WORDS }, () => {
    const dispatches = recordsIn(envelope['dispatches']).map(planned);
    const skipped = recordsIn(envelope['skipped']).map(planned);
    const { warnings, dryRun } = envelope;
    const message = `Dispatched ${dispatches.length}, skipped ${skipped.length}`;
    return compact({ dry_run: dryRun, dispatches, skipped, warnings, message });
  });
}

/** A node as the task engine names it; in `detail` dependencies are subtasks as well. */
function planned({ project_id: project, task_id: node, title, detail, ...rest }: Fields): Fields {
  const [id, nodeId] = [text(project), text(node)];
  const told = text(detail).replace(/^(Dependency not DONE: )(.*)$/, (_, head: string, open: string) =>
    [
      head,
      open
        .split(', ')
        .map((one) => subtaskOfNode(id, one))
        .join(', '),
    ].join(''),
  );
  return compact({
    task_id: id,
    ...(nodeId === '' ? {} : { subtask_id: subtaskOfNode(id, nodeId), node_id: nodeId }),
    title,
    ...rest,
    detail: detail === undefined ? undefined : told,
  });
}

/** `baton subtask`: `event` as it was asked for. */
export function subtaskAnswer(envelope: Envelope, id: string, event: string): Envelope {
  return answered(envelope, { id, event, words: SUBTASK_WORDS }, () => {
    const task = fields(envelope['task']);
    const name = subtaskOfNode(id, text(task['task_id']));
    const status = wordOfSubtask(task);
    const waiting = envelope['awaiting'] === undefined ? '' : ', awaiting acceptance';
    const other = envelope['replacement'];
    const progress = task['status'] === 'completed' ? 100 : (task['progress'] ?? 0);
    const project = envelope['project'];
    return compact({
      task_id: id,
      subtask_id: name,
      status,
      progress,
      task_status: project === undefined ? undefined : wordOfProject(fields(project)),
      ...(other === undefined ? { message: `${name}: ${status}${waiting}` } : replacement(id, name, fields(other))),
    });
  });
}

/** What has taken a subtask's place, or what gives the place back. */
function replacement(id: string, name: string, task: Fields): Fields {
  const other = subtaskOfNode(id, text(task['task_id']));
  const agent = text(task['assigned_to']);
  const message =
    task['status'] === 'cancelled'
      ? `${name}: taken back, ${other} is cancelled`
      : `${name}: handed over to ${agent} as ${other}, which \`baton subtask ${id} ${other} assign\` gives out`;
  return { replacement_id: other, agent: task['status'] === 'cancelled' ? undefined : agent, message };
}

/** `baton archive`. */
export function archivedAnswer(envelope: Envelope, id: string): Envelope {
  return answered(envelope, { id }, () => ({
    task_id: id,
    status: 'ARCHIVED',
    message: `Archived ${id}`,
    archived: envelope['archived'],
  }));
}

/** `baton rebuild-index`. */
export function rebuiltAnswer(envelope: Envelope): Envelope {
  return answered(envelope, {}, () => {
    const { found, rebuilt, skipped } = envelope;
    const left = recordsIn(skipped);
    return { found, rebuilt, skipped: left, message: `Rebuilt ${text(rebuilt)} of ${text(found)} entries` };
  });
}

/** What every answer keeps, and the refusals in the task engine's words. */
function answered(envelope: Envelope, asked: Asked, make: () => Fields): Envelope {
  if (!envelope.ok) return refusedAnswer(envelope, asked);
  const { durability, warning } = envelope;
  return { ok: true, ...make(), ...compact({ warning, durability }) };
}

function wordOfItem(item: Fields): string {
  return item['kind'] === 'composite' ? wordOfProject(item) : (taskWord(stateOf(item)) ?? 'SUPERSEDED');
}

function wordOfSubtask(item: Fields): string {
  return subtaskWord(stateOf(item)) ?? 'SUPERSEDED';
}

function stateOf(item: Fields): TaskStatus {
  return item['status'] as TaskStatus;
}

function wordOfProject({ status, phase }: Fields): string {
  return projectWord({
    status: status as ProjectStatus,
    ...(typeof phase === 'string' ? { phase: phase as Phase } : {}),
  });
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function compact(values: Fields): Fields {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
