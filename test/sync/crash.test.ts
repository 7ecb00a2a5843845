import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createGit } from '../../src/adapters/git/git.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import type { Log, Sync } from '../../src/ports.ts';
import { createSync } from '../../src/sync/syncer.ts';
import { createSameFiles } from '../../src/workspace/same-files.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { testFolder } from '../support/folders.ts';
import { git, refsIn } from '../support/git.ts';
import { PLAN, byHand, edit, makeTeam, openNode, put, see, taskMeta, write } from './workshop.ts';
import type { Node, Place, Team } from './workshop.ts';

/** Calls that leave a trace; a death elsewhere is a death before the next of them. */
const STEPS: ReadonlySet<string> = new Set([
  'updateRefs',
  'stage',
  'commit',
  'fetch',
  'push',
  'writeBytes',
  'removeFile',
]);

class Killed extends Error {}

/** Counts the steps of `target`, and dies before or after one of them: from then on nothing works any more. */
function mortal<Target extends object>(target: Target, life: { left: number; after: boolean; dead: boolean }): Target {
  const die = (): never => {
    life.dead = true;
    throw new Killed('killed');
  };
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== 'function' || typeof key !== 'string') return value;
      return (...parameters: unknown[]): unknown => {
        if (life.dead) die();
        const counts = STEPS.has(key);
        if (counts) life.left -= 1;
        if (counts && life.left === 0 && !life.after) die();
        const answer: unknown = Reflect.apply(value, object, parameters);
        if (!counts || life.left !== 0) return answer;
        return answer instanceof Promise ? answer.then(die) : die();
      };
    },
  });
}

async function openMortal({ dir, role, localpart, remote }: Place, left: number, after: boolean) {
  const life = { left: Number.POSITIVE_INFINITY, after, dead: false };
  const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const workTree = mortal(createWorkTree(dir), life);
  const sync = await createSync({
    git: mortal(await createGit({ dir }), life),
    workTree,
    same: createSameFiles(),
    clock: systemClock,
    log: silent,
    role,
    localpart,
    writer: localpart,
    branch: 'main',
    lanePrefix: 'lanes/',
    remote,
    author: { name: localpart, email: `${localpart}@local` },
  });
  life.left = left;
  return { dir, actor: { localpart, role }, sync, life };
}

const MAIN = 'refs/heads/main';
const META = 'shared/tasks/t-ana/meta.json';
const ARCHIVED = 'shared/archive/2026-09/tasks/';
const PLANNED = 'shared/projects/p/plan.md';

type Who = Pick<Node, 'actor' | 'dir' | 'sync'>;
type Decide = Parameters<Sync['transact']>[0]['decide'];

function step({ sync, actor }: Who, whenOffline: 'refuse' | 'persist', decide: Decide): Promise<unknown> {
  const label = 'taskflow(test): t-ana';
  return sync.transact({ actor, label, subject: { project: 'p', task: 't-ana' }, whenOffline, decide });
}

/** The Leader changes, adds and removes; the Worker's clone does not know yet. */
const newsOfMain = ({ lead }: Team): Promise<unknown> =>
  step(lead, 'refuse', () => ({
    changes: [
      write('shared/projects/p/result.md', 'report\n'),
      write('shared/tasks/t-ana/spec.md', '# First, changed\n'),
      { kind: 'remove', path: 'shared/tasks/t-ana/base/input.txt' },
    ],
    output: undefined,
  }));

/** The Worker's lane holds what main does not, and something that is refused. */
async function newsOfLane({ ana }: Team): Promise<void> {
  put(ana.dir, PLANNED, 'rogue\n');
  byHand(ana.dir, 'rogue');
  await step(ana, 'refuse', () => ({
    changes: [write('shared/tasks/t-ana/progress/1.md', 'news\n')],
    output: undefined,
  }));
}

interface Act {
  readonly title: string;
  readonly who: 'lead' | 'ana';
  readonly before: (team: Team) => Promise<unknown>;
  /** Done by the mortal, and again by its heir: what is done already changes nothing. */
  readonly act: (node: Who) => Promise<unknown>;
  /** What must stand in both clones in the end. */
  readonly done: Readonly<Record<string, string | undefined>>;
}

