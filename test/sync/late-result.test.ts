import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LaneRefusal } from '../../src/ports.ts';
import { lateSubmission } from '../../src/rules/late-result.ts';
import type { TaskMeta } from '../../src/protocol/records/types.ts';
import { testFolder } from '../support/folders.ts';
import { git } from '../support/git.ts';
import { openParts, plan } from '../support/parts.ts';
import type { Parts } from '../support/parts.ts';
import { byHand, change, edit, makeTeam, openNode, published, put, see, taskMeta, unplug, write } from './workshop.ts';
import type { Team } from './workshop.ts';

const DIR = 'shared/tasks/t-ana/';
const META = `${DIR}meta.json`;
const RESULT = 'STATUS: SUCCESS\nSUMMARY: By ana.\n';
const KEPT = `${DIR}late/ana-70563ee9/`;
const SUBMITTED = { status: 'submitted', submission_id: '70563ee912666e2039f2ec782745caba', summary: 'By ana.' };

/** The Leader gives Ana's task to Bo. */
const reassign = ({ lead }: Team, more: object = {}): Promise<unknown> =>
  change(lead, (view) => [edit(view, META, { assigned_to: 'bo', earlier_assignees: ['ana'], ...more })]);

/** Ana's result reaches her lane without a look at what main has become. */
function submitUnseen({ ana }: Team, more: Readonly<Record<string, string>> = {}): void {
  put(ana.dir, META, taskMeta('t-ana', 'ana', SUBMITTED));
  put(ana.dir, `${DIR}result.md`, RESULT);
  put(ana.dir, `${DIR}workspace/out.txt`, 'out\n');
  for (const [path, text] of Object.entries(more)) put(ana.dir, path, text);
  byHand(ana.dir, 'submit');
  git(ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
}

const told = (refusals: readonly LaneRefusal[]): readonly string[] =>
  refusals.map(({ path, reason }) => `${path} ${reason}`);

const recordOf = (text: string | undefined): unknown => JSON.parse(text ?? '{}');

async function expectOneTree({ lead, ana, bo, remote }: Team): Promise<void> {
  await lead.sync.push();
  for (const node of [ana, bo, lead, ana, bo]) await node.sync.pull();
  for (const node of [lead, ana, bo]) {
    expect(git(node.dir, 'rev-parse', 'HEAD^{tree}')).toBe(git(remote, 'rev-parse', 'main^{tree}'));
    expect(git(node.dir, 'status', '--porcelain')).toBe('');
  }
}

describe('a result that meets the news that the task is somebody else’s', () => {
  test('is kept in the folder of the task, with what belongs to it, and told', async () => {
    const team = await makeTeam();
    const { remote, lead } = team;
    await reassign(team);
    submitUnseen(team);
    const { refusals } = await lead.sync.pull();
    expect(refusals).toEqual([
      expect.objectContaining({
        localpart: 'ana',
        path: `${DIR}result.md`,
        reason: 'late-result',
        detail: `t-ana was given to bo before this result arrived; it is kept in ${KEPT}`,
      }),
    ]);
    await expectOneTree(team);
    expect(published(remote, 'main', `${KEPT}result.md`)).toBe(RESULT);
    expect(published(remote, 'main', `${KEPT}workspace/out.txt`)).toBe('out\n');
    expect(recordOf(published(remote, 'main', `${KEPT}meta.json`))).toMatchObject(SUBMITTED);
    // The task itself is as the Leader gave it.
    expect(recordOf(published(remote, 'main', META))).toMatchObject({ assigned_to: 'bo', status: 'assigned' });
    expect(published(remote, 'main', `${DIR}result.md`)).toBeUndefined();
    expect(published(remote, 'main', `${DIR}workspace/out.txt`)).toBeUndefined();
  });

  test.each([
    ['has only been given the task', {}],
    ['works on it', { status: 'in_progress' }],
    ['has handed in, too', { status: 'submitted', submission_id: 's-bo', summary: 'By bo.' }],
    ['has been accepted', { status: 'completed', submission_id: 's-bo' }],
  ])('is kept when it was made while the remote was away, and the other one %s', async (_, then) => {
    const team = await makeTeam();
    const { remote, lead, ana, bo } = team;
    await ana.sync.pull();
    const back = unplug(remote);
    await change(
      ana,
      (view) => [edit(view, META, SUBMITTED), write(`${DIR}result.md`, RESULT), { kind: 'adopt', path: DIR }],
      { whenOffline: 'persist' },
    );
    back();
    await reassign(team);
    await change(lead, (view) => [edit(view, META, then)]);
    if ('submission_id' in then) {
      await bo.sync.pull();
      await change(bo, [write(`${DIR}result.md`, 'STATUS: SUCCESS\nSUMMARY: By bo.\n')]);
      await lead.sync.pull();
      await lead.sync.push();
    }
    // Ana's node takes in main first, so her lane knows whose the task is when it arrives.
    await ana.sync.pull();
    await ana.sync.push();
    expect(told((await lead.sync.pull()).refusals)).toEqual([`${DIR}result.md late-result`]);
    await expectOneTree(team);
    expect(published(remote, 'main', `${KEPT}result.md`)).toBe(RESULT);
    expect(recordOf(published(remote, 'main', META))).toMatchObject({ assigned_to: 'bo', status: 'assigned', ...then });
    expect(published(remote, 'main', `${DIR}result.md`)).toBe(
      'submission_id' in then ? 'STATUS: SUCCESS\nSUMMARY: By bo.\n' : undefined,
    );
  });

  test('is kept whole, also when the lane brought files of it before and had them refused', async () => {
    const team = await makeTeam();
    const { lead, ana } = team;
    await reassign(team);
    put(ana.dir, `${DIR}result.md`, RESULT);
    put(ana.dir, `${DIR}workspace/data/early.txt`, 'early\n');
    byHand(ana.dir, 'written');
    git(ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
    expect(told((await lead.sync.pull()).refusals)).toEqual([
      `${DIR}result.md not-owner`,
      `${DIR}workspace/data/early.txt not-owner`,
    ]);
    submitUnseen(team);
    expect(told((await lead.sync.pull()).refusals)).toEqual([`${DIR}result.md late-result`]);
    expect(see(lead.dir, `${KEPT}result.md`)).toBe(RESULT);
    expect(see(lead.dir, `${KEPT}workspace/data/early.txt`)).toBe('early\n');
    await expectOneTree(team);
  });

  test('is kept once, however many Leaders take the lane in', async () => {
    const team = await makeTeam();
    const { folder, remote, lead } = team;
    await reassign(team);
    git(folder, 'clone', '-q', remote, 'second');
    const second = await openNode({ dir: join(folder, 'second'), role: 'leader', localpart: 'deputy', remote });
    submitUnseen(team);
    await Promise.all([lead.sync.pull(), second.sync.pull()]);
    await Promise.all([lead.sync.push(), second.sync.push()]);
    await second.sync.pull();
    await expectOneTree(team);
    expect(git(remote, 'ls-tree', '-r', '--name-only', 'main', `${DIR}late`).split('\n')).toEqual([
      `${KEPT}meta.json`,
      `${KEPT}result.md`,
      `${KEPT}workspace/out.txt`,
    ]);
  });

  test('leaves the clone of its author with what main holds, also when that had both results before the Leader saw one', async () => {
    const team = await makeTeam();
    const { lead, ana, bo, remote } = team;
    await reassign(team);
    submitUnseen(team);
    await bo.sync.pull();
    await change(bo, (view) => [
      edit(view, META, { status: 'submitted', submission_id: 's-bo', summary: 'By bo.' }),
      write(`${DIR}result.md`, 'STATUS: SUCCESS\nSUMMARY: By bo.\n'),
    ]);
    // Main comes with Bo's result, and the merge stays in Ana's clone, since nobody waits for it.
    git(lead.dir, 'fetch', '-q', 'origin');
    git(lead.dir, 'merge', '-q', '--no-edit', 'origin/lanes/bo');
    git(lead.dir, 'push', '-q', 'origin', 'main');
    await ana.sync.pull();
    expect(git(remote, 'rev-list', '--count', 'main..lanes/ana')).toBe('1');
    await lead.sync.pull();
    await expectOneTree(team);
    expect(published(remote, 'main', `${DIR}result.md`)).toBe('STATUS: SUCCESS\nSUMMARY: By bo.\n');
    expect(published(remote, 'main', `${KEPT}result.md`)).toBe(RESULT);
  });

  test('is accepted as ever when the task has come back to its Worker meanwhile', async () => {
    const team = await makeTeam();
    await reassign(team);
    await change(team.lead, (view) => [edit(view, META, { assigned_to: 'ana', earlier_assignees: ['ana', 'bo'] })]);
    submitUnseen(team);
    expect((await team.lead.sync.pull()).refusals).toEqual([]);
    expect(see(team.lead.dir, `${DIR}result.md`)).toBe(RESULT);
    expect(see(team.lead.dir, `${KEPT}result.md`)).toBeUndefined();
  });

  test('brings nothing else of the Leader’s or the other Worker’s, and nothing that no lane may bring', async () => {
    const team = await makeTeam();
    await reassign(team);
    submitUnseen(team, {
      [`${DIR}spec.md`]: '# Easier\n',
      [`${DIR}base/input.txt`]: 'other\n',
      [`${DIR}late/bo-1/result.md`]: 'forged\n',
      [`${DIR}workspace/.gitattributes`]: '* filter=x\n',
      [`${DIR}workspace/big.txt`]: 'x'.repeat(100_001),
      'shared/tasks/t-bo/late/ana-1/result.md': 'forged\n',
    });
    const { refusals } = await team.lead.sync.pull();
    expect([...told(refusals)].sort()).toEqual(
      [
        `${DIR}base/input.txt not-owner`,
        `${DIR}late/bo-1/result.md not-owner`,
        `${DIR}result.md late-result`,
        `${DIR}spec.md not-owner`,
        `${KEPT}workspace/.gitattributes reserved-name`,
        `${KEPT}workspace/big.txt oversize`,
        'shared/tasks/t-bo/late/ana-1/result.md not-owner',
      ].sort(),
    );
    expect(see(team.lead.dir, `${KEPT}result.md`)).toBe(RESULT);
  });

  test('is never changed once it is kept, by nobody’s lane', async () => {
    const team = await makeTeam();
    const { lead, ana, bo, remote } = team;
    await reassign(team);
    submitUnseen(team);
    await lead.sync.pull();
    await lead.sync.push();
    // Ana goes on as if she had heard nothing.
    put(ana.dir, `${DIR}result.md`, 'STATUS: SUCCESS\nSUMMARY: Another.\n');
    put(ana.dir, META, taskMeta('t-ana', 'ana', { ...SUBMITTED, summary: 'Another.' }));
    byHand(ana.dir, 'again');
    git(ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
    await bo.sync.pull();
    put(bo.dir, `${KEPT}result.md`, 'Mine.\n');
    byHand(bo.dir, 'rogue');
    git(bo.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/bo');
    expect([...told((await lead.sync.pull()).refusals)].sort()).toEqual(
      [`${KEPT}result.md not-owner`, `${META} not-owner`, `${DIR}result.md not-owner`].sort(),
    );
    await lead.sync.push();
    expect(published(remote, 'main', `${KEPT}result.md`)).toBe(RESULT);
  });

  test('is refused as ever of a task that was never its Worker’s', async () => {
    const team = await makeTeam();
    await reassign(team, { earlier_assignees: ['cy'] });
    submitUnseen(team);
    expect([...told((await team.lead.sync.pull()).refusals)].sort()).toEqual([
      `${META} not-owner`,
      `${DIR}result.md not-owner`,
      `${DIR}workspace/out.txt not-owner`,
    ]);
    expect(see(team.lead.dir, `${KEPT}result.md`)).toBeUndefined();
  });
});

describe('a result that was kept while its Worker was cut off', () => {
  /** Ana hands in without a way to the remote, something happens to the task, and then all of it crosses. */
  async function cross(meanwhile: (lead: Parts) => Promise<unknown>): Promise<{ lead: Parts; ana: Parts }> {
    const folder = testFolder('late-result');
    const remote = join(folder, 'team.git');
    const open = (as: string, role: 'leader' | 'worker') => openParts({ dir: join(folder, as), role, as, remote });
    const lead = await open('lead', 'leader');
    await plan(lead, 'p-01');
    await give(lead, 'ana');
    const ana = await open('ana', 'worker');
    await ana.sync.pull();
    const back = unplug(remote);
    const result = { taskId: 'p-01', status: 'SUCCESS', summary: 'By ana.' };
    await expect(ana.run('task.submit', result)).rejects.toMatchObject({ data: { statePersisted: true } });
    back();
    await meanwhile(lead);
    await ana.sync.pull();
    await ana.sync.push();
    await lead.sync.pull();
    await lead.sync.push();
    await ana.sync.pull();
    for (const node of [lead, ana]) await node.settle();
    return { lead, ana };
  }

  const give = (lead: Parts, assignedTo: string): Promise<unknown> =>
    lead.run('task.delegate', { projectId: 'p', taskId: 'p-01', roomId: '!r:local', spec: 'Do it.', assignedTo });

  test('is told to who delegated again and to whoever made it', async () => {
    const { lead, ana } = await cross((leader) => give(leader, 'bo'));
    for (const node of [lead, ana]) {
      expect(node.said('late-result')).toEqual([
        expect.stringMatching(
          /p-01 was given to bo before this result arrived; it is kept in shared\/tasks\/p-01\/late\/ana-/,
        ),
      ]);
    }
    const log = (await lead.run('node.log', { id: 'p-01' })) as { readonly entries: readonly { what: string }[] };
    expect(log.entries.map(({ what }) => what)).toContain('lane.refused');
  });

  test.each([
    ['cancelled', (lead: Parts) => lead.run('task.cancel', { taskId: 'p-01', reason: 'No longer needed.' })],
    ['handed over', (lead: Parts) => lead.run('task.hand_over', { taskId: 'p-01', assignedTo: 'bo' })],
  ])('is told once to each, and is one line of the log, when the task was %s', async (_, end) => {
    const { lead, ana } = await cross(end);
    for (const node of [lead, ana]) {
      expect(node.said("A part of ana's lane was not taken")).toEqual([
        expect.stringMatching(/p-01\/meta\.json: forbidden-field \(.*summary.* say what its Worker may not say now\)/),
      ]);
    }
    const log = (await lead.run('node.log', { id: 'p-01' })) as { readonly entries: readonly { what: string }[] };
    expect(log.entries.filter(({ what }) => what === 'lane.refused')).toHaveLength(1);
  });
});

describe('a late submission', () => {
  const HELD: TaskMeta = {
    task_id: 't',
    project_id: 'p',
    task_title: 'T',
    assigned_to: 'bo',
    status: 'assigned',
    earlier_assignees: ['ana'],
  };
  const HANDED_IN: TaskMeta = { ...HELD, status: 'submitted', submission_id: 's1' };

  test.each<[string, TaskMeta, TaskMeta, string | undefined]>([
    ['is one of whoever held the task before', HELD, HANDED_IN, 's1'],
    ['is none without a submission', HELD, HELD, undefined],
    ['is none when it is the one that main has', { ...HELD, submission_id: 's1' }, HANDED_IN, undefined],
    ['is none of whoever holds the task', { ...HELD, assigned_to: 'ANA' }, HANDED_IN, undefined],
    ['is none of whoever never held it', { ...HELD, earlier_assignees: ['cy'] }, HANDED_IN, undefined],
  ])('%s', (_, onMain, onLane, expected) => expect(lateSubmission(onMain, onLane, 'ana')).toBe(expected));

  test('is decided by what main says of the task alone, whatever the lane claims', () => {
    const name = fc.constantFrom('ana', 'bo', 'cy');
    const record = fc.record({ assigned_to: name, earlier_assignees: fc.array(name) });
    fc.assert(
      fc.property(record, record, name, (onMain, onLane, localpart) => {
        const late = lateSubmission({ ...HELD, ...onMain }, { ...HANDED_IN, ...onLane }, localpart);
        const held = onMain.earlier_assignees.includes(localpart) && onMain.assigned_to !== localpart;
        expect(late).toBe(held ? 's1' : undefined);
      }),
    );
  });
});
