import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { eventually } from '../../support/waiting.ts';
import { git } from '../../support/git.ts';
import { openParts } from '../../support/parts.ts';
import type { Parts } from '../../support/parts.ts';
import { createAttacker } from './attacker.ts';
import type { Entry, Files } from './attacker.ts';
import { HONEST, honestPath, json, mine, newerPath, taskRecord } from './lane.ts';
import type { Desk, Mine, RogueLane } from './lane.ts';

const TEAM: Files = {
  '.gitattributes': '* text=auto eol=lf\n',
  'README.md': '# The team\n',
  'shared/team.json': json({ schema: 1, name: 't', policies: { maxFileBytes: 100_000 } }),
  'shared/projects/p/meta.json': json({ project_id: 'p', title: 'P', status: 'active' }),
  'shared/projects/p/plan.md': '# P\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n- [~] t-bo — Second (assigned: bo)\n',
  'shared/tasks/t-bo/meta.json': json(taskRecord(mine('bo'))),
  'shared/tasks/t-bo/spec.md': '# Second\n',
  'shared/tasks/t-bo/notes.md': 'of bo\n',
  'shared/tasks/t-nobody/meta.json': json({ ...taskRecord(mine('nobody')), assigned_to: '', status: 'pending' }),
  'shared/tasks/t-nobody/spec.md': '# Nobody’s\n',
  'shared/agents/chief.json': json({ agent_id: 'chief', role: 'leader', status: 'IDLE' }),
  'shared/agents/bo.json': json({ agent_id: 'bo', role: 'worker', status: 'IDLE' }),
  'shared/events/2026-10/bo.jsonl': '{"id":"b1"}\n',
  'shared/archive/2026-09/tasks/t-old/meta.json': json({ ...taskRecord(mine('old')), status: 'completed' }),
  'shared/checkpoints/c1.json': json({ id: 'c1' }),
  'shared/roomflow/project-rooms/p-0123456789abcdef.json': json({ projectId: 'p', roomId: '!p:local' }),
};

/** What every Worker of a rogue lane finds on main. */
function filesOf(own: Mine, given: object = {}): Files {
  return {
    [own.meta]: json(taskRecord(own, given)),
    [own.spec]: `# What ${own.me} is to do\n`,
    [`${own.task}/base/input.txt`]: 'input\n',
    [`${own.workspace}/old.txt`]: 'old\n',
    [`${own.task}/notes.md`]: 'notes\n',
    [own.log]: '{"id":"1"}\n{"id":"2"}\n',
    [own.agent]: json({ agent_id: own.me, role: 'worker', status: 'IDLE' }),
  };
}

export interface File {
  readonly mode: string;
  readonly text: string;
}

/** What one lane came to. */
export interface Outcome {
  readonly own: Mine;
  readonly lane: RogueLane;
  readonly branch: string;
  readonly tip: string;
  /** Where its Worker's clone stands. */
  readonly begins: string;
  /** `path: reason` of every `lane.refused` of it, sorted. */
  refused: readonly string[];
  /** What the Leader's room log says of it, and what its Worker's does. */
  told: readonly string[];
}

/** All lanes, after one Leader's node has taken them in. */
export interface Stage {
  readonly remote: string;
  readonly lead: Parts;
  readonly folder: string;
  readonly base: string;
  readonly outcomes: readonly Outcome[];
  readonly mainBefore: ReadonlyMap<string, File>;
  readonly mainAfter: ReadonlyMap<string, File>;
  /** Commits that main holds. */
  readonly held: ReadonlySet<string>;
  /** Moves every lane on by one more honest file. */
  workOn(): void;
}

export const nameOf = (index: number): string => `r${String(index + 1).padStart(3, '0')}`;

export async function playLanes(folder: string, lanes: readonly RogueLane[]): Promise<Stage> {
  const remote = join(folder, 'team.git');
  const lead = await openParts({ dir: join(folder, 'lead'), role: 'leader', as: 'lead', remote, kept: true });
  const all = lanes.map((lane, index) => ({ lane, own: mine(nameOf(index)) }));
  commitByHand(lead.dir, Object.assign({}, TEAM, ...all.map(({ lane, own }) => filesOf(own, lane.given))) as Files);
  await lead.sync.push();
  const base = git(lead.dir, 'rev-parse', 'main');

  git(folder, 'clone', '-q', '--bare', remote, 'rogue.git');
  const attacker = createAttacker(join(folder, 'rogue.git'));
  const desk = (own: Mine, main: string, before: string): Desk => {
    const work: Desk['work'] = (files, from = base) => attacker.tree({ ...files, [honestPath(own)]: HONEST }, from);
    return {
      ...attacker,
      ...own,
      base,
      main,
      before,
      work,
      lane: (files, shape = {}) => attacker.commit(work(files, shape.from), { parents: [base], ...shape }),
    };
  };
  const branchOf = ({ lane, own }: (typeof all)[number]): string => `lanes/${lane.as?.(own) ?? own.me}`;

  const first = all.flatMap((one) => {
    const tip = one.lane.before?.(desk(one.own, base, base));
    return tip === undefined ? [] : [{ ...one, tip }];
  });
  attacker.push(...first.map((one) => `${one.tip}:refs/heads/${branchOf(one)}`));
  await lead.sync.pull();
  await lead.settle();
  const befores = new Map(first.map(({ own, tip }) => [own.me, tip]));
  commitByHand(lead.dir, Object.assign({}, ...all.map(({ lane, own }) => lane.meanwhile?.(own) ?? {})) as Files);
  await lead.sync.push();
  attacker.git('fetch', '-q', remote, '+refs/heads/main:refs/heads/main');
  const main = git(lead.dir, 'rev-parse', 'main');

  const simple = all.flatMap(({ lane, own }) => (isMade(lane.lane) ? [] : [{ own, files: changesOf(lane.lane, own) }]));
  const tips = attacker.commits(
    base,
    simple.map(({ own, files }) => ({ ...files, [honestPath(own)]: HONEST })),
  );
  const tipOf = new Map(simple.map(({ own }, index) => [own.me, tips[index] ?? '']));
  const outcomes: Outcome[] = all.map((one) => {
    const { lane, own } = one;
    const at = desk(own, main, befores.get(own.me) ?? base);
    const tip = isMade(lane.lane) ? lane.lane.make(at) : (tipOf.get(own.me) ?? '');
    return { own, lane, tip, begins: lane.begins?.(at) ?? base, branch: branchOf(one), refused: [], told: [] };
  });
  attacker.push(...outcomes.map(({ tip, branch }) => `${tip}:refs/heads/${branch}`));
  const mainBefore = readTree(remote, 'refs/heads/main');
  const { refusals } = await lead.sync.pull();
  await lead.sync.push();
  await settled(lead, outcomes, refusals.filter(({ reason }) => reason === 'broken-lane').length);

  return {
    remote,
    lead,
    folder,
    base,
    outcomes,
    mainBefore,
    mainAfter: readTree(remote, 'refs/heads/main'),
    held: new Set(plain(remote, 'rev-list', 'refs/heads/main').toString('utf8').split('\n')),
    workOn: () => workOn(remote, outcomes),
  };
}

