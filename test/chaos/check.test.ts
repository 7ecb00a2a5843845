import { describe, expect, test } from 'vitest';
import { check } from '../../src/chaos/check.ts';
import type { Acknowledged, CloneFacts, HistoryFacts, Reading, TaskFacts, Violation } from '../../src/chaos/facts.ts';

const step = (from: string, to: string, action: string, actor = 'leader:lead'): HistoryFacts => ({
  from,
  to,
  action,
  actor,
});

const LIFE: readonly HistoryFacts[] = [
  step('planned', 'prepared', 'delegate_task'),
  step('prepared', 'assigned', 'delegate_task'),
  step('assigned', 'in_progress', 'ack_task', 'worker:ana'),
  step('in_progress', 'in_progress', 'progress', 'worker:ana'),
  step('in_progress', 'submitted', 'submit_task', 'worker:ana'),
  step('submitted', 'completed', 'accept_task_result'),
];

const TASK: TaskFacts = {
  id: 'p-01',
  status: 'completed',
  assignedTo: 'ana',
  summary: 'Done.',
  submissionId: 's1',
  history: LIFE,
  result: 'STATUS: SUCCESS\nSUMMARY: Done.\n',
  earlierAssignees: [],
  late: [],
};

const CLONE: CloneFacts = { seat: 'lead', tree: 't', dirty: [], damaged: [], owed: [], said: [] };

const event = (type: string, note?: string, announces: readonly string[] = []) => ({
  type,
  subject: 'p-01',
  actor: 'lead',
  ...(note === undefined ? {} : { note }),
  announces,
});

/** A whole life of one task, of which everything holds. */
const SOUND: Reading = {
  main: 't',
  clones: [
    { ...CLONE, said: [{ txn: 'delegate-p-01-a', room: '!r', text: 'TASK_ASSIGNED: p-01' }] },
    { ...CLONE, seat: 'ana' },
  ],
  tasks: [TASK],
  markers: { 'p-01': 'completed' },
  plan: '- [x] p-01 — One\n\nremark\n',
  events: [
    event('task.delegated', 'to ana', ['delegate-p-01-a']),
    event('task.acknowledged'),
    event('task.progress', 'half'),
    event('task.submitted'),
  ],
  broken: [],
  strays: [],
};

const ANSWERED: readonly Acknowledged[] = [
  { kind: 'delegated', task: 'p-01', to: 'ana' },
  { kind: 'started', task: 'p-01', by: 'ana' },
  { kind: 'noted', task: 'p-01', by: 'ana', text: 'half' },
  { kind: 'submitted', task: 'p-01', by: 'ana', summary: 'Done.', submissionId: 's1' },
  { kind: 'decided', task: 'p-01', to: 'completed' },
  { kind: 'written', text: 'remark' },
];

const withTask = (changes: Partial<TaskFacts>): Reading => ({ ...SOUND, tasks: [{ ...TASK, ...changes }] });
const withClone = (changes: Partial<CloneFacts>): Reading => ({
  ...SOUND,
  clones: [{ ...CLONE, ...changes }, ...SOUND.clones.slice(1)],
});
const withoutEvent = (type: string): Reading => ({
  ...SOUND,
  events: SOUND.events.filter((one) => one.type !== type),
});
const [DELEGATED] = SOUND.clones[0]?.said ?? [];
const twice = DELEGATED === undefined ? [] : [DELEGATED, DELEGATED];

const FOLDER = 'shared/tasks/p-01/late/ana-s1/';
const AWAY: Partial<TaskFacts> = {
  assignedTo: 'bo',
  submissionId: 's2',
  result: 'SUMMARY: By bo.',
  earlierAssignees: ['ana'],
  late: [{ by: 'ana', dir: FOLDER, submissionId: 's1', result: 'STATUS: SUCCESS\nSUMMARY: Done.\n' }],
};
const heard = { txn: 'refused-1', room: '!team', text: `it is kept in ${FOLDER}` };

/** The task went to somebody else, and what its Worker had handed in by then was kept aside and told. */
const keptAside = (changes: Partial<TaskFacts> = {}, hears: readonly string[] = ['lead', 'ana']): Reading => ({
  ...withTask({ ...AWAY, ...changes }),
  clones: SOUND.clones.map((one) => ({ ...one, said: [...one.said, ...(hears.includes(one.seat) ? [heard] : [])] })),
  events: [...SOUND.events, { ...event('lane.refused', `it is kept in ${FOLDER}`), subject: 'lanes/ana' }],
});

