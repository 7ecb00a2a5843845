import { json, record, taskRecord } from './lane.ts';
import type { Mine, RogueLane } from './lane.ts';
import type { Entry } from './attacker.ts';

const FORBIDDEN = 'forbidden-field';
const SUMMARY = { summary: 'what I did' };

/** A change of the own record that is refused, beside one that is taken. */
const field = (name: string, change: object, given: object = {}): RogueLane => ({
  name: `the record: ${name}`,
  given: given as Readonly<Record<string, unknown>>,
  lane: (own) => ({ [own.meta]: record(own, { ...given, ...change, ...SUMMARY }) }),
  refused: ({ meta }) => ({ [meta]: FORBIDDEN }),
  arrives: (own) => ({ [own.meta]: record(own, { ...given, ...SUMMARY }) }),
});

/** Each of the Leader's fields, with what somebody may want it to say. */
const LEADERS_FIELDS: readonly (readonly [string, object])[] = [
  ['another id', { task_id: 't-bo' }],
  ['another project', { project_id: 'q' }],
  ['another title', { task_title: 'Easier' }],
  ['another assignee', { assigned_to: 'bo' }],
  ['another assignee in another spelling', { assigned_to: undefined, assignedTo: 'bo' }],
  ['a full id of another assignee', { assigned_to_mxid: '@bo:local' }],
  ['another room', { room_id: '!evil:x' }],
  ['no room', { room_id: undefined }],
  ['no dependencies', { depends_on: [] }],
  ['another time of assignment', { assigned_at: '2020-01-01T00:00:00Z' }],
  ['another assignment', { event_id: '$forged' }],
  ['another assignment in another spelling', { event_id: undefined, eventId: '$forged' }],
  ['a transaction of a message', { notify_txn: 'x' }],
  ['another specification', { spec_path: '/etc/passwd' }],
  ['another source room', { source_room_id: '!evil:x' }],
  ['a type', { type: 'gate' }],
  ['a reason to cancel', { cancel_reason: 'x' }],
  ['a replacement', { replacement_task_id: 't-bo' }],
  ['a time of cancelling', { cancelled_at: '2026-01-01T00:00:00Z' }],
  ['a time of completion', { completed_at: '2026-01-01T00:00:00Z' }],
  ['an unknown field', { verified: true }],
  ['a field of every object', { constructor: { prototype: { polluted: true } } }],
  ['a decided submission', { continuation: { status: 'resolved', delivery_id: 'x', resolution: 'completed' } }],
];

/** States that are not a Worker's to give. */
const STATES: readonly unknown[] = [
  'pending',
  'prepared',
  'completed',
  'revision',
  'blocked',
  'failed',
  'cancelled',
  'superseded',
  'COMPLETED',
  'accepted',
  7,
];

const TERMINAL = ['completed', 'revision', 'blocked', 'failed', 'cancelled', 'superseded'] as const;

/** A step of the own record that its state does not allow: nothing of the record is taken. */
const step = (from: string, to: string): RogueLane => ({
  name: `the record: from ${from} to ${to}`,
  given: { status: from },
  lane: (own) => ({ [own.meta]: record(own, { status: to, ...SUMMARY }) }),
  refused: ({ meta }) => ({ [meta]: 'illegal-transition' }),
});

/** A result that comes when the Leader has ended the task already. */
const late = (state: string, more: object): RogueLane => ({
  name: `a result for a task that was ${state} meanwhile`,
  meanwhile: (own) => ({ [own.meta]: record(own, { status: state, ...more }) }),
  lane: (own) => ({
    [own.meta]: record(own, { status: 'submitted', result_status: 'SUCCESS', summary: 'late' }),
    [own.result]: 'STATUS: SUCCESS\nSUMMARY: late\n',
  }),
  refused: ({ meta }) => ({ [meta]: 'illegal-transition' }),
  // The text is its author's, and moves nothing.
  arrives: (own) => ({ [own.result]: 'STATUS: SUCCESS\nSUMMARY: late\n' }),
});

const SUBMITTED = {
  status: 'submitted',
  acknowledged_at: '2026-10-02T00:00:00Z',
  submitted_at: '2026-10-03T00:00:00Z',
  submission_id: 's1',
  result_status: 'BLOCKED',
  result_digest: 'd'.repeat(64),
  continuation: { status: 'pending', delivery_id: 'x' },
};
const ENDED = {
  ...SUBMITTED,
  status: 'completed',
  summary: 'accepted so',
  deliverables: ['shared/tasks/x/a'],
  continuation: { status: 'resolved', delivery_id: 'x', resolution: 'completed' },
};

/** The record of a task that is over: nothing of it is a Worker's any more. */
const ended = (name: string, change: object): RogueLane => ({
  name: `the record of an accepted task: ${name}`,
  given: ENDED,
  lane: (own) => ({ [own.meta]: record(own, { ...ENDED, ...change }) }),
  refused: ({ meta }) => ({ [meta]: FORBIDDEN }),
});

