import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FULL_LOG } from '../../src/protocol/event-logs.ts';
import { git } from '../support/git.ts';
import { PLAN, byHand, change, drop, edit, makeTeam, published, put, see, taskMeta, write } from './workshop.ts';
import type { Team } from './workshop.ts';

const META = 'shared/tasks/t-ana/meta.json';
const LEADERS = ['shared/projects/p/plan.md', 'shared/team.json', 'shared/tasks/t-ana/spec.md', '.gitattributes'];

/** Pushes to the lane of `ana` with plain git, whatever Baton thinks of it. */
function pushRogue({ ana }: Team, make: (dir: string) => void, message = 'rogue'): string {
  make(ana.dir);
  byHand(ana.dir, message);
  git(ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
  return git(ana.dir, 'rev-parse', 'HEAD');
}

const reasons = (refusals: readonly { path: string; reason: string }[]): Record<string, string> =>
  Object.fromEntries(refusals.map(({ path, reason }) => [path, reason]));

describe('a lane that does what its Worker may not', () => {
  test('reaches main without it; the rest arrives, and both sides are told', async () => {
    const team = await makeTeam();
    const { lead, ana, remote } = team;
    const commit = pushRogue(team, (dir) => {
      put(dir, 'shared/projects/p/plan.md', PLAN.replace('[~] t-ana', '[x] t-ana'));
      put(dir, 'shared/projects/p/extra.md', 'mine\n');
      put(dir, 'shared/tasks/t-bo/result.md', 'STATUS: BLOCKED\n');
      put(dir, 'shared/tasks/t-ana/spec.md', '# Easier\n');
      put(dir, 'shared/tasks/t-ana/base/input.txt', 'other\n');
      put(dir, 'shared/team.json', '{}\n');
      put(dir, 'shared/agents/bo.json', '{}\n');
      put(dir, 'shared/events/2026-11/lead.jsonl', '{}\n');
      put(dir, '.gitattributes', '* filter=x\n');
      put(dir, 'shared/tasks/t-ana/workspace/.gitattributes', '* filter=x\n');
      put(dir, 'shared/tasks/t-new/meta.json', taskMeta('t-new', 'ana'));
      put(dir, 'README.md', 'hello\n');
      put(dir, META, taskMeta('t-ana', 'ana', { status: 'submitted', summary: 'S', event_id: '$forged' }));
      put(dir, 'shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n');
    });
    const report = await lead.sync.pull();
    expect(reasons(report.refusals)).toEqual({
      '.gitattributes': 'reserved-name',
      'README.md': 'not-owner',
      'shared/agents/bo.json': 'not-owner',
      'shared/events/2026-11/lead.jsonl': 'not-owner',
      'shared/projects/p/extra.md': 'not-owner',
      'shared/projects/p/plan.md': 'not-owner',
      'shared/tasks/t-ana/base/input.txt': 'not-owner',
      [META]: 'forbidden-field',
      'shared/tasks/t-ana/spec.md': 'not-owner',
      'shared/tasks/t-ana/workspace/.gitattributes': 'reserved-name',
      'shared/tasks/t-bo/result.md': 'not-owner',
      'shared/tasks/t-new/meta.json': 'not-owner',
      'shared/team.json': 'not-owner',
    });
    expect(report.refusals.every((refusal) => refusal.commit === commit && refusal.lane === 'lanes/ana')).toBe(true);
    expect([...report.changed].sort()).toEqual([
      expect.stringMatching(/^shared\/events\/\d{4}-\d\d\/lead\.jsonl$/),
      META,
      'shared/tasks/t-ana/result.md',
    ]);
    expect(see(lead.dir, META)).toBe(taskMeta('t-ana', 'ana', { status: 'submitted', summary: 'S' }));

    const log = see(lead.dir, report.changed.find((path) => path.startsWith('shared/events/')) ?? '') ?? '';
    const events = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toHaveLength(13);
    expect(events[0]).toMatchObject({
      type: 'lane.refused',
      actor: { id: 'lead', role: 'leader' },
      subject: { kind: 'lane', id: 'lanes/ana' },
      data: { worker: 'ana', path: '.gitattributes', reason: 'reserved-name', commit },
    });
    expect(git(lead.dir, 'log', '-1', '--format=%s%n%(trailers:key=Refused)')).toContain(
      'Refused: shared/projects/p/plan.md not-owner',
    );

    // Nothing is told twice, and the next merge of main undoes the refused part in the Worker's clone.
    expect((await lead.sync.pull()).refusals).toEqual([]);
    await lead.sync.push();
    await ana.sync.pull();
    expect(LEADERS.map((path) => see(ana.dir, path))).toEqual(LEADERS.map((path) => see(lead.dir, path)));
    expect(git(ana.dir, 'rev-parse', 'HEAD^{tree}')).toBe(git(remote, 'rev-parse', 'main^{tree}'));
    expect(published(remote, 'main', 'shared/projects/p/plan.md')).toBe(PLAN);
  });

  test('is recorded in a new part of the log where the last one is full', async () => {
    const team = await makeTeam();
    const { lead } = team;
    const refused = async (name: string): Promise<string> => {
      pushRogue(team, (dir) => put(dir, `shared/projects/p/${name}`, 'mine\n'));
      const { changed } = await lead.sync.pull();
      return changed.find((path) => path.startsWith('shared/events/')) ?? '';
    };
    const first = await refused('one.md');
    await change(lead, [
      write(first, `${see(lead.dir, first) ?? ''}${JSON.stringify({ note: 'n'.repeat(FULL_LOG) })}\n`),
    ]);
    const second = await refused('two.md');
    expect(second).toBe(first.replace('.jsonl', '@0002.jsonl'));
    expect(see(lead.dir, second)).toContain('shared/projects/p/two.md');
    expect(await refused('three.md')).toBe(second);
    expect(see(lead.dir, second)?.trim().split('\n')).toHaveLength(2);
  });

  test('keeps what the Leader and the Worker did meanwhile', async () => {
    const team = await makeTeam();
    const { lead, ana } = team;
    pushRogue(team, (dir) => {
      put(dir, 'shared/projects/p/plan.md', `${PLAN}\nrogue\n`);
      put(dir, 'shared/tasks/t-ana/progress/1.md', 'one\n');
    });
    await change(lead, [write('shared/projects/p/result.md', 'by the leader\n')]);
    await change(ana, [write('shared/tasks/t-ana/progress/2.md', 'newer\n')]);
    const report = await lead.sync.pull();
    expect(report.refusals).toEqual([]);
    await change(ana, [write('shared/tasks/t-ana/progress/3.md', 'newest\n')]);
    await lead.sync.pull();
    expect(see(lead.dir, 'shared/projects/p/plan.md')).toBe(PLAN);
    expect([1, 2, 3].map((day) => see(lead.dir, `shared/tasks/t-ana/progress/${day}.md`))).toEqual([
      'one\n',
      'newer\n',
      'newest\n',
    ]);
    expect(see(ana.dir, 'shared/projects/p/plan.md')).toBe(PLAN);
  });

  test.each([
    [
      'symlink',
      (dir: string) => symlinkSync('/etc/passwd', join(dir, 'shared/tasks/t-ana/link')),
      'shared/tasks/t-ana/link',
    ],
    [
      'gitlink',
      (dir: string) =>
        git(dir, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},shared/tasks/t-ana/sub`),
      'shared/tasks/t-ana/sub',
    ],
    ['reserved-name', (dir: string) => put(dir, 'shared/tasks/t-ana/aux.txt', 'x'), 'shared/tasks/t-ana/aux.txt'],
    ['case-twin', (dir: string) => put(dir, 'shared/tasks/t-ana/Result.md', 'x'), 'shared/tasks/t-ana/Result.md'],
    ['case-twin', (dir: string) => put(dir, 'shared/tasks/T-ana/result.md', 'x'), 'shared/tasks/T-ana/result.md'],
    ['oversize', (dir: string) => put(dir, 'shared/tasks/t-ana/big', 'x'.repeat(100_001)), 'shared/tasks/t-ana/big'],
    ['broken-file', (dir: string) => put(dir, META, '{ "task_id": '), META],
    ['not-owner', (dir: string) => drop(dir, META), META],
    ['illegal-transition', (dir: string) => put(dir, META, taskMeta('t-ana', 'ana', { status: 'in_progress' })), META],
    ['forbidden-field', (dir: string) => put(dir, META, taskMeta('t-ana', 'ana', { status: 'completed' })), META],
    ['forbidden-field', (dir: string) => put(dir, META, taskMeta('t-ana', 'bo')), META],
    [
      'forbidden-field',
      (dir: string) =>
        put(dir, 'shared/agents/ana.json', '{\n  "agent_id": "ana",\n  "role": "leader",\n  "status": "ACTIVE"\n}\n'),
      'shared/agents/ana.json',
    ],
  ])('is told %s, case %#', async (reason, make, path) => {
    const team = await makeTeam();
    const { lead } = team;
    put(lead.dir, 'shared/tasks/t-ana/result.md', 'there before\n');
    byHand(lead.dir, 'result');
    await lead.sync.push();
    await team.ana.sync.pull();
    if (reason === 'illegal-transition') {
      await change(lead, (view) => [edit(view, META, { status: 'cancelled' })]);
    }
    const before = see(lead.dir, META);
    put(team.ana.dir, 'shared/tasks/t-ana/fine.txt', 'fine\n');
    if (reason === 'gitlink') {
      git(team.ana.dir, 'add', 'shared/tasks/t-ana/fine.txt');
      make(team.ana.dir);
      git(team.ana.dir, 'commit', '-q', '-m', 'sub');
      git(team.ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
    } else {
      pushRogue(team, make);
    }
    const report = await lead.sync.pull();
    const expected = path.startsWith('shared/tasks/T-ana') ? 'not-owner' : reason;
    expect(reasons(report.refusals)).toEqual({ [path]: expected });
    expect(see(lead.dir, 'shared/tasks/t-ana/fine.txt')).toBe('fine\n');
    expect(see(lead.dir, META)).toBe(before);
    expect(git(lead.dir, 'ls-tree', '-r', 'main')).not.toMatch(/^1[26]0000/m);
  });

  test('cannot displace a file of the Leader by a directory, nor a directory by a file', async () => {
    const team = await makeTeam();
    const { lead } = team;
    pushRogue(team, (dir) => {
      drop(dir, 'shared/tasks/t-ana/spec.md');
      put(dir, 'shared/tasks/t-ana/spec.md/x', 'x');
      drop(dir, 'shared/tasks/t-ana/base');
      put(dir, 'shared/tasks/t-ana/base', 'x');
      put(dir, 'shared/tasks/t-ana/fine.txt', 'fine\n');
    });
    await lead.sync.pull();
    expect(git(lead.dir, 'ls-tree', '-r', '--name-only', 'main', 'shared/tasks/t-ana').split('\n')).toEqual([
      'shared/tasks/t-ana/base/input.txt',
      'shared/tasks/t-ana/fine.txt',
      META,
      'shared/tasks/t-ana/spec.md',
    ]);
  });

  test('is summed up when it floods', async () => {
    const team = await makeTeam();
    pushRogue(team, (dir) => {
      for (let index = 0; index < 80; index += 1) put(dir, `shared/projects/p/x${index}.md`, 'x');
    });
    const report = await team.lead.sync.pull();
    expect(report.refusals).toHaveLength(51);
    expect(report.refusals.at(-1)).toMatchObject({ path: 'lanes/ana', detail: 'and 30 more paths of this lane' });
  });

  test('and shares no history with main stops nobody else', async () => {
    const team = await makeTeam();
    const { lead, ana, bo, folder, remote } = team;
    git(folder, 'init', '-q', 'stranger');
    const stranger = join(folder, 'stranger');
    put(stranger, 'shared/tasks/t-ana/x', 'x');
    byHand(stranger, 'unrelated');
    git(stranger, 'push', '-q', remote, 'HEAD:refs/heads/lanes/ana');
    git(stranger, 'push', '-q', remote, 'HEAD:refs/heads/lanes/%zz');
    await change(bo, [write('shared/tasks/t-bo/progress/1.md', 'one\n')]);
    const report = await lead.sync.pull();
    expect(report.refusals.map(({ lane, reason }) => [lane, reason])).toEqual([
      ['lanes/%zz', 'broken-lane'],
      ['lanes/ana', 'broken-lane'],
    ]);
    expect(see(lead.dir, 'shared/tasks/t-bo/progress/1.md')).toBe('one\n');
    expect((await lead.sync.pull()).refusals).toEqual([]);
    await expect(ana.sync.pull()).rejects.toMatchObject({ code: 'sync-failed', retryable: false });
  });

  test('that ends a task late cannot revive it', async () => {
    const { lead, ana } = await makeTeam();
    await change(lead, (view) => [edit(view, META, { status: 'cancelled', cancel_reason: 'no longer needed' })]);
    put(ana.dir, META, taskMeta('t-ana', 'ana', { status: 'submitted' }));
    put(ana.dir, 'shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n');
    byHand(ana.dir, 'late');
    git(ana.dir, 'push', '-q', 'origin', 'HEAD:refs/heads/lanes/ana');
    const report = await lead.sync.pull();
    expect(reasons(report.refusals)).toEqual({ [META]: 'illegal-transition' });
    expect(JSON.parse(see(lead.dir, META) ?? '')).toMatchObject({ status: 'cancelled' });
    expect(see(lead.dir, 'shared/tasks/t-ana/result.md')).toBe('STATUS: SUCCESS\n');
    await lead.sync.push();
    await ana.sync.pull();
    expect(see(ana.dir, META)).toBe(see(lead.dir, META));
  });
});