/** One thing wrong each. */
const DOCTORED: readonly (readonly [string, Reading, Violation['rule'], RegExp])[] = [
  ['a clone on another tree', withClone({ tree: 'other' }), 'converges', /lead ends on tree other/],
  ['changes nobody took up', withClone({ dirty: [' M shared/x'] }), 'converges', /nobody took up/],
  ['a repository that is damaged', withClone({ damaged: ['missing blob'] }), 'whole', /missing blob/],
  ['a torn file', { ...SOUND, broken: ['meta.json is no JSON'] }, 'whole', /no JSON/],
  ['a text that was set aside', { ...SOUND, strays: ['a.conflict-1'] }, 'whole', /does not belong/],
  ['a task that is gone', { ...SOUND, tasks: [] }, 'kept', /p-01 as a whole/],
  ['a delegation that is gone', withoutEvent('task.delegated'), 'kept', /the delegation of p-01/],
  ['an acknowledgement that is gone', { ...withoutEvent('task.acknowledged'), events: [] }, 'kept', /ana started p-01/],
  ['a note that is gone', withoutEvent('task.progress'), 'kept', /the note "half"/],
  ['a result that another took the place of', withTask({ submissionId: 's2' }), 'kept', /the result of p-01/],
  ['a late result that is kept nowhere', keptAside({ late: [] }), 'kept', /the result of p-01 by ana/],
  [
    'a late result that is kept without what it says',
    keptAside({ late: [{ by: 'ana', dir: FOLDER, submissionId: 's1' }] }),
    'kept',
    /the result of p-01 by ana/,
  ],
  ['a result kept aside of who never lost the task', keptAside({ earlierAssignees: [] }), 'kept', /never given away/],
  ['a late result of which its Worker hears nothing', keptAside({}, ['lead']), 'announced', /ana was never told/],
  ['a late result of which the Leader hears nothing', keptAside({}, ['ana']), 'announced', /lead was never told/],
  ['a remark of a person that is gone', { ...SOUND, plan: '' }, 'kept', /"remark"/],
  ['a decision that does not stand', withTask({ status: 'submitted' }), 'kept', /the decision on p-01/],
  [
    'a step that is none',
    withTask({ history: [step('planned', 'completed', 'accept_task_result')] }),
    'legal',
    /no step/,
  ],
  [
    'a step of the wrong side',
    withTask({ history: LIFE.with(5, step('submitted', 'completed', 'x', 'worker:ana')) }),
    'legal',
    /x of worker:ana/,
  ],
  [
    'an end of what nobody may end so',
    withTask({ history: [...LIFE.slice(0, 4), step('submitted', 'completed', 'accept_task_result')] }),
    'legal',
    /follows/,
  ],
  ['a history with a gap', withTask({ history: LIFE.toSpliced(4, 1) }), 'legal', /follows/],
  [
    'a state that is not where the history ends',
    withTask({ history: LIFE.slice(0, 5) }),
    'legal',
    /its history ends on/,
  ],
  ['a marker that says something else', { ...SOUND, markers: { 'p-01': 'delegated' } }, 'legal', /its marker says/],
  ['a state that nobody knows', withTask({ status: 'odd' }), 'legal', /nobody knows/],
  ['[x] without an acceptance', withTask({ status: 'in_progress' }), 'one-winner', /marked \[x\]/],
  ['two results', withTask({ history: LIFE.toSpliced(5, 0, ...LIFE.slice(4, 5)) }), 'one-winner', /submitted twice/],
  [
    'two ends',
    withTask({ history: [...LIFE, step('submitted', 'cancelled', 'cancel_task')] }),
    'one-winner',
    /ended twice/,
  ],
  ['a message heard twice', withClone({ said: twice }), 'announced', /heard delegate-p-01-a 2 times/],
  ['a message of what never happened', { ...SOUND, events: [] }, 'announced', /nothing is published/],
  ['a message that nobody said', withClone({ said: [] }), 'announced', /lead never said delegate-p-01-a/],
  ['a message that is owed for ever', withClone({ owed: ['submit-p-01-x'] }), 'announced', /still owes/],
];

describe('the checker of chaos runs', () => {
  test('finds nothing where everything holds', () => {
    expect(check(SOUND, ANSWERED)).toEqual([]);
  });

  test.each(DOCTORED)('finds %s', (_, reading, rule, message) => {
    expect(check(reading, ANSWERED)).toContainEqual({ rule, message: expect.stringMatching(message) as string });
  });

  test('takes a result that came late, and is kept aside and told, for no loss', () => {
    expect(check(keptAside(), ANSWERED)).toEqual([]);
  });

  test('takes a result that the Leader was faster to cancel for no loss, and never for a completion', () => {
    const history = [...LIFE.slice(0, 3), step('in_progress', 'cancelled', 'cancel_task')];
    const cancelled = {
      ...withTask({ status: 'cancelled', submissionId: '', history }),
      markers: { 'p-01': 'cancelled' },
    };
    const late = ANSWERED.filter(({ kind }) => kind === 'submitted');
    expect(check(cancelled, late)).toEqual([]);
    expect(check({ ...cancelled, markers: { 'p-01': 'completed' } }, late)).toContainEqual(
      expect.objectContaining({ rule: 'legal' }),
    );
  });
});
