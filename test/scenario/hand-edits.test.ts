import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { startUp } from '../support/node.ts';
import { ROOT } from '../docs/documents.ts';
import { eventually } from '../support/waiting.ts';
import { HAND_EDITS, Project, filesOf } from './hand-edit-table.ts';
import type { HandEdit } from './hand-edit-table.ts';

interface Place {
  readonly folder: string;
  readonly remote: string;
  readonly lead: string;
}

function put(clone: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    writeFileSync(join(clone, path), text);
  }
}

function publish(clone: string, message: string): void {
  git(clone, 'add', '-A');
  git(clone, 'commit', '-q', '-m', message);
  git(clone, 'push', '-q', 'origin', 'HEAD:main');
}

/** A team whose main holds these files, and the clone of its Leader. */
async function teamWith(files: Readonly<Record<string, string>>): Promise<Place> {
  const folder = testFolder('edits');
  const remote = join(folder, 'team.git');
  expect((await cli(folder, 'init', 'lead', '--role', 'leader', '--as', 'lead', '--remote', remote)).code).toBe(0);
  const lead = join(folder, 'lead');
  put(lead, files);
  publish(lead, 'what there is');
  git(folder, 'clone', '-q', remote, 'pat');
  return { folder, remote, lead };
}

async function settle(clone: string): Promise<void> {
  expect(await cli(clone, 'sync', 'now')).toMatchObject({ code: 0, stderr: '' });
}

/** Everything that was said in the rooms of a clone, as it is shown. */
function saidIn(clone: string): readonly string[] {
  const rooms = join(clone, '.baton/rooms');
  return readdirSync(rooms)
    .flatMap((name) => readFileSync(join(rooms, name), 'utf8').trim().split('\n'))
    .map((line) => (JSON.parse(line) as { text: string }).text.replaceAll(/\\(.)/g, '$1'));
}

/** What the doctor finds in the files of a project and its tasks: `path [rule]`, sorted. */
function foundIn(doctor: string, id: string): readonly string[] {
  const lines = doctor.split('\n').filter((line) => /^\w+ +files/.test(line) && line.includes(`/${id}`));
  return lines.flatMap((line) => /shared\/\S+ \[[\w-]+\]/.exec(line)?.[0] ?? line).sort();
}

/** Markers of the nodes `a` to `d`. */
function markersOf(project: Project): string {
  const plan = project.has(project.path('plan.md')) ? project.text(project.path('plan.md')) : '';
  return ['a', 'b', 'c', 'd']
    .map((letter) => new RegExp(String.raw`^- \[(.)\] ${project.id}-${letter} `, 'mu').exec(plan)?.[1] ?? '.')
    .join('');
}

/** The answers to edits among everything that was said. */
const told = (texts: readonly string[]): readonly string[] => texts.filter((text) => text.startsWith('shared/')).sort();

const WAYS = ['pushed', 'saved'] as const;
const idOf = (index: number, way: string): string => `e${String(index).padStart(2, '0')}-${way}`;

/** What a row says about one project, beside what is there. */
function outcome(project: Project, row: HandEdit, { doctor, said }: { doctor: string; said: readonly string[] }) {
  const letter = Object.keys(row.records)[0] ?? 'a';
  const path = project.task(letter, 'meta.json');
  const found = foundIn(doctor, project.id);
  return {
    row: row.name,
    markers: markersOf(project),
    record: project.has(path) ? (JSON.parse(project.text(path)) as { status: string }).status : undefined,
    found,
    told: found.map((finding) => {
      const [place = ''] = finding.split(' ');
      return said.filter((text) => text.startsWith(`${place} `)).length;
    }),
  };
}

function expected(project: Project, row: HandEdit): ReturnType<typeof outcome> {
  const letter = Object.keys(row.records)[0] ?? 'a';
  const removed = !project.has(project.task(letter, 'meta.json'));
  const found = (row.findings ?? []).map((finding) => {
    const [place = '', rule = ''] = finding.split(' ');
    return `${place.startsWith('plan.md') ? project.path(place) : project.task(letter, place)} [${rule}]`;
  });
  return {
    row: row.name,
    markers: row.after,
    record: removed ? undefined : (row.record ?? row.records[letter]),
    found: found.sort(),
    told: found.map(() => 1),
  };
}