type Way = RogueLane['lane'];

function isMade(lane: Way): lane is { readonly make: (desk: Desk) => string } {
  return typeof lane === 'object' && typeof lane['make' as never] === 'function';
}

const changesOf = (lane: Exclude<Way, { readonly make: unknown }>, own: Mine): Files =>
  typeof lane === 'function' ? lane(own) : lane;

/** Broken lanes are recorded by a step of their own, so their events come a moment later. */
async function settled(lead: Parts, outcomes: readonly Outcome[], broken: number): Promise<void> {
  await eventually(
    () => refusalsIn(lead.dir).filter((event) => dataOf(event)['reason'] === 'broken-lane').length >= broken,
    'every broken lane is recorded',
  );
  await lead.settle();
  await lead.sync.push();
  const events = refusalsIn(lead.dir);
  for (const outcome of outcomes) {
    const own = events
      .filter((event) => (event['subject'] as { id: string }).id === outcome.branch)
      .filter((event) => dataOf(event)['commit'] === outcome.tip);
    outcome.told = lead.said(`A part of ${String(dataOf(own[0] ?? {})['worker'])}'s lane`);
    outcome.refused = own.map((event) => `${String(dataOf(event)['path'])}: ${String(dataOf(event)['reason'])}`).sort();
  }
}

/** What the Leader's own log holds of refused lanes. */
function refusalsIn(dir: string): readonly Record<string, unknown>[] {
  const folder = join(dir, 'shared/events');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\/lead(?:@\d{4})?\.jsonl$/.test(name))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((event) => event['type'] === 'lane.refused');
}

const dataOf = (event: Record<string, unknown>): Record<string, unknown> =>
  (event['data'] ?? {}) as Record<string, unknown>;

/** As a person does: files, `git add`, `git commit`. */
function commitByHand(dir: string, files: Files): void {
  for (const [path, entry] of Object.entries(files)) {
    if (entry === null) rmSync(join(dir, path), { recursive: true });
    else {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), textOf(entry));
    }
  }
  git(dir, 'add', '-A');
  git(dir, 'commit', '-q', '--allow-empty', '-m', 'by hand');
}

export const textOf = (entry: Exclude<Entry, null>): string => (typeof entry === 'string' ? entry : (entry.text ?? ''));

/** Git on the remote, past the replacements that a rogue has pushed there. */
const plain = (repository: string, ...parameters: string[]): Buffer => plainWith('', repository, ...parameters);

function plainWith(input: string, cwd: string, ...parameters: string[]): Buffer {
  const env = { ...process.env, GIT_NO_REPLACE_OBJECTS: '1' };
  return execFileSync('git', parameters, { cwd, input, env, maxBuffer: 1 << 28 });
}

function readTree(repository: string, commit: string): ReadonlyMap<string, File> {
  const list = plain(repository, 'ls-tree', '-r', '-z', commit);
  const entries = list
    .toString('utf8')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => /^(\d{6}) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []);
  const input = entries.map(([, , id = '']) => `${id}\n`).join('');
  const bytes = plainWith(input, repository, 'cat-file', '--batch');
  const found = new Map<string, File>();
  let at = 0;
  for (const [, mode = '', , path = ''] of entries) {
    const end = bytes.indexOf(0x0a, at);
    const size = Number(bytes.toString('latin1', at, end).split(' ')[2]);
    found.set(path, { mode, text: bytes.toString('utf8', end + 1, end + 1 + size) });
    at = end + 1 + size + 1;
  }
  return found;
}

/** One process makes a commit on every lane, and one push moves them all. */
function workOn(remote: string, outcomes: readonly Outcome[]): void {
  const input = outcomes
    .filter(({ lane }) => lane.broken !== true)
    .map(
      ({ own, branch, tip }) =>
        `reset refs/heads/${branch}\ncommit refs/heads/${branch}\ncommitter a <a> 0 +0000\ndata 5\nnewer\nfrom ${tip}\n` +
        `M 100644 inline ${newerPath(own)}\ndata 6\nnewer\n\n\n`,
    )
    .join('');
  plainWith(input, remote, 'fast-import', '--quiet');
}