const ACTS: readonly Act[] = [
  {
    title: 'a step of the Leader that integrates a lane with a refused part on its way',
    who: 'lead',
    before: newsOfLane,
    act: (node) =>
      step(node, 'refuse', (view) => ({
        changes: [
          write(PLANNED, (view.text(PLANNED) ?? '').replace('[ ] t-last', '[~] t-last')),
          write('shared/tasks/t-last/spec.md', '# Last\n'),
          edit(view, META, { event_id: '$e' }),
        ],
        output: undefined,
      })),
    done: {
      [PLANNED]: PLAN.replace('[ ] t-last', '[~] t-last'),
      'shared/tasks/t-last/spec.md': '# Last\n',
      'shared/tasks/t-ana/progress/1.md': 'news\n',
      [META]: taskMeta('t-ana', 'ana', { event_id: '$e' }),
    },
  },
  {
    title: 'a submission that takes up main on its way',
    who: 'ana',
    before: newsOfMain,
    act: (node) => {
      put(node.dir, 'shared/tasks/t-ana/workspace/a.txt', 'work\n');
      return step(node, 'persist', (view) => ({
        changes: [
          { kind: 'adopt', path: 'shared/tasks/t-ana/' },
          write('shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n'),
          edit(view, META, { status: 'submitted' }),
        ],
        output: undefined,
      }));
    },
    done: {
      'shared/tasks/t-ana/result.md': 'STATUS: SUCCESS\n',
      'shared/tasks/t-ana/workspace/a.txt': 'work\n',
      'shared/tasks/t-ana/spec.md': '# First, changed\n',
      'shared/tasks/t-ana/base/input.txt': undefined,
      [META]: taskMeta('t-ana', 'ana', { status: 'submitted' }),
    },
  },
  {
    title: 'a pull that brings, changes and removes',
    who: 'ana',
    before: newsOfMain,
    act: ({ sync }) => sync.pull(),
    done: {
      'shared/projects/p/result.md': 'report\n',
      'shared/tasks/t-ana/spec.md': '# First, changed\n',
      'shared/tasks/t-ana/base/input.txt': undefined,
    },
  },
  {
    title: 'a step that archives a task',
    who: 'lead',
    before: () => Promise.resolve(),
    act: (node) =>
      step(node, 'refuse', (view) => ({
        changes: view.exists('shared/tasks/t-ana/')
          ? [{ kind: 'move', from: 'shared/tasks/t-ana/', path: `${ARCHIVED}t-ana/` }]
          : [],
        output: undefined,
      })),
    done: {
      [META]: undefined,
      'shared/tasks/t-ana/base/input.txt': undefined,
      [`${ARCHIVED}t-ana/meta.json`]: taskMeta('t-ana', 'ana'),
      [`${ARCHIVED}t-ana/base/input.txt`]: 'input\n',
    },
  },
];

/** A copy of a team's folder, so that every death begins from the same bytes. */
function copyOf(template: Team): string {
  const folder = testFolder('crash');
  cpSync(template.folder, folder, { recursive: true });
  return folder;
}

describe.each(ACTS)('a node that is killed in $title', ({ who, before, act, done }) => {
  test.each([[false], [true]])(
    'loses, tears and repeats nothing, at no step (after it: %s)',
    async (after) => {
      const template = await makeTeam();
      await before(template);
      await Promise.all([template.lead, template.ana].map(({ sync }) => sync.idle()));
      let steps = 0;
      for (let died = true; died; steps += 1) {
        const folder = copyOf(template);
        const at = `killed at step ${steps + 1}`;
        const remote = join(folder, 'team.git');
        const lead: Place = { dir: join(folder, 'lead'), role: 'leader', localpart: 'lead', remote };
        const ana: Place = { dir: join(folder, 'ana'), role: 'worker', localpart: 'ana', remote };
        const [place, other] = who === 'lead' ? [lead, ana] : [ana, lead];
        const { life, ...mortalNode } = await openMortal(place, steps + 1, after);
        await act(mortalNode).catch((error: unknown) => {
          if (!life.dead) throw error;
        });
        await mortalNode.sync.idle();
        died = life.dead;

        const heir = await openNode(place);
        // The index never says that something is to be committed which nobody wanted.
        expect([at, git(place.dir, 'diff', '--cached', '--name-status')]).toEqual([at, '']);
        await heir.sync.adopt(await heir.sync.dirty());
        await act(heir);
        await heir.sync.push();
        const second = await openNode(other);
        await second.sync.pull();
        await second.sync.push();
        await heir.sync.pull();
        await heir.sync.push();

        for (const { dir } of [place, other]) {
          const found = Object.fromEntries(Object.keys(done).map((path) => [path, see(dir, path)]));
          expect([at, found]).toEqual([at, done]);
          expect([at, git(dir, 'status', '--porcelain')]).toEqual([at, '']);
          expect([at, [...refsIn(join(dir, '.git'), 'refs/baton/')]]).toEqual([at, []]);
        }
        const [published, own] = [remote, join(lead.dir, '.git')].map((it) => refsIn(it, 'refs/heads/').get(MAIN));
        expect(published).toMatch(/^[0-9a-f]{40}$/);
        expect([at, own]).toEqual([at, published]);
        expect(readFileSync(join(lead.dir, '.git/HEAD'), 'utf8')).toBe(`ref: ${MAIN}\n`);
        expect([at, [...heir.told, ...second.told].filter((line) => !line.includes('brought up'))]).toEqual([at, []]);
        rmSync(folder, { recursive: true, force: true });
      }
      expect(steps).toBeGreaterThan(4);
    },
    200_000,
  );
});