const QUESTION = {
  kind: 'decision',
  question: 'Which?',
  attempt: 1,
  requestedAt: '2026-10-02T00:00:00Z',
  resolved: false,
};
const ANSWERED = {
  ...QUESTION,
  resolved: true,
  answer: 'This.',
  answeredBy: 'lead',
  answeredAt: '2026-10-03T00:00:00Z',
};
const history = (own: Mine): readonly object[] => taskRecord(own)['history'] as readonly object[];
const ENTRY = { ts: '2026-10-02T00:00:00Z', from: 'assigned', to: 'in_progress', action: 'ack_task' };

const forgedHistory = (name: string, made: (own: Mine) => readonly object[]): RogueLane => ({
  name: `the record: ${name}`,
  lane: (own) => ({ [own.meta]: record(own, { ...SUMMARY, history: made(own) }) }),
  refused: ({ meta }) => ({ [meta]: FORBIDDEN }),
  arrives: (own) => ({ [own.meta]: record(own, SUMMARY) }),
});

/** A file of the own that cannot be read as what it is. */
const unreadable = (name: string, at: (own: Mine) => string, made: (own: Mine) => Entry | Uint8Array): RogueLane => ({
  name,
  lane: {
    make: (desk) => desk.lane({ [at(desk)]: { mode: '100644', id: desk.blob(bytesOf(made(desk))) } }),
  },
  refused: (own) => ({ [at(own)]: 'broken-file' }),
});

const bytesOf = (entry: Entry | Uint8Array): string | Uint8Array =>
  typeof entry === 'string' || entry instanceof Uint8Array ? entry : '';

const metaOf = ({ meta }: Mine): string => meta;
const text = (own: Mine): string => record(own, SUMMARY);

