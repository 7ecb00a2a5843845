/** A pair of edits of one file, which Baton and a person's git have to merge alike. */
export interface Pair {
  readonly name: string;
  readonly path: string;
  /** `undefined`: both sides add the file. */
  readonly base: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

const NODES = [
  '- [~] a — First (assigned: ana)',
  '- [~] b — Second (assigned: bo, depends: a)',
  '- [ ] c — Third (assigned: ana, depends: b)',
  '- [ ] d — Fourth (assigned: bo)',
] as const;

const planText = (nodes: readonly string[], head = '', foot = ''): string =>
  `# Team Project: P\n${head}\n## DAG Task Plan\n\n**Plan Type**: dag\n\n${nodes.join('\n')}\n${foot}`;

const PLAN = planText(NODES);
const LOOP = [
  '## Loop Plan',
  '',
  '**Plan Type**: loop',
  '**Loop Status**: running',
  '**Iteration**: 1 / 5',
  '**Goal**: good enough',
  '**Stop Condition**: nobody complains',
  '',
  '## Iteration Template',
  '',
  'Do it again.',
  '',
  '## Current Iteration',
  '',
  '- [~] l1 — Try (assigned: ana)',
  '',
  '## Iteration History',
  '',
  '- Iteration 1: continue — begun',
  '',
].join('\n');

const record = (fields: object): string => `${JSON.stringify(fields, undefined, 2)}\n`;

const TASK = {
  task_id: 't',
  project_id: 'p',
  task_title: 'First',
  assigned_to: 'ana',
  room_id: '!team:local',
  status: 'in_progress',
  assigned_at: '2026-11-20T10:00:00Z',
  acknowledged_at: '2026-11-20T10:05:00Z',
  history: [{ ts: '2026-11-20T10:00:00Z', from: 'prepared', to: 'assigned', action: 'delegate_task' }],
} as const;
const PROJECT = { project_id: 'p', title: 'P', status: 'active', source: 'team-admin', requester: '@pat:local' };

const entry = (minute: number, action: string): object => ({
  ts: `2026-11-20T10:${minute}:00Z`,
  from: 'in_progress',
  to: 'in_progress',
  action,
});

type Edit = (text: string) => string;
const change =
  (...swaps: readonly (readonly [string, string])[]): Edit =>
  (text) =>
    swaps.reduce((result, [from, to]) => {
      if (!result.includes(from)) throw new Error(`there is no ${from}`);
      return result.replace(from, to);
    }, text);

let count = 0;
const plan = (name: string, ours: Edit, theirs: Edit, base = PLAN): Pair => {
  count += 1;
  return { name, path: `shared/projects/p${count}/plan.md`, base, ours: ours(base), theirs: theirs(base) };
};
const task = (name: string, ours: object, theirs: object, base: object = TASK): Pair => {
  count += 1;
  const path = `shared/tasks/t${count}/meta.json`;
  return { name, path, base: record(base), ours: record({ ...base, ...ours }), theirs: record({ ...base, ...theirs }) };
};
const project = (name: string, ours: object, theirs: object): Pair => ({
  ...task(name, ours, theirs, PROJECT),
  path: `shared/projects/m${count}/meta.json`,
});
const log = (name: string, ours: string, theirs: string, base = '{"id":"1"}\n'): Pair => {
  count += 1;
  const path = `shared/events/2026-11/w${count}.jsonl`;
  return { name, path, base, ours: base + ours, theirs: base + theirs };
};

const node = (index: number): string => NODES[index] ?? '';
const without = (index: number): Edit => change([`${node(index)}\n`, '']);
const after = (index: number, line: string): Edit => change([`${node(index)}\n`, `${node(index)}\n${line}\n`]);

/** Every one ends merged; what only a person can decide has tests of its own. */
export const PAIRS: readonly Pair[] = [
  plan('neighbouring markers', change(['[~] a', '[x] a']), change(['[~] b', '[x] b'])),
  plan('the same marker, accepted and blocked', change(['[~] a', '[x] a']), change(['[~] a', '[!] a'])),
  plan('the same marker, delegated and accepted', change(['[ ] d', '[~] d']), change(['[ ] d', '[x] d'])),
  plan('markers far apart', change(['[~] a', '[x] a']), change(['[ ] d', '[~] d'])),
  plan('a marker and the title of one node', change(['[~] a', '[x] a']), change(['First', 'The first'])),
  plan('two titles of one node', change(['First', 'Erstens']), change(['First', 'Premier'])),
  plan(
    'assignee and dependency of one node',
    change(['ana, depends: b', 'bo, depends: b']),
    change(['depends: b', 'depends: a']),
  ),
  plan(
    'a dependency moved, and its target renamed',
    change(['depends: b', 'depends: a']),
    change(['Second', 'The second']),
  ),
  plan(
    'a node added by both at one place',
    after(3, '- [ ] e — Fifth (assigned: ana)'),
    after(3, '- [ ] f — Sixth (assigned: bo)'),
  ),
  plan(
    'the same node added by both, each in its way',
    after(3, '- [ ] e — Fifth (assigned: ana)'),
    after(3, '- [ ] e — Last (assigned: bo)'),
  ),
  plan('a node removed that the other delegates', without(3), change(['[ ] d', '[~] d'])),
  plan('a node delegated that the other removes', change(['[ ] d', '[~] d']), without(3)),
  plan(
    'two nodes change places, one of them accepted',
    change([`${node(0)}\n${node(1)}`, `${node(1)}\n${node(0)}`]),
    change(['[~] a', '[x] a']),
  ),
  plan('prose and a marker beside it', change(['\n## DAG', '\nWhy we do this.\n\n## DAG']), change(['[~] a', '[x] a'])),
  plan(
    'the iteration of a loop, on both sides',
    change(['1 / 5', '2 / 5'], ['begun\n', 'begun\n- Iteration 2: continue — on\n']),
    change(['1 / 5', '3 / 5'], ['begun\n', 'begun\n- Iteration 2: replan — off\n']),
    LOOP,
  ),
  {
    name: 'one plan added by both',
    path: 'shared/projects/new/plan.md',
    base: undefined,
    ours: PLAN,
    theirs: PLAN.replace('[~] a', '[x] a'),
  },
  task(
    'a status race, submitted and cancelled',
    { status: 'submitted', submitted_at: '2026-11-20T11:00:00Z' },
    { status: 'cancelled', cancel_reason: 'late' },
  ),
  task('a status race, submitted and completed', { status: 'completed' }, { status: 'submitted', summary: 'done' }),
  task(
    'two lines of history',
    { history: [...TASK.history, entry(10, 'ack_task')] },
    { history: [...TASK.history, entry(11, 'progress')] },
  ),
  task(
    'the Worker hands in, the Leader renames',
    { summary: 'done', result_status: 'SUCCESS' },
    { task_title: 'The first' },
  ),
  task(
    'one question answered, another asked',
    { attention: [{ kind: 'decision', question: 'a?', attempt: 1, requestedAt: 'x', resolved: true }] },
    {
      attention: [
        { kind: 'decision', question: 'a?', attempt: 1, requestedAt: 'x', resolved: false },
        { kind: 'other', question: 'b?', attempt: 1, requestedAt: 'y', resolved: false },
      ],
    },
  ),
  task('fields that Baton does not know, on both sides', { mine: 1 }, { yours: { deep: true } }),
  project('different fields of a project', { title: 'Q' }, { requester: '@bo:local' }),
  project('the same field of a project', { title: 'Q' }, { title: 'R' }),
  log('events appended by both', '{"id":"2"}\n{"id":"3"}\n', '{"id":"4"}\n'),
  log('the same event on both sides, and others', '{"id":"2"}\n{"id":"3"}\n', '{"id":"2"}\n{"id":"4"}\n'),
  {
    name: 'a file that one side alone changed',
    path: 'shared/tasks/t0/spec.md',
    base: '# A\n',
    ours: '# A\n',
    theirs: '# B\n',
  },
  {
    name: 'a file that one side alone removed',
    path: 'shared/tasks/t0/base/input.txt',
    base: 'x\n',
    ours: undefined,
    theirs: 'x\n',
  },
  {
    name: 'a report that both changed far apart',
    path: 'shared/projects/p0/result.md',
    base: '# R\n\none\n\ntwo\n\nthree\n',
    ours: '# Report\n\none\n\ntwo\n\nthree\n',
    theirs: '# R\n\none\n\ntwo\n\nfour\n',
  },
];
