import { json, record, taskRecord } from './lane.ts';
import type { Mine, RogueLane } from './lane.ts';
import type { Entry, Files } from './attacker.ts';

const none = (): Readonly<Record<string, string>> => ({});

/** One path that is somebody else's. */
const others = (
  name: string,
  path: string | ((own: Mine) => string),
  entry: Entry,
  reason = 'not-owner',
): RogueLane => {
  const at = (own: Mine): string => (typeof path === 'string' ? path : path(own));
  return { name, lane: (own) => ({ [at(own)]: entry }), refused: (own) => ({ [at(own)]: reason }) };
};

const PLAN = 'shared/projects/p/plan.md';

/** Lanes that write what belongs to somebody else. */
export const OTHERS_FILES: readonly RogueLane[] = [
  others("another's result", 'shared/tasks/t-bo/result.md', 'STATUS: SUCCESS\nSUMMARY: done\n'),
  others(
    "another's record",
    'shared/tasks/t-bo/meta.json',
    json({ task_id: 't-bo', project_id: 'p', status: 'completed' }),
  ),
  others("another's specification", 'shared/tasks/t-bo/spec.md', '# Easier\n'),
  others("a note in another's folder", 'shared/tasks/t-bo/progress/2026-11-25.md', 'x\n'),
  {
    name: "another's task removed",
    lane: {
      'shared/tasks/t-bo/meta.json': null,
      'shared/tasks/t-bo/spec.md': null,
      'shared/tasks/t-bo/notes.md': null,
    },
    refused: () => ({
      'shared/tasks/t-bo/meta.json': 'not-owner',
      'shared/tasks/t-bo/notes.md': 'not-owner',
      'shared/tasks/t-bo/spec.md': 'not-owner',
    }),
  },
  {
    name: "another's file renamed into the own task",
    lane: ({ workspace }) => ({ 'shared/tasks/t-bo/notes.md': null, [`${workspace}/stolen.md`]: 'of bo\n' }),
    refused: () => ({ 'shared/tasks/t-bo/notes.md': 'not-owner' }),
    // What everybody can read may be copied.
    arrives: ({ workspace }) => ({ [`${workspace}/stolen.md`]: 'of bo\n' }),
  },
  {
    name: "another's file deleted and added again as a directory",
    lane: { 'shared/tasks/t-bo/notes.md': null, 'shared/tasks/t-bo/notes.md/x': 'x\n' },
    refused: () => ({ 'shared/tasks/t-bo/notes.md': 'not-owner', 'shared/tasks/t-bo/notes.md/x': 'not-owner' }),
  },
  others('a task that is nobody’s', 'shared/tasks/t-nobody/result.md', 'STATUS: SUCCESS\n'),
  others('a task of its own making', 'shared/tasks/t-new/meta.json', json({ ...taskRecord({ me: 'new' } as Mine) })),
  others('a task’s folder under another case', ({ me }) => `shared/tasks/T-${me.toUpperCase()}/result.md`, 'x\n'),
  others('a file where a task’s folder would be', 'shared/tasks/t-free', 'x\n'),
  others('a folder that is no task’s', 'shared/tasks/.hidden/x', 'x\n'),
  others('an ended task in the archive', 'shared/archive/2026-09/tasks/t-old/meta.json', json({ status: 'assigned' })),
  others('a result for a task in the archive', 'shared/archive/2026-09/tasks/t-old/result.md', 'x\n'),
  others(
    'a result at the place that an archived task had',
    'shared/tasks/t-old/result.md',
    'STATUS: SUCCESS\n',
    'archived',
  ),
  others('the plan', PLAN, '# P\n\n## DAG Task Plan\n\n- [x] t-bo — Second (assigned: bo)\n'),
  others('the plan removed', PLAN, null),
  others('the plan as a program', PLAN, {
    mode: '100755',
    text: '# P\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n- [~] t-bo — Second (assigned: bo)\n',
  }),
  others(
    "a project's record",
    'shared/projects/p/meta.json',
    json({ project_id: 'p', title: 'P', status: 'completed' }),
  ),
  others("a project's report", 'shared/projects/p/result.md', 'All done.\n'),
  others('a new project', 'shared/projects/q/plan.md', '# Q\n'),
  others('a project under another case', 'shared/Projects/p/plan.md', '# Q\n'),
  others('the own specification', ({ spec }) => spec, '# Easier\n'),
  others('the own specification removed', ({ spec }) => spec, null),
  others('an input of the own task', ({ task }) => `${task}/base/input.txt`, 'other\n'),
  others('a new input of the own task', ({ task }) => `${task}/base/more.txt`, 'more\n'),
  others('an input of the own task removed', ({ task }) => `${task}/base/input.txt`, null),
  others('the team', 'shared/team.json', json({ schema: 1, policies: { maxFileBytes: 1e12 } })),
  others('the team removed', 'shared/team.json', null),
  others(
    "another's agent record",
    'shared/agents/bo.json',
    json({ agent_id: 'bo', role: 'worker', status: 'OFFLINE' }),
  ),
  others('an agent of its own making', 'shared/agents/eve.json', json({ agent_id: 'eve', role: 'leader' })),
  others(
    'the own agent record under a percent code',
    ({ me }) => `shared/agents/%${me.charCodeAt(0).toString(16)}${me.slice(1)}.json`,
    '{}\n',
  ),
  others('the own agent record removed', ({ agent }) => agent, null),
  others("another's event log", 'shared/events/2026-10/bo.jsonl', '{"id":"b1"}\n{"id":"forged"}\n'),
  others("another part of another's event log", 'shared/events/2026-10/bo@0002.jsonl', '{"id":"forged"}\n'),
  others("the Leader's event log", 'shared/events/2026-10/lead.jsonl', '{"type":"task.accepted"}\n'),
  others("the Leader's event log under another case", 'shared/events/2026-10/LEAD.jsonl', '{"type":"task.accepted"}\n'),
  others('an event log in a month that is none', ({ me }) => `shared/events/2026-13/${me}.jsonl`, '{"id":"3"}\n'),
  others('the own event log removed', ({ log }) => log, null),
  others('a checkpoint', 'shared/checkpoints/c1.json', json({ id: 'c1', decision: 'approved' })),
  others(
    'a room binding',
    'shared/roomflow/project-rooms/p-0123456789abcdef.json',
    json({ projectId: 'p', roomId: '!evil:x' }),
  ),
  others('a relation', 'shared/relations/r.json', '{}\n'),
  others('an unknown place below shared/', 'shared/mine.txt', 'x\n'),
  others('the files of the administrator', 'global-shared/rules.md', 'x\n'),
  others('the README', 'README.md', '# Mine\n'),
  others('a workflow of the forge', '.github/workflows/ci.yml', 'on: push\n'),
  others('hooks that are part of the tree', 'hooks/post-checkout', { mode: '100755', text: '#!/bin/sh\n' }),
  others('the settings of a clone', 'baton.json', json({ identity: { localpart: 'lead', role: 'leader' } })),
  others('the state of a clone', '.baton/outbox.json', '{}\n'),
  others('the attributes of the repository', '.gitattributes', '* filter=x\n', 'reserved-name'),
  others('the attributes of the repository removed', '.gitattributes', null),
  others('submodules', '.gitmodules', '[submodule "x"]\n\tpath = x\n\turl = ext::sh\n', 'reserved-name'),
];