/** Lanes that write into a record of their own what is not theirs to say. */
export const RECORDS: readonly RogueLane[] = [
  ...LEADERS_FIELDS.map(([name, change]) => field(name, change)),
  {
    ...field('a prototype', {}),
    name: 'the record: a prototype',
    lane: (own) => ({ [own.meta]: text(own).replace('{', '{\n  "__proto__": { "polluted": true },') }),
  },
  {
    name: 'the record: the assignee twice, the right one last',
    lane: (own) => ({ [own.meta]: text(own).replace('{', '{\n  "assigned_to": "bo",') }),
    refused: ({ meta }) => ({ [meta]: 'broken-file' }),
  },
  {
    name: 'the record: the assignee twice in one line, the right one last',
    lane: (own) => ({ [own.meta]: JSON.stringify(JSON.parse(text(own))).replace('{', '{"assigned_to":"bo",') }),
    refused: () => ({}),
    // Only what was read of it is written.
    arrives: (own) => ({ [own.meta]: text(own) }),
  },
  ...STATES.map((status) => ({
    ...field(`the state ${String(status)}`, { status }),
    name: `the record: the state ${String(status)}`,
  })),
  ...TERMINAL.map((state) => step(state, 'in_progress')),
  ...TERMINAL.map((state) => step(state, 'submitted')),
  step('submitted', 'in_progress'),
  step('pending', 'in_progress'),
  step('pending', 'submitted'),
  late('cancelled', { cancel_reason: 'no longer needed' }),
  late('superseded', { replacement_task_id: 't-bo' }),
  late('failed', {}),
  {
    name: 'a result for a task that was archived meanwhile',
    meanwhile: (own) => ({
      [own.meta]: null,
      [own.spec]: null,
      [`shared/archive/2026-11/tasks/t-${own.me}/meta.json`]: record(own, { status: 'cancelled' }),
    }),
    lane: (own) => ({ [own.result]: 'STATUS: SUCCESS\nSUMMARY: late\n' }),
    refused: (own) => ({ [own.result]: 'archived', [`${own.workspace}/honest.txt`]: 'archived' }),
    arrives: (own) => ({ [`${own.workspace}/honest.txt`]: null }),
    later: ({ task }) => ({ [`${task}/progress/newer.md`]: 'archived' }),
  },
  ended('another summary', { summary: 'better' }),
  ended('another submission', { submission_id: 's2' }),
  ended('another digest', { result_digest: 'e'.repeat(64) }),
  ended('other deliverables', { deliverables: ['shared/tasks/x/b'] }),
  ended('another outcome', { result_status: 'SUCCESS' }),
  ended('an open submission', { continuation: { status: 'pending', delivery_id: 'x' } }),
  ended('a question', { attention: [QUESTION] }),
  {
    name: 'the record of an accepted task: that its completion was told',
    given: ENDED,
    lane: (own) => ({
      [own.meta]: record(own, { ...ENDED, completion_event_id: '$told', completion_event_status: 'BLOCKED' }),
    }),
    refused: () => ({}),
    arrives: (own) => ({
      [own.meta]: record(own, { ...ENDED, completion_event_id: '$told', completion_event_status: 'BLOCKED' }),
    }),
  },
  field('another submission than the one handed in', { submission_id: 's2' }, SUBMITTED),
  field('another digest than the one handed in', { result_digest: 'e'.repeat(64) }, SUBMITTED),
  field('an earlier submission', { submitted_at: '2020-01-01T00:00:00Z' }, SUBMITTED),
  field('an earlier acknowledgement', { acknowledged_at: '2020-01-01T00:00:00Z' }, SUBMITTED),
  field('no submission any more', { submission_id: undefined }, SUBMITTED),
  field('an answer to its own question', { attention: [ANSWERED] }, { attention: [QUESTION] }),
  field('an answer unsaid', { attention: [QUESTION] }, { attention: [ANSWERED] }),
  forgedHistory('a step in the Leader’s name', (own) => [...history(own), { ...ENTRY, actor: 'leader:lead' }]),
  forgedHistory("a step in another Worker's name", (own) => [...history(own), { ...ENTRY, actor: 'worker:bo' }]),
  forgedHistory('a history without its beginning', ({ me }) => [{ ...ENTRY, actor: `worker:${me}` }]),
  forgedHistory('another beginning of the history', (own) => history(own).map((entry) => ({ ...entry, note: 'x' }))),
  ...(['role', 'agent_id', 'capabilities', 'enabled', 'matrix_user_id', 'max_parallel'] as const).map((key) => ({
    name: `the own agent record: ${key}`,
    lane: ({ me, agent }: Mine) => ({
      [agent]: json({ agent_id: me, role: 'worker', status: 'BUSY', [key]: key === 'role' ? 'leader' : ['x'] }),
    }),
    refused: ({ agent }: Mine) => ({ [agent]: FORBIDDEN }),
    arrives: ({ me, agent }: Mine) => ({ [agent]: json({ agent_id: me, role: 'worker', status: 'BUSY' }) }),
  })),
  unreadable('a record cut short', metaOf, (own) => text(own).slice(0, 60)),
  unreadable('an empty record', metaOf, () => ''),
  unreadable('a record with a NUL', metaOf, (own) => text(own).replace('what', 'w\0at')),
  unreadable('a record that is not UTF-8', metaOf, (own) =>
    Buffer.from(text(own).replace('what', 'wh\u00E4t'), 'latin1'),
  ),
  unreadable('a record in UTF-16', metaOf, (own) => Buffer.from(`\uFEFF${text(own)}`, 'utf16le')),
  unreadable(
    'a record with conflict markers',
    metaOf,
    (own) => `<<<<<<< ours\n${text(own)}=======\n${text(own)}>>>>>>> theirs\n`,
  ),
  unreadable('a record that is a list', metaOf, (own) => `[${text(own)}]\n`),
  unreadable('a record nested too deep', metaOf, (own) =>
    text(own).replace('{', `{"x":${'['.repeat(5000)}${']'.repeat(5000)},`),
  ),
  unreadable(
    'an agent record that is no JSON',
    ({ agent }) => agent,
    () => 'status: BUSY\n',
  ),
  unreadable(
    'an event log with a NUL',
    ({ log }) => log,
    () => '{"id":"1"}\n{"id":"2"}\n\0\n',
  ),
  unreadable(
    'an event log that is not UTF-8',
    ({ log }) => log,
    () => Buffer.from('{"id":"1"}\n{"id":"2"}\n{"id":"\u00E4"}\n', 'latin1'),
  ),
  {
    name: 'the record: no state',
    lane: (own) => ({ [own.meta]: text(own).replace('"assigned",', 'null,') }),
    refused: () => ({}),
    // Without a state it reads as assigned, and that is what is written.
    arrives: (own) => ({ [own.meta]: text(own) }),
  },
  {
    name: 'a record with a byte order mark',
    lane: (own) => ({ [own.meta]: `\uFEFF${text(own)}` }),
    refused: () => ({}),
    arrives: (own) => ({ [own.meta]: text(own) }),
  },
  {
    name: 'the own event log cut short',
    lane: ({ log }) => ({ [log]: '{"id":"1"}\n' }),
    refused: ({ log }) => ({ [log]: 'not-owner' }),
  },
  {
    name: 'the own event log with another line in it',
    lane: ({ log }) => ({ [log]: '{"id":"1"}\n{"id":"other"}\n{"id":"3"}\n' }),
    refused: ({ log }) => ({ [log]: 'not-owner' }),
  },
  {
    name: 'the own event log in capitals',
    lane: ({ me }) => ({ [`shared/events/2026-10/${me.toUpperCase()}.jsonl`]: '{"id":"3"}\n' }),
    refused: ({ me }) => ({ [`shared/events/2026-10/${me.toUpperCase()}.jsonl`]: 'case-twin' }),
  },
];