test(`${HAND_EDITS.length} edits by hand are understood or answered, pushed by a person or saved beside the node`, async () => {
  const seed = HAND_EDITS.map((row, index) => WAYS.map((way) => filesOf(idOf(index, way), row)));
  const { folder, lead } = await teamWith(Object.assign({}, ...seed.flat()) as Record<string, string>);
  expect((await cli(folder, 'init', 'ana', '--as', 'ana', '--remote', join(folder, 'team.git'))).code).toBe(0);
  const node = await startUp(lead);
  const pat = join(folder, 'pat');
  for (const [index, row] of HAND_EDITS.entries()) {
    row.edit(new Project(pat, idOf(index, 'pushed')));
    row.edit(new Project(lead, idOf(index, 'saved')));
  }
  await settle(lead);
  git(pat, 'add', '-A');
  git(pat, 'commit', '-q', '-m', 'by hand');
  git(pat, 'pull', '-q', '--no-rebase', '--no-edit');
  git(pat, 'push', '-q', 'origin', 'HEAD:main');
  await settle(lead);
  await settle(lead);

  const doctor = (await cli(lead, 'doctor')).stdout;
  const projects = HAND_EDITS.flatMap((row, index) =>
    WAYS.map((way) => ({ row, project: new Project(lead, idOf(index, way)) })),
  );
  // An edit may come in two saves, so what contradicts itself is told after a moment.
  const owed = projects.flatMap(({ row, project }) => expected(project, row).told.filter((times) => times > 0)).length;
  await eventually(() => told(saidIn(lead)).length >= owed || undefined, 'every edit that is answered is told of');
  const said = saidIn(lead);
  expect(projects.map(({ row, project }) => outcome(project, row, { doctor, said }))).toEqual(
    projects.map(({ row, project }) => expected(project, row)),
  );
  for (const { row, project } of projects) {
    if (row.ready === undefined) continue;
    const answer = await cliJson(lead, 'project', 'ready', project.id);
    const ready = (answer['readyNodes'] as readonly { task_id: string }[] | undefined)?.map(({ task_id: id }) => id);
    expect([row.name, ready?.map((id) => id.slice(-1)).join('') ?? 'refused']).toEqual([row.name, row.ready]);
  }
  // Every line of the doctor about a file that is not well says what mends it.
  const lines = doctor.split('\n');
  const unmended = lines.filter(
    (line, index) => /^(?:warn|wrong)/.test(line) && !/^ {7}\S/.test(lines[index + 1] ?? ''),
  );
  expect(unmended).toEqual([]);
  expect(git(lead, 'status', '--porcelain', 'shared')).toBe('');

  // Nothing is told again, neither by the node that runs on nor by the next one.
  expect(await node.stop()).toBe(0);
  await startUp(lead);
  await settle(lead);
  expect(told(saidIn(lead))).toEqual(told(said));
  await settle(join(folder, 'ana'));
  const [ours, theirs] = ['lead', 'ana'].map((name) => git(join(folder, name), 'rev-parse', 'HEAD:shared/projects'));
  expect(ours).toBe(theirs);
});

test('the documentation lists these edits, and what happens', () => {
  const page = readFileSync(join(ROOT, 'docs/editing-by-hand.md'), 'utf8');
  const rows = HAND_EDITS.map(({ name, happens }) => `| ${name} | ${happens} |`);
  expect(page.split('\n').filter((line) => rows.includes(line))).toEqual(rows);
});

/** How a forge, or a person without Baton's driver, may have merged `ours` and `theirs`. */
type AsText = 'union' | 'ours' | 'markers';

interface ForgeMerge {
  readonly name: string;
  readonly path: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly as: AsText;
}

const PROJECT = 'shared/projects/f/';
const RECORD = (id: string, more: object = {}): string =>
  `${JSON.stringify({ task_id: id, project_id: 'f', task_title: 'T', status: 'in_progress', assigned_to: 'ana', ...more }, undefined, 2)}\n`;
const nodes = (...lines: readonly string[]): string =>
  `# Team Project: f\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n${lines.join('\n')}\n`;
const event = (id: string): string =>
  `${JSON.stringify({ id, ts: '2099-12-01T00:00:00Z', type: 'note', actor: { id: 'lead', role: 'leader' } })}\n`;
const node = (marker: string, id: string): string => `- [${marker}] ${id} — T (assigned: ana)`;

const FORGE: readonly ForgeMerge[] = [
  {
    name: 'a log with the same event twice is as good as one',
    path: 'shared/events/2099-12/lead.jsonl',
    base: event('1'),
    ours: event('1') + event('2') + event('3'),
    theirs: event('1') + event('3') + event('2'),
    as: 'union',
  },
  {
    name: 'a log with the markers of a conflict is told of',
    path: 'shared/events/2099-12/other.jsonl',
    base: event('1'),
    ours: event('1') + event('2'),
    theirs: event('1') + event('3'),
    as: 'markers',
  },
  {
    name: 'a plan in which a node stands with both markers is told of',
    path: `${PROJECT}plan.md`,
    base: nodes(node('~', 'f-a'), node('~', 'f-b')),
    ours: nodes(node('x', 'f-a'), node('~', 'f-b')),
    theirs: nodes(node('!', 'f-a'), node('~', 'f-b')),
    as: 'union',
  },
  {
    name: 'a plan that lost a marker has the last word on acceptance',
    path: 'shared/projects/g/plan.md',
    base: nodes(node('~', 'g-a'), node('~', 'g-b')),
    ours: nodes(node('~', 'g-a'), node('!', 'g-b')),
    theirs: nodes(node('x', 'g-a'), node('~', 'g-b')),
    as: 'ours',
  },
  {
    name: 'a plan with the markers of a conflict is told of',
    path: 'shared/projects/h/plan.md',
    base: nodes(node('~', 'h-a'), node('~', 'h-b')),
    ours: nodes(node('x', 'h-a'), node('~', 'h-b')),
    theirs: nodes(node('!', 'h-a'), node('~', 'h-b')),
    as: 'markers',
  },
  {
    name: 'a record in which a field stands twice is told of, and nobody guesses which one counts',
    path: 'shared/tasks/f-a/meta.json',
    base: RECORD('f-a'),
    ours: RECORD('f-a', { status: 'submitted' }),
    theirs: RECORD('f-a', { status: 'assigned' }),
    as: 'union',
  },
];

