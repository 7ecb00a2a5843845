import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One project as a person finds it in a clone, with what the person does there. */
export interface HandEdit {
  /** As the documentation names it. */
  readonly name: string;
  readonly markers: string;
  /** State of the record of each task; the letters are ids. */
  readonly records: Readonly<Record<string, string>>;
  readonly edit: (project: Project) => void;
  /** What happens, as the documentation says it. */
  readonly happens: string;
  /** Markers of `a` to `d` afterwards, `.` for a node that is gone. */
  readonly after: string;
  /** State of the record of `a` (or the one that was there) afterwards; absent: as before, or gone with its folder. */
  readonly record?: string;
  /** The nodes that are ready then, where the edit is about that. */
  readonly ready?: string;
  /** `file:line rule`, each shown by the doctor and told in the room once; the file is one of the project or of `a`. */
  readonly findings?: readonly string[];
}

/** A project of four nodes: `a`, `b` after it, `c` after that, and `d`. */
export class Project {
  readonly id: string;
  readonly #clone: string;

  constructor(clone: string, id: string) {
    this.#clone = clone;
    this.id = id;
  }

  path(name: string): string {
    return `shared/projects/${this.id}/${name}`;
  }

  task(letter: string, name = ''): string {
    return `shared/tasks/${this.id}-${letter}/${name}`;
  }

