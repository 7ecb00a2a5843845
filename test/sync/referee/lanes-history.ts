import { mine, record } from './lane.ts';
import type { Desk, RogueLane } from './lane.ts';

const ROGUE = { 'shared/team.json': '{}\n' };
const REFUSED = (): Readonly<Record<string, string>> => ({ 'shared/team.json': 'not-owner' });
const TASK_RECORD = { summary: 'what I did' };

export const made = (
  name: string,
  make: (desk: Desk) => string,
  refused: RogueLane['refused'] = REFUSED,
  more: Partial<RogueLane> = {},
): RogueLane => ({ name, lane: { make }, refused, ...more });

/** Nothing of it can be taken: the lane is named instead of a path. */
const broken = (name: string, make: (desk: Desk) => string, as?: RogueLane['as']): RogueLane => ({
  name,
  lane: { make },
  refused: (own) => ({ [`lanes/${as?.(own) ?? own.me}`]: 'broken-lane' }),
  broken: true,
  ...(as === undefined ? {} : { as }),
});

const firstCommit = (desk: Desk): string => desk.git('rev-list', '--max-parents=0', desk.base);

/** Lanes whose commits are not what a Worker's node makes. */
export const HISTORIES: readonly RogueLane[] = [
  made('commits in the Leader’s name', (desk) =>
    desk.lane(ROGUE, { author: 'lead', message: 'x\n\nActor: leader:lead\nOp: accept_task_result\n' }),
  ),
  made('commits of long ago', (desk) => desk.lane(ROGUE, { date: '1970-01-02T00:00:00Z' })),
  made('commits of far away', (desk) => desk.lane(ROGUE, { date: '2099-12-31T00:00:00Z' })),
  made('a commit without an author', (desk) =>
    desk.rawCommit(
      `tree ${desk.work(ROGUE)}\nparent ${desk.base}\nauthor  <> 0 +0000\ncommitter  <> 99999999999999 +9999\n\n`,
    ),
  ),
  made('a message of megabytes', (desk) => desk.lane(ROGUE, { message: 'x'.repeat(3_000_000) })),
  made(
    'a commit that undoes the rogue one: nothing is left to refuse',
    (desk) => desk.commit(desk.work({}), { parents: [desk.lane(ROGUE)] }),
    () => ({}),
  ),
  made(
    'a merge that takes main back',
    (desk) =>
      desk.commit(
        desk.work(
          { [desk.meta]: record(desk, { status: 'in_progress' }), [`${desk.task}/base/later.txt`]: null },
          desk.main,
        ),
        { parents: [desk.base, desk.main] },
      ),
    ({ meta, task }) => ({ [meta]: 'illegal-transition', [`${task}/base/later.txt`]: 'not-owner' }),
    {
      meanwhile: (own) => ({
        [own.meta]: record(own, { status: 'cancelled' }),
        [`${own.task}/base/later.txt`]: 'later\n',
      }),
    },
  ),
  made('a merge of main that holds more than either side', (desk) =>
    desk.commit(desk.work(ROGUE, desk.main), { parents: [desk.lane({}), desk.main] }),
  ),
  made(
    'main merged into the lane again and again',
    (desk) => {
      const one = desk.lane({ [`${desk.task}/notes.md`]: 'one\n' });
      const two = desk.commit(desk.work({ [`${desk.task}/notes.md`]: 'one\n' }, desk.main), {
        parents: [one, desk.main],
      });
      return desk.commit(desk.work({ ...ROGUE, [`${desk.task}/notes.md`]: 'two\n' }, two), {
        parents: [two, desk.base, desk.main],
      });
    },
    REFUSED,
    { arrives: ({ task }) => ({ [`${task}/notes.md`]: 'two\n' }) },
  ),
  made(
    'lane and main crossed over',
    (desk) => {
      const late = desk.commit(desk.work({ [`${desk.task}/notes.md`]: 'two\n' }, desk.before), {
        parents: [desk.before],
      });
      return desk.commit(desk.work({ ...ROGUE, [`${desk.task}/notes.md`]: 'two\n' }, desk.main), {
        parents: [late, desk.main],
      });
    },
    REFUSED,
    {
      before: (desk) => desk.lane({ [`${desk.task}/notes.md`]: 'one\n' }),
      arrives: ({ task }) => ({ [`${task}/notes.md`]: 'two\n' }),
    },
  ),
  made('a root of its own beside main', (desk) => {
    const root = desk.commit(desk.raw([]), {});
    return desk.commit(desk.work(ROGUE), { parents: [root, desk.base] });
  }),
  made('an empty tree on the way', (desk) => {
    const empty = desk.commit(desk.raw([]), { parents: [desk.base] });
    return desk.commit(desk.work(ROGUE), { parents: [empty] });
  }),
  made(
    'the lane rewound and written anew',
    (desk) => desk.lane({ [desk.log]: '{"id":"1"}\n{"id":"2"}\n{"id":"other"}\n', ...ROGUE }),
    REFUSED,
    {
      before: (desk) => desk.lane({ [desk.log]: '{"id":"1"}\n{"id":"2"}\n{"id":"3"}\n' }),
      // What was in the log stays in it.
      arrives: ({ log }) => ({ [log]: '{"id":"1"}\n{"id":"2"}\n{"id":"3"}\n{"id":"other"}\n' }),
    },
  ),
  made(
    'the lane rewound to take a submission back',
    (desk) => desk.lane({ [desk.meta]: record(desk, { status: 'in_progress' }) }),
    ({ meta }) => ({ [meta]: 'illegal-transition' }),
    {
      before: (desk) => desk.lane({ [desk.meta]: record(desk, { status: 'submitted', result_status: 'BLOCKED' }) }),
    },
  ),
  made(
    'a record brought anew by a lane that begins before it',
    (desk) => {
      const before = firstCommit(desk);
      return desk.commit(
        desk.work({ [desk.meta]: record(desk, { room_id: '!evil:x', ...TASK_RECORD }), ...ROGUE }, before),
        { parents: [before] },
      );
    },
    ({ meta }) => ({ [meta]: 'forbidden-field', 'shared/team.json': 'not-owner' }),
    {
      begins: firstCommit,
      arrives: (own) => ({ [own.meta]: record(own, TASK_RECORD) }),
    },
  ),
  made('refs of other kinds beside the lane', (desk) => {
    const tip = desk.lane(ROGUE);
    const evil = desk.commit(desk.work(ROGUE), {});
    desk.push(
      `${evil}:refs/replace/${desk.main}`,
      `${evil}:refs/notes/commits`,
      `${evil}:refs/tags/main`,
      `${evil}:refs/heads/other`,
    );
    return tip;
  }),
  made(
    'another lane’s work inside, which is then said to be in main',
    (desk) => {
      const victim = mine('victim');
      const commit = desk.commit(desk.tree({ 'shared/tasks/t-victim/result.md': 'of the victim\n' }, desk.base), {
        parents: [desk.base],
      });
      desk.push(`${commit}:refs/heads/lanes/${victim.me}`);
      return desk.commit(desk.work({}), { parents: [desk.base, commit] });
    },
    () => ({}),
    {
      meanwhile: () => ({
        'shared/agents/victim.json': '{ "agent_id": "victim", "role": "worker" }\n',
        'shared/tasks/t-victim/meta.json': record(mine('victim'), {}),
      }),
      arrives: () => ({ 'shared/tasks/t-victim/result.md': 'of the victim\n' }),
    },
  ),
  made(
    'another lane as the first parent',
    (desk) => {
      const commit = desk.commit(desk.tree({ 'shared/tasks/t-prey/result.md': 'of the prey\n' }, desk.base), {
        parents: [desk.base],
      });
      desk.push(`${commit}:refs/heads/lanes/zprey`);
      return desk.commit(desk.work({}, commit), { parents: [commit] });
    },
    () => ({ 'shared/tasks/t-prey/result.md': 'not-owner' }),
    {
      meanwhile: () => ({
        'shared/agents/zprey.json': '{ "agent_id": "zprey", "role": "worker" }\n',
        'shared/tasks/t-prey/meta.json': record({ ...mine('prey'), me: 'prey' }, { assigned_to: 'zprey' }),
      }),
      arrives: () => ({ 'shared/tasks/t-prey/result.md': 'of the prey\n' }),
    },
  ),
  {
    ...broken('more newest commits in common with main than are looked at', (desk) => {
      const parents = desk.git('rev-parse', `${desk.before}^@`).split('\n');
      return desk.commit(desk.work({ [desk.result]: 'STATUS: SUCCESS\n' }), { parents });
    }),
    before: (desk) => {
      const notes = Array.from({ length: 40 }, (_, index) => ({ [`${desk.workspace}/${index}.md`]: 'x\n' }));
      return desk.commit(desk.tree({}, desk.base), {
        parents: notes.map((note) => desk.commit(desk.tree(note, desk.base), { parents: [desk.base] })),
      });
    },
  },
  broken('a message of more megabytes than are read', (desk) =>
    desk.commit(desk.work({ [desk.result]: 'STATUS: SUCCESS\n' }), {
      parents: [desk.base],
      message: `work\n\n${'x'.repeat(5 * 2 ** 20)}\n`,
    }),
  ),
  broken('names longer than any system opens', (desk) => {
    const names = Array.from({ length: 1_000 }, (_, index) => 'x'.repeat(20_000) + String(index).padStart(4, '0'));
    const id = desk.blob('x\n');
    const tree = desk.reshape(desk.work({}), desk.workspace, () => names.map((name) => ({ mode: '100644', name, id })));
    return desk.commit(tree, { parents: [desk.base] });
  }),
  broken('a path longer than any system opens', (desk) => {
    const path = Array.from({ length: 25 }, () => 'x'.repeat(200)).join('/');
    return desk.commit(desk.work({ [`${desk.workspace}/${path}/x`]: 'x\n' }), { parents: [desk.base] });
  }),
  broken('no history in common', (desk) => desk.commit(desk.work({}), {})),
  broken(
    'the name of the Leader',
    (desk) => desk.lane({ 'shared/events/2026-10/lead.jsonl': '{"id":"forged"}\n' }),
    () => 'lead',
  ),
  broken(
    'the name of a second Leader',
    (desk) => desk.lane({ 'shared/events/2026-10/chief.jsonl': '{"id":"forged"}\n' }),
    () => 'chief',
  ),
  broken(
    'another Worker’s name in capitals',
    (desk) => desk.lane({ 'shared/tasks/t-bo/result.md': 'x\n' }),
    () => 'BO',
  ),
  broken(
    'a name in capitals that another lane has in small letters, of whom nothing is known',
    (desk) => {
      desk.push(`${desk.base}:refs/heads/lanes/ghost`);
      return desk.lane({ 'shared/events/2026-10/ghost.jsonl': '{"id":"forged"}\n' });
    },
    () => 'GHOST',
  ),
  broken(
    'another Worker’s name in percent codes',
    (desk) => desk.lane({ 'shared/tasks/t-bo/result.md': 'x\n' }),
    () => '%62o',
  ),
  broken(
    'a name below another lane',
    (desk) => desk.lane({ 'shared/tasks/t-bo/result.md': 'x\n' }),
    () => 'x/bo',
  ),
  made(
    'a name that decodes to a way up, which is a name like any other',
    (desk) => desk.lane({ 'shared/tasks/t-bo/result.md': 'x\n' }),
    ({ workspace }) => ({ 'shared/tasks/t-bo/result.md': 'not-owner', [`${workspace}/honest.txt`]: 'not-owner' }),
    {
      as: () => '%2E%2E%2Fbo',
      arrives: ({ workspace }) => ({ [`${workspace}/honest.txt`]: null }),
      later: ({ task }) => ({ [`${task}/progress/newer.md`]: 'not-owner' }),
    },
  ),
];