test('a merge of a forge is taken up as text, and what is wrong with it is answered', async () => {
  const project = (id: string): string =>
    JSON.stringify({ project_id: id, title: id, status: 'active', source: 'team-admin' });
  const others = {
    ...Object.fromEntries(['f', 'g', 'h'].map((id) => [`shared/projects/${id}/meta.json`, `${project(id)}\n`])),
    'shared/tasks/g-a/meta.json': RECORD('g-a', { project_id: 'g', status: 'submitted', submission_id: 's' }),
    'shared/tasks/g-b/meta.json': RECORD('g-b', { project_id: 'g' }),
    // Either marker would decide on it.
    'shared/tasks/h-a/meta.json': RECORD('h-a', { project_id: 'h', status: 'submitted', submission_id: 's' }),
    'shared/tasks/h-b/meta.json': RECORD('h-b', { project_id: 'h' }),
    'shared/tasks/f-b/meta.json': RECORD('f-b'),
  };
  const filesAt = (side: 'base' | 'ours' | 'theirs'): Record<string, string> =>
    Object.fromEntries(FORGE.map((merge) => [merge.path, merge[side]]));
  const { folder, lead } = await teamWith({ ...others, ...filesAt('base') });
  const pat = join(folder, 'pat');
  const base = git(pat, 'rev-parse', 'HEAD');
  await startUp(lead);

  // As a forge does it: no driver, no Baton.
  put(pat, filesAt('ours'));
  git(pat, 'commit', '-qam', 'ours');
  const ours = git(pat, 'rev-parse', 'HEAD');
  git(pat, 'switch', '-q', '-c', 'topic', base);
  put(pat, filesAt('theirs'));
  git(pat, 'commit', '-qam', 'theirs');
  git(pat, 'switch', '-q', '--detach', ours);
  expect(() => git(pat, 'merge', 'topic')).toThrow('Command failed');
  for (const { path, as, ...sides } of FORGE) {
    put(folder, { ours: sides.ours, base: sides.base, theirs: sides.theirs });
    const flags = as === 'markers' ? [] : [`--${as}`];
    try {
      git(folder, 'merge-file', ...flags, 'ours', 'base', 'theirs');
    } catch {
      // It ends with the number of conflicts.
      expect(as).toBe('markers');
    }
    put(pat, { [path]: readFileSync(join(folder, 'ours'), 'utf8') });
  }
  publish(pat, 'merge of a forge');
  await settle(lead);
  await settle(lead);

  const { code, stdout } = await cli(lead, 'doctor');
  expect(code).toBe(1);
  expect(['f', 'g', 'h'].flatMap((id) => foundIn(stdout, id))).toEqual([
    `${PROJECT}plan.md:8:1 [plan-duplicate-id]`,
    'shared/tasks/f-a/meta.json:6:3 [json-repeated-key]',
    'shared/projects/h/plan.md:10:1 [plan-duplicate-id]',
    'shared/projects/h/plan.md:7:1 [plan-conflict-marker]',
  ]);
  expect(stdout).toContain('shared/events/2099-12/other.jsonl:2:1 [event-invalid]');
  expect(stdout).not.toContain('2099-12/lead.jsonl');
  expect(new Project(lead, 'h').record('a')).toMatchObject({ status: 'submitted' });
  const g = new Project(lead, 'g');
  expect(
    [markersOf(g), g.record('a'), g.record('b')].map((fact) => (typeof fact === 'string' ? fact : fact['status'])),
  ).toEqual(['~!..', 'submitted', 'blocked']);
  const said = saidIn(lead);
  const times = (place: string): number => said.filter((text) => text.startsWith(place)).length;
  expect(['f/plan.md:8:1 ', 'h/plan.md:7:1 '].map((place) => times(`shared/projects/${place}`))).toEqual([1, 1]);
  expect(times('shared/tasks/f-a/meta.json:6:3 ')).toBe(1);
});
