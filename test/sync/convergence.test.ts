import * as fc from 'fast-check';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FlowError } from '../../src/protocol/errors.ts';
import { isLegalPath } from '../../src/rules/lifecycle.ts';
import type { TaskStatus } from '../../src/protocol/records/types.ts';
import { git } from '../support/git.ts';
import { byHand, change, edit, makeTeam, put, see, unplug, write } from './workshop.ts';
import type { Node, Team } from './workshop.ts';

const PLAN_PATH = 'shared/projects/p/plan.md';
const WORKERS = ['ana', 'bo'] as const;
type Worker = (typeof WORKERS)[number];
const metaOf = (who: Worker): string => `shared/tasks/t-${who}/meta.json`;

/** What was answered ok, and therefore must be in the end. */
interface Acknowledged {
  readonly notes: Map<string, string>;
  readonly markers: Set<string>;
  readonly statuses: Map<Worker, TaskStatus>;
}

type Step = (team: Team, done: Acknowledged) => Promise<void>;

/** A refusal is an answer; anything else is a defect. */
async function answered(step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (error instanceof FlowError && error.code !== 'internal' && error.code !== 'git-failed') return false;
    throw error;
  }
}

const worker = fc.constantFrom(...WORKERS);
const day = fc.integer({ min: 1, max: 3 });

const note = fc.tuple(worker, day, fc.boolean()).map(([who, index, offline]): [string, Step] => [
  `${who} writes note ${index}${offline ? ' with the remote away' : ''}`,
  async (team, { notes }) => {
    const path = `shared/tasks/t-${who}/progress/${index}.md`;
    const text = `${see(team[who].dir, path) ?? ''}a line of ${who}\n`;
    const back = offline ? unplug(team.remote) : undefined;
    const ok = await answered(() => change(team[who], [write(path, text)], { whenOffline: 'persist' }));
    back?.();
    if (ok) notes.set(path, text);
  },
]);

const status = fc
  .tuple(worker, fc.constantFrom<TaskStatus>('in_progress', 'submitted'))
  .map(([who, next]): [string, Step] => [
    `${who} goes to ${next}`,
    async (team, { statuses }) => {
      const ok = await answered(() =>
        change(team[who], (view) => {
          const from = view.task(`t-${who}`)?.meta?.status ?? 'pending';
          if (!isLegalPath(from, next, 'worker')) throw new FlowError('illegal-transition', `${from} to ${next}`);
          return [edit(view, metaOf(who), { status: next, summary: `by ${who}` })];
        }),
      );
      if (ok) statuses.set(who, next);
    },
  ]);

const decide = worker.map((who): [string, Step] => [
  `the leader accepts ${who}`,
  async ({ lead }, { markers, statuses }) => {
    const ok = await answered(() =>
      change(lead, (view) => {
        if (view.task(`t-${who}`)?.meta?.status !== 'submitted')
          throw new FlowError('illegal-transition', 'not submitted');
        return [
          edit(view, metaOf(who), { status: 'completed' }),
          write(PLAN_PATH, (view.text(PLAN_PATH) ?? '').replace(`[~] t-${who}`, `[x] t-${who}`)),
        ];
      }),
    );
    if (!ok) return;
    markers.add(`[x] t-${who}`);
    statuses.set(who, 'completed');
  },
]);

const person = fc.constantFrom('First', 'Second', 'Third').map((title): [string, Step] => [
  `a person renames ${title} on main`,
  async ({ folder, remote }) => {
    const dir = join(folder, 'person');
    if (!existsSync(dir)) git(folder, 'clone', '-q', remote, 'person');
    git(dir, 'pull', '-q', '--ff-only', 'origin', 'main');
    put(dir, PLAN_PATH, (see(dir, PLAN_PATH) ?? '').replace(title, `${title}!`));
    byHand(dir, `rename ${title}`);
    git(dir, 'push', '-q', 'origin', 'main');
  },
]);

const rogue = fc.tuple(worker, worker).map(([who, victim]): [string, Step] => [
  `${who} edits the plan and the task of ${victim} on the lane`,
  async (team) => {
    const { dir } = team[who];
    put(dir, PLAN_PATH, `${see(dir, PLAN_PATH) ?? ''}\nrogue ${who}\n`);
    put(dir, `shared/tasks/t-${victim}/spec.md`, `rogue ${who}\n`);
    byHand(dir, 'rogue');
  },
]);

const pull = fc.constantFrom('lead', ...WORKERS).map((who): [string, Step] => [
  `${who} pulls`,
  async (team) => {
    await answered(() => team[who].sync.pull());
  },
]);

const dirty = worker.map((who): [string, Step] => [
  `the leader leaves a remark at t-${who} in the plan and does not commit it`,
  async ({ lead }) => {
    const text = see(lead.dir, PLAN_PATH) ?? '';
    put(
      lead.dir,
      PLAN_PATH,
      text.replace(/^# .*/, (heading) => `${heading} ${who}`),
    );
    await lead.sync.adopt([PLAN_PATH]);
  },
]);

const together = fc.constant<[string, Step]>([
  'everybody writes at once',
  async (team, { notes }) => {
    await Promise.all([
      ...WORKERS.map(async (who) => {
        const path = `shared/tasks/t-${who}/progress/all.md`;
        const text = `${see(team[who].dir, path) ?? ''}at once\n`;
        if (await answered(() => change(team[who], [write(path, text)]))) notes.set(path, text);
      }),
      answered(() => change(team.lead, (view) => [edit(view, 'shared/projects/p/meta.json', { source: 'test' })])),
      answered(() => team.lead.sync.pull()),
    ]);
  },
]);

test('random edits in several clones end on one tree, and nothing that was acknowledged is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(note, status, decide, person, rogue, pull, dirty, together), { minLength: 4, maxLength: 12 }),
      async (steps) => {
        const team = await makeTeam();
        const done: Acknowledged = { notes: new Map(), markers: new Set(), statuses: new Map() };
        for (const [, step] of steps) await step(team, done);
        await settleDown(team);
        const nodes: readonly Node[] = [team.lead, team.ana, team.bo];
        const main = git(team.remote, 'rev-parse', 'main^{tree}');
        expect(
          nodes.map(({ dir }) => [git(dir, 'rev-parse', 'HEAD^{tree}'), git(dir, 'status', '--porcelain')]),
        ).toEqual(nodes.map(() => [main, '']));
        const plan = see(team.lead.dir, PLAN_PATH) ?? '';
        expect(plan).not.toMatch(/rogue|<<<<|>>>>/);
        for (const marker of done.markers) expect(plan).toContain(marker);
        for (const [path, text] of done.notes) expect([path, see(team.lead.dir, path)]).toEqual([path, text]);
        for (const [who, expected] of done.statuses) {
          expect(JSON.parse(see(team.lead.dir, metaOf(who)) ?? '')).toMatchObject({ status: expected });
        }
        expect(git(team.lead.dir, 'ls-tree', '-r', '--name-only', 'main')).not.toContain('.conflict-');
        for (const who of WORKERS) expect(see(team.lead.dir, `shared/tasks/t-${who}/spec.md`)).not.toContain('rogue');
      },
    ),
    { numRuns: 8, endOnFailure: true },
  );
});

/** What every node does sooner or later by itself: push, integrate, pull. */
async function settleDown({ lead, ana, bo }: Team): Promise<void> {
  for (const node of [ana, bo, lead, ana, bo]) {
    await node.sync.pull();
    await node.sync.push();
  }
  await Promise.all([ana.sync.pull(), bo.sync.pull()]);
}