/** One path in the own task that may not be there. */
const inside = (name: string, path: string, entry: Entry, reason: string): RogueLane =>
  others(name, ({ task }) => `${task}/${path}`, entry, reason);

const DEEP = `${'d/'.repeat(600)}f`;
const BIG = 'x'.repeat(100_001);

/** Lanes that put into their own task what no tree may hold. */
export const OWN_FOLDER: readonly RogueLane[] = [
  inside('a symbolic link out of the workspace', 'link', { mode: '120000', text: '/etc/passwd' }, 'symlink'),
  inside('a symbolic link in place of a folder', 'workspace2', { mode: '120000', text: '../t-bo' }, 'symlink'),
  {
    name: 'a symbolic link in place of the own notes, with the same bytes',
    lane: ({ task }) => ({ [`${task}/notes.md`]: { mode: '120000', text: 'notes\n' } }),
    refused: ({ task }) => ({ [`${task}/notes.md`]: 'symlink' }),
  },
  inside('a submodule', 'sub', { mode: '160000', id: '1'.repeat(40) }, 'gitlink'),
  inside('attributes', 'workspace/.gitattributes', '* filter=x\n', 'reserved-name'),
  inside('attributes in capitals', 'workspace/.GITATTRIBUTES', '* filter=x\n', 'reserved-name'),
  inside('attributes as HFS+ reads them', 'workspace/.git\u200Cattributes', '* filter=x\n', 'reserved-name'),
  inside('attributes by their short name on NTFS', 'workspace/GITATT~1', '* filter=x\n', 'reserved-name'),
  inside('attributes by their other short name on NTFS', 'workspace/gi7d29~1', '* filter=x\n', 'reserved-name'),
  inside('attributes as a stream on NTFS', 'workspace/.gitattributes::$DATA', '* filter=x\n', 'reserved-name'),
  inside('submodules in the own task', 'workspace/.gitmodules', '[submodule "x"]\n', 'reserved-name'),
  inside('submodules by their short name on NTFS', 'workspace/GITMOD~1', '[submodule "x"]\n', 'reserved-name'),
  inside('a short name of git’s directory', 'workspace/git~1/config', '[core]\n', 'reserved-name'),
  inside('a device', 'aux.txt', 'x\n', 'reserved-name'),
  inside('a device without an ending', 'workspace/COM1', 'x\n', 'reserved-name'),
  inside('a name with a dot behind', 'workspace/x.', 'x\n', 'reserved-name'),
  inside('a name with a blank behind', 'workspace/x ', 'x\n', 'reserved-name'),
  inside('a backslash', 'workspace\\..\\..\\x', 'x\n', 'reserved-name'),
  {
    name: 'a line break in a name',
    lane: ({ workspace }) => ({ [`${workspace}/x\ny`]: 'x\n' }),
    refused: ({ workspace }) => ({ [`${workspace}/x\u{FFFD}y`]: 'reserved-name' }),
  },
  inside('a name that is too long', `workspace/${'x'.repeat(256)}`, 'x\n', 'reserved-name'),
  {
    name: 'a path that is too deep',
    lane: ({ workspace }) => ({ [`${workspace}/${DEEP}`]: 'x\n' }),
    refused: ({ workspace }) => ({ [`${workspace}/${DEEP}`.slice(0, 300)]: 'reserved-name' }),
  },
  inside('a specification in capitals', 'SPEC.MD', '# Easier\n', 'not-owner'),
  inside('a specification with a long s', '\u017Fpec.md', '# Easier\n', 'not-owner'),
  inside('a specification as a stream on NTFS', 'spec.md::$DATA', '# Easier\n', 'not-owner'),
  inside('a record with an invisible letter', 'me\u200Dta.json', '{}\n', 'not-owner'),
  inside('a record by its short name on NTFS', 'META~1.JSO', '{}\n', 'not-owner'),
  inside('inputs in capitals', 'BASE/input.txt', 'other\n', 'not-owner'),
  inside('a case twin of its own file', 'Notes.md', 'x\n', 'case-twin'),
  {
    name: 'two names that differ by the composition of a letter',
    lane: ({ workspace }) => ({ [`${workspace}/\u00E9.md`]: 'one\n', [`${workspace}/e\u0301.md`]: 'two\n' }),
    refused: ({ workspace }) => ({ [`${workspace}/\u00E9.md`]: 'case-twin' }),
    arrives: ({ workspace }) => ({ [`${workspace}/e\u0301.md`]: 'two\n' }),
  },
  {
    name: 'a directory in place of the specification',
    lane: ({ spec }) => ({ [spec]: null, [`${spec}/x`]: 'x\n' }),
    refused: ({ spec }) => ({ [spec]: 'not-owner', [`${spec}/x`]: 'not-owner' }),
  },
  {
    name: 'a file in place of the inputs',
    lane: ({ task }) => ({ [`${task}/base/input.txt`]: null, [`${task}/base`]: 'x\n' }),
    refused: ({ task }) => ({ [`${task}/base/input.txt`]: 'not-owner', [`${task}/base`]: 'not-owner' }),
  },
  inside('a file that is too big', 'workspace/big', BIG, 'oversize'),
  inside('a file that has grown too big', 'notes.md', BIG, 'oversize'),
  {
    name: 'a file of just the greatest size, and a program',
    lane: ({ workspace }) => ({
      [`${workspace}/fits`]: BIG.slice(1),
      [`${workspace}/run.sh`]: { mode: '100755', text: '#!/bin/sh\n' },
    }),
    refused: none,
    arrives: ({ workspace }) => ({
      [`${workspace}/fits`]: BIG.slice(1),
      [`${workspace}/run.sh`]: { mode: '100755', text: '#!/bin/sh\n' },
    }),
  },
  {
    name: 'a record as a program',
    lane: (own) => ({ [own.meta]: { mode: '100755', text: record(own, { summary: 'S' }) } }),
    refused: none,
    arrives: (own) => ({ [own.meta]: record(own, { summary: 'S' }) }),
  },
  {
    name: 'hundreds of files where it may not write',
    lane: Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`shared/projects/p/x${index + 100}.md`, 'x\n']),
    ),
    refused: ({ me }) => ({
      ...Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`shared/projects/p/x${index + 100}.md`, 'not-owner']),
      ),
      [`lanes/${me}`]: 'not-owner',
    }),
  },
  {
    name: 'hundreds of files of its own around one that is not',
    lane: (own) => ({ ...many(own), 'shared/tasks/t-bo/x': 'x\n' }),
    refused: () => ({ 'shared/tasks/t-bo/x': 'not-owner' }),
    arrives: many,
  },
];

function many({ workspace }: Mine): Files {
  return Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${workspace}/many/${index}`, `${index}\n`]));
}