  text(path: string): string {
    return readFileSync(join(this.#clone, path), 'utf8');
  }

  has(path: string): boolean {
    return existsSync(join(this.#clone, path));
  }

  /** Replaces in the plan; what is replaced must be there. */
  plan(from: string, to: string): void {
    const before = this.text(this.path('plan.md'));
    const after = before.replace(from.replaceAll('$', this.id), to.replaceAll('$', this.id));
    if (after === before) throw new Error(`${this.id} has no ${from}`);
    writeFileSync(join(this.#clone, this.path('plan.md')), after);
  }

  mark(letter: string, marker: string): void {
    const before = this.text(this.path('plan.md'));
    const after = before.replace(
      new RegExp(String.raw`- \[.\] ${this.id}-${letter} `, 'u'),
      `- [${marker}] ${this.id}-${letter} `,
    );
    if (after === before) throw new Error(`${this.id} has no ${letter}`);
    writeFileSync(join(this.#clone, this.path('plan.md')), after);
  }

  /** The record of a task, with these fields if any are given. */
  record(letter: string, fields: object = {}): Readonly<Record<string, unknown>> {
    const path = join(this.#clone, this.task(letter, 'meta.json'));
    const record = { ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...fields };
    if (Object.keys(fields).length > 0) writeFileSync(path, `${JSON.stringify(record, undefined, 2)}\n`);
    return record;
  }

  remove(path: string): void {
    rmSync(join(this.#clone, path), { recursive: true });
  }
}

const TIME = '2026-11-20T12:00:00Z';

/** The files of a project in the state in which its edit finds it. */
export function filesOf(id: string, { markers, records }: HandEdit): Readonly<Record<string, string>> {
  const [a = ' ', b = ' ', c = ' ', d = ' '] = markers;
  const plan = [
    `# Team Project: ${id}`,
    '',
    'Some words on it.',
    '',
    '## DAG Task Plan',
    '',
    '**Plan Type**: dag',
    '',
    `- [${a}] ${id}-a — First (assigned: ana)`,
    `- [${b}] ${id}-b — Second (assigned: bo, depends: ${id}-a)`,
    `- [${c}] ${id}-c — Third (assigned: ana, depends: ${id}-b)`,
    `- [${d}] ${id}-d — Fourth (assigned: bo)`,
    '',
  ].join('\n');
  const meta = { project_id: id, title: id, status: 'active', source: 'team-admin', created_at: TIME };
  const tasks = Object.entries(records).flatMap(([letter, status]) => {
    const task = `${id}-${letter}`;
    const submitted = ['submitted', 'completed', 'revision', 'blocked'].includes(status);
    const record = {
      task_id: task,
      project_id: id,
      task_title: { a: 'First', b: 'Second', c: 'Third', d: 'Fourth' }[letter],
      assigned_to: letter === 'a' || letter === 'c' ? 'ana' : 'bo',
      room_id: '!team:local',
      status,
      assigned_at: TIME,
      ...(status === 'assigned' ? {} : { acknowledged_at: TIME }),
      ...(submitted
        ? { submitted_at: TIME, submission_id: `s-${task}`, result_status: 'SUCCESS', summary: 'Done.' }
        : {}),
    };
    const folder = `shared/tasks/${task}`;
    return [
      [`${folder}/meta.json`, `${JSON.stringify(record, undefined, 2)}\n`],
      [`${folder}/spec.md`, '# Do it\n'],
      ...(submitted ? [[`${folder}/result.md`, 'STATUS: SUCCESS\nSUMMARY: Done.\n\nDELIVERABLES:\n']] : []),
    ] as const;
  });
  return Object.fromEntries([
    [`shared/projects/${id}/plan.md`, plan],
    [`shared/projects/${id}/meta.json`, `${JSON.stringify(meta, undefined, 2)}\n`],
    ...tasks,
  ]);
}

const DONE = { after: 'x   ', record: 'completed' } as const;
const AT_WORK = { markers: '~   ', records: { a: 'in_progress' } } as const;
const SUBMITTED = { markers: '~   ', records: { a: 'submitted' } } as const;
const ACCEPTED = { markers: 'x   ', records: { a: 'completed' } } as const;
const PLANNED = { markers: '    ', records: {} } as const;

export const HAND_EDITS: readonly HandEdit[] = [
  {
    name: 'rename a node',
    ...PLANNED,
    edit: (p) => p.plan('First', 'The first'),
    happens: 'the plan says so from now on',
    after: '    ',
  },
  {
    name: 'rename a node at work',
    ...AT_WORK,
    edit: (p) => p.plan('First', 'The first'),
    happens: 'the plan says so; the record keeps the title under which the Worker got the task',
    after: '~   ',
  },
  {
    name: 'move a dependency',
    ...ACCEPTED,
    edit: (p) => p.plan('depends: $-b', 'depends: $-a'),
    happens: 'what is ready follows',
    after: 'x   ',
    ready: 'bcd',
  },
  {
    name: 'give a node at work to somebody else',
    ...AT_WORK,
    edit: (p) => p.plan('First (assigned: ana', 'First (assigned: bo'),
    happens: 'told: the one who has it does not know; delegate it again, or cancel it',
    after: '~   ',
    findings: ['plan.md:9 other-assignee'],
  },
  {
    name: 'rewrite prose',
    ...AT_WORK,
    edit: (p) => p.plan('Some words on it.', 'Other words,\non two lines.'),
    happens: 'kept to the letter',
    after: '~   ',
  },
  {
    name: 'tick a node that was never delegated',
    ...PLANNED,
    edit: (p) => p.mark('a', 'x'),
    happens: 'accepted; what depends on it is ready',
    after: 'x   ',
    ready: 'bd',
  },
  {
    name: 'tick a node whose result is submitted',
    ...SUBMITTED,
    edit: (p) => p.mark('a', 'x'),
    happens: 'accepted: the record is completed, and the report is made',
    ...DONE,
  },
  {
    name: 'tick it with a capital X',
    ...SUBMITTED,
    edit: (p) => p.mark('a', 'X'),
    happens: 'the same',
    after: 'X   ',
    record: 'completed',
  },
  {
    name: 'tick a node that is at work',
    ...AT_WORK,
    edit: (p) => p.mark('a', 'x'),
    happens:
      'told: there is no result to accept, and the record stays as it is; the plan decides, so what depends on it is ready',
    after: 'x   ',
    ready: 'bd',
    findings: ['plan.md:9 marker-and-record-disagree'],
  },
  {
    name: 'mark a node at work as blocked',
    ...AT_WORK,
    edit: (p) => p.mark('a', '!'),
    happens: 'ended as blocked',
    after: '!   ',
    record: 'blocked',
  },
  {
    name: 'mark a submitted node as revision',
    ...SUBMITTED,
    edit: (p) => p.mark('a', '→'),
    happens: 'sent back: more work is a new node',
    after: '→   ',
    record: 'revision',
  },
  {
    name: 'cancel a node at work in its line',
    ...AT_WORK,
    edit: (p) => {
      p.mark('a', '!');
      p.plan('First (assigned: ana', 'First (assigned: ana, cancelled: late');
    },
    happens: 'cancelled, with that reason',
    after: '!   ',
    record: 'cancelled',
  },
  {
    name: 'untick an accepted node',
    ...ACCEPTED,
    edit: (p) => p.mark('a', ' '),
    happens: 'its result waits for a decision again: the marker becomes `[~]`',
    after: '~   ',
    record: 'submitted',
  },
  {
    name: 'untick a node without a record',
    markers: 'x   ',
    records: {},
    edit: (p) => p.mark('a', ' '),
    happens: 'pending again',
    after: '    ',
  },
  {
    name: 'untick a node at work',
    ...AT_WORK,
    edit: (p) => p.mark('a', ' '),
    happens: 'undone: the record says that it is at work, so the marker becomes `[~]`',
    after: '~   ',
  },
  {
    name: 'mark a node as delegated that is not',
    ...PLANNED,
    edit: (p) => p.mark('a', '~'),
    happens: 'told: nobody was given the task',
    after: '~   ',
    findings: ['plan.md:9 missing-task-record'],
  },
  {
    name: 'write a marker that does not exist',
    ...AT_WORK,
    edit: (p) => p.mark('a', '?'),
    happens: 'told by its line; the task goes on',
    after: '?   ',
    findings: ['plan.md:9:3 plan-marker'],
  },
  {
    name: 'delete the folder of a delegated task',
    markers: '~   ',
    records: { a: 'assigned' },
    edit: (p) => p.remove(p.task('a')),
    happens: 'told: the plan still shows it as delegated',
    after: '~   ',
    findings: ['plan.md:9 missing-task-record'],
  },
  {
    name: 'delete the folder of a submitted task',
    ...SUBMITTED,
    edit: (p) => p.remove(p.task('a')),
    happens: 'told; git keeps the result',
    after: '~   ',
    findings: ['plan.md:9 missing-task-record'],
  },
  {
    name: 'delete the folder of an accepted task',
    ...ACCEPTED,
    edit: (p) => p.remove(p.task('a')),
    happens: 'gone; the plan keeps what was decided',
    after: 'x   ',
  },
  {
    name: 'delete the folder of a task that no plan holds',
    markers: '~   ',
    records: { a: 'in_progress', z: 'in_progress' },
    edit: (p) => p.remove(p.task('z')),
    happens: 'gone',
    after: '~   ',
  },
  {
    name: 'delete the record of a task and nothing else',
    ...AT_WORK,
    edit: (p) => p.remove(p.task('a', 'meta.json')),
    happens: 'told: a folder without a record is broken',
    after: '~   ',
    findings: ['meta.json:1:1 meta-missing'],
  },
  {
    name: 'delete the node of a task at work',
    markers: '   ~',
    records: { d: 'in_progress' },
    edit: (p) => p.plan('- [~] $-d — Fourth (assigned: bo)\n', ''),
    happens: 'told: the Worker goes on; bring the line back, or cancel the task',
    after: '   .',
    findings: ['meta.json orphan-task'],
  },
  {
    name: 'delete a node on which others depend',
    ...PLANNED,
    edit: (p) => p.plan('- [ ] $-a — First (assigned: ana)\n', ''),
    happens: 'told; what depends on it waits',
    after: '.   ',
    ready: 'd',
    findings: ['plan.md:9 broken-graph'],
  },
  {
    name: 'give a node another id',
    ...PLANNED,
    edit: (p) => p.plan('$-d — Fourth', '$-y — Fourth'),
    happens: 'another node',
    after: '   .',
  },
  {
    name: 'give a node at work another id',
    markers: '   ~',
    records: { d: 'in_progress' },
    edit: (p) => p.plan('$-d — Fourth', '$-y — Fourth'),
    happens: 'told twice: the new node has no record, and the task stands in no plan',
    after: '   .',
    findings: ['meta.json orphan-task', 'plan.md:12 missing-task-record'],
  },
  {
    name: 'close a circle of dependencies',
    ...PLANNED,
    edit: (p) => p.plan('First (assigned: ana', 'First (assigned: ana, depends: $-c'),
    happens: 'told with the circle; its nodes wait, and others go on',
    after: '    ',
    ready: 'd',
    findings: ['plan.md:9 broken-graph'],
  },
  {
    name: 'depend on a task that is not there',
    ...PLANNED,
    edit: (p) => p.plan('depends: $-b', 'depends: $-y'),
    happens: 'told; the node waits',
    after: '    ',
    ready: 'ad',
    findings: ['plan.md:11 broken-graph'],
  },
  {
    name: 'write a node twice',
    ...PLANNED,
    edit: (p) => p.plan('— Fourth', '— Fourth (assigned: bo)\n- [ ] $-d — Again'),
    happens: 'told by the second line; nothing of this plan is delegated until it is mended',
    after: '    ',
    ready: 'refused',
    findings: ['plan.md:13:1 plan-duplicate-id'],
  },
  {
    name: 'finish a record by hand',
    ...SUBMITTED,
    edit: (p) => p.record('a', { status: 'completed' }),
    happens: 'undone: the plan decides what is accepted',
    after: '~   ',
    record: 'submitted',
  },
  {
    name: 'cancel a record by hand',
    ...AT_WORK,
    edit: (p) => p.record('a', { status: 'cancelled', cancel_reason: 'late' }),
    happens: 'cancelled: the marker becomes `[!]`',
    after: '!   ',
    record: 'cancelled',
  },
  {
    name: 'give a record a state that does not exist',
    ...AT_WORK,
    edit: (p) => p.record('a', { status: 'begun' }),
    happens: 'told by line; the task waits until it is mended',
    after: '~   ',
    record: 'begun',
    findings: ['meta.json:7:3 field-invalid'],
  },
  {
    name: 'put a record under another project',
    ...AT_WORK,
    edit: (p) => p.record('a', { project_id: 'elsewhere' }),
    happens: 'told: the node needs an id of its own',
    after: '~   ',
    findings: ['plan.md:9 foreign-task-record'],
  },
  {
    name: 'delete the plan',
    ...PLANNED,
    edit: (p) => p.remove(p.path('plan.md')),
    happens: 'told; tasks at work are told of like those whose node is deleted',
    after: '....',
    findings: ['plan.md missing-plan'],
  },
  {
    name: 'delete the project of a task at work',
    ...AT_WORK,
    edit: (p) => p.remove(p.path('')),
    happens: 'told: the task stands in no plan',
    after: '....',
    findings: ['meta.json orphan-task'],
  },
];
