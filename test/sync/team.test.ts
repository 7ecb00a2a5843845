import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PullReport } from '../../src/ports.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { git } from '../support/git.ts';
import { eventually } from '../support/waiting.ts';
import { PLAN, byHand, change, edit, makeTeam, openNode, published, put, see, taskMeta, write } from './workshop.ts';

const META = 'shared/tasks/t-ana/meta.json';
const PLAN_PATH = 'shared/projects/p/plan.md';

describe('a team', () => {
  test('passes work to and fro: lanes reach main, main reaches lanes', async () => {
    const { remote, lead, ana, bo } = await makeTeam();
    const ack = await change(ana, (view) => [edit(view, META, { status: 'in_progress' })]);
    expect(ack).toMatchObject({ durability: 'replicated', synced: true });
    expect(git(remote, 'rev-parse', 'lanes/ana')).toBe(ack.commit);
    expect(await ana.sync.published(META)).toBe(true);

    const pulled = await lead.sync.pull();
    expect(pulled).toEqual({ remote: true, changed: [META], refusals: [], conflicts: [] });
    expect(see(lead.dir, META)).toBe(taskMeta('t-ana', 'ana', { status: 'in_progress' }));
    expect(git(lead.dir, 'log', '-1', '--format=%B')).toBe('integrate lanes/ana\n\nActor: worker:ana');
    expect(git(lead.dir, 'rev-list', '--parents', '-1', 'main').split(' ').slice(2)).toEqual([ack.commit]);

    put(ana.dir, 'shared/tasks/t-ana/workspace/out.txt', 'out\n');
    await change(ana, (view) => [
      edit(view, META, { status: 'submitted', submitted_at: '2026-11-20T10:00:00Z' }),
      write('shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n'),
      { kind: 'adopt', path: 'shared/tasks/t-ana/' },
    ]);
    // The Leader's step integrates by itself before it decides.
    const accept = await change(lead, (view) => [
      edit(view, META, { status: 'completed' }),
      write(PLAN_PATH, PLAN.replace('[~] t-ana', '[x] t-ana')),
    ]);
    expect(accept.synced).toBe(true);
    expect(JSON.parse(published(remote, 'main', META) ?? '')).toMatchObject({ status: 'completed' });
    expect(published(remote, 'main', 'shared/tasks/t-ana/workspace/out.txt')).toBe('out\n');

    await Promise.all([ana.sync.pull(), bo.sync.pull()]);
    for (const node of [lead, ana, bo]) {
      expect(git(node.dir, 'rev-parse', 'HEAD^{tree}')).toBe(git(remote, 'rev-parse', 'main^{tree}'));
      expect(git(node.dir, 'status', '--porcelain')).toBe('');
    }
    expect(await lead.sync.status()).toMatchObject({
      mode: 'team',
      branch: 'main',
      ahead: 0,
      behind: 0,
      online: true,
      lanes: [{ name: 'lanes/ana', pending: 0 }],
    });
  });

  test('never loses a Worker who was not idle while the Leader integrated', async () => {
    const { lead, ana } = await makeTeam();
    await change(ana, (view) => [
      edit(view, META, { status: 'in_progress' }),
      write('shared/tasks/t-ana/progress/1.md', 'one\n'),
    ]);
    await lead.sync.pull();
    await change(lead, [write(PLAN_PATH, `${PLAN}\nA note.\n`)]);
    // The lane merges main while main already holds an older state of the lane: two best common ancestors.
    await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'one\ntwo\n')]);
    await lead.sync.pull();
    await change(ana, [write('shared/tasks/t-ana/progress/1.md', 'one\ntwo\nthree\n')]);
    await change(lead, [write(PLAN_PATH, `${PLAN}\nA longer note.\n`)]);
    const last = await lead.sync.pull();
    expect(last.refusals).toEqual([]);
    expect(see(lead.dir, 'shared/tasks/t-ana/progress/1.md')).toBe('one\ntwo\nthree\n');
    expect(see(lead.dir, PLAN_PATH)).toBe(`${PLAN}\nA longer note.\n`);
  });

  test('merges what Leader and Worker changed in one record by field', async () => {
    const { lead, ana } = await makeTeam();
    await Promise.all([
      change(ana, (view) => [edit(view, META, { status: 'in_progress', acknowledged_at: '2026-11-20T10:00:00Z' })]),
      change(lead, (view) => [edit(view, META, { event_id: '$e', room_id: '!r:d' })]),
    ]);
    await lead.sync.pull();
    await lead.sync.push();
    await ana.sync.pull();
    expect(JSON.parse(see(lead.dir, META) ?? '')).toEqual({
      task_id: 't-ana',
      project_id: 'p',
      task_title: 't-ana',
      assigned_to: 'ana',
      status: 'in_progress',
      acknowledged_at: '2026-11-20T10:00:00Z',
      event_id: '$e',
      room_id: '!r:d',
    });
    expect(see(ana.dir, META)).toBe(see(lead.dir, META));
  });

  test('has one winner when two Leaders decide the same thing at once', async () => {
    const { folder, remote, lead } = await makeTeam();
    git(folder, 'clone', '-q', remote, 'second');
    const second = await openNode({ dir: join(folder, 'second'), role: 'leader', localpart: 'deputy', remote });
    const claim = (node: typeof lead): Promise<unknown> =>
      change(node, (view) => {
        const text = view.text(PLAN_PATH) ?? '';
        if (!text.includes('[ ] t-last')) throw new FlowError('illegal-transition', 'already taken');
        return [write(PLAN_PATH, text.replace('[ ] t-last', '[~] t-last'))];
      });
    const results = await Promise.allSettled([lead, second, lead, second].map(claim));
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost.map(({ reason }) => (reason as FlowError).code)).toEqual(
      Array.from({ length: 3 }, () => 'illegal-transition'),
    );
    await Promise.all([lead.sync.pull(), second.sync.pull()]);
    expect(git(lead.dir, 'rev-parse', 'HEAD')).toBe(git(second.dir, 'rev-parse', 'HEAD'));
    expect(published(remote, 'main', PLAN_PATH)).toBe(PLAN.replace('[ ] t-last', '[~] t-last'));
  });

  test('goes on when a person pushes to main with plain git', async () => {
    const { folder, remote, lead, ana } = await makeTeam();
    git(folder, 'clone', '-q', remote, 'person');
    const person = join(folder, 'person');
    put(person, PLAN_PATH, PLAN.replace('Third', 'Third, renamed'));
    byHand(person, 'rename');
    git(person, 'push', '-q', 'origin', 'main');
    await change(lead, (view) => [edit(view, 'shared/projects/p/meta.json', { status: 'paused' })]);
    await ana.sync.pull();
    expect(see(ana.dir, PLAN_PATH)).toBe(PLAN.replace('Third', 'Third, renamed'));
    expect(JSON.parse(see(ana.dir, 'shared/projects/p/meta.json') ?? '')).toMatchObject({ status: 'paused' });
  });

  test('merges a plan that was marked here and edited there, node by node', async () => {
    const { folder, remote, lead } = await makeTeam();
    git(folder, 'clone', '-q', remote, 'person');
    const person = join(folder, 'person');
    put(person, PLAN_PATH, PLAN.replace('[~] t-ana — First', '[~] t-ana — First thing'));
    byHand(person, 'title');
    git(person, 'push', '-q', 'origin', 'main');
    put(lead.dir, PLAN_PATH, PLAN.replace('[~] t-ana', '[x] t-ana'));
    byHand(lead.dir, 'accept by hand');
    const report = await lead.sync.pull();
    expect(report.conflicts).toEqual([]);
    expect(see(lead.dir, PLAN_PATH)).toBe(PLAN.replace('[~] t-ana — First', '[x] t-ana — First thing'));
  });

  test('sets a local text aside that no rule can merge', async () => {
    const { folder, remote, lead } = await makeTeam();
    git(folder, 'clone', '-q', remote, 'person');
    const person = join(folder, 'person');
    put(person, 'shared/projects/p/result.md', 'theirs\n');
    byHand(person, 'result');
    git(person, 'push', '-q', 'origin', 'main');
    put(lead.dir, 'shared/projects/p/result.md', 'ours\n');
    byHand(lead.dir, 'result');
    const report = await lead.sync.pull();
    const setAside = 'shared/projects/p/result.md.conflict-lead';
    expect(report.conflicts).toEqual([{ path: 'shared/projects/p/result.md', setAside }]);
    expect([see(lead.dir, 'shared/projects/p/result.md'), see(lead.dir, setAside)]).toEqual(['theirs\n', 'ours\n']);
    expect((await lead.sync.status()).conflicts).toEqual([setAside]);
    expect(git(lead.dir, 'status', '--porcelain')).toBe('');
  });

  test('keeps a directory where a file of its name came in, and the file beside it', async () => {
    const { folder, remote, lead } = await makeTeam();
    git(folder, 'clone', '-q', remote, 'person');
    const person = join(folder, 'person');
    put(person, 'shared/projects/p/notes', 'a file\n');
    byHand(person, 'file');
    git(person, 'push', '-q', 'origin', 'main');
    put(lead.dir, 'shared/projects/p/notes/one.md', 'in a directory\n');
    byHand(lead.dir, 'directory');
    const report = await lead.sync.pull();
    const setAside = 'shared/projects/p/notes.conflict-lead';
    expect(report.conflicts).toEqual([{ path: 'shared/projects/p/notes', setAside }]);
    expect([see(lead.dir, 'shared/projects/p/notes/one.md'), see(lead.dir, setAside)]).toEqual([
      'in a directory\n',
      'a file\n',
    ]);
    expect(git(lead.dir, 'status', '--porcelain')).toBe('');
  });

  test('never writes one set-aside text over another', async () => {
    const { folder, remote, lead } = await makeTeam();
    git(folder, 'clone', '-q', remote, 'person');
    const person = join(folder, 'person');
    const path = 'shared/projects/p/result.md';
    for (const round of [1, 2]) {
      put(person, path, `theirs ${round}\n`);
      byHand(person, 'result');
      git(person, 'push', '-q', 'origin', 'main');
      put(lead.dir, path, `ours ${round}\n`);
      byHand(lead.dir, 'result');
      await lead.sync.pull();
      await lead.sync.push();
      git(person, 'pull', '-q', '--ff-only', 'origin', 'main');
    }
    expect([see(lead.dir, `${path}.conflict-lead`), see(lead.dir, `${path}.2.conflict-lead`)]).toEqual([
      'ours 1\n',
      'ours 2\n',
    ]);
  });

  test('publishes what a pull of its Leader has integrated, without being asked', async () => {
    const { remote, lead, ana } = await makeTeam();
    await change(ana, (view) => [edit(view, META, { status: 'in_progress' })]);
    await lead.sync.pull();
    await eventually(
      () => git(remote, 'rev-parse', 'main') === git(lead.dir, 'rev-parse', 'main') || undefined,
      'pushed',
    );
    expect(published(remote, 'main', META)).toContain('in_progress');
  });

  test('makes one commit of calls that are read at the same time, each in a turn of its own', async () => {
    const { lead, remote } = await makeTeam();
    const before = Number(git(remote, 'rev-list', '--count', 'main'));
    const calls = Array.from({ length: 60 }, (_, index) => {
      const done = Promise.withResolvers<unknown>();
      // As what comes in over sockets: all of it in one go of the event loop, and after each whatever it leads to.
      setImmediate(() => done.resolve(change(lead, [write(`shared/projects/p/notes/${index}.md`, 'x\n')])));
      return done.promise;
    });
    await Promise.all(calls);
    expect(Number(git(remote, 'rev-list', '--count', 'main')) - before).toBe(1);
  });

  test('tells its listeners what came in', async () => {
    const { lead, ana } = await makeTeam();
    const heard: PullReport[] = [];
    const stop = lead.sync.onChange((report) => heard.push(report));
    lead.sync.onChange(() => {
      throw new Error('a bad listener');
    });
    await change(ana, (view) => [edit(view, META, { status: 'in_progress' })]);
    await lead.sync.pull();
    await lead.sync.pull();
    stop();
    await change(lead, [write('shared/projects/p/result.md', 'R\n')]);
    // What was integrated is pushed behind that, and told as well.
    expect(heard.filter(({ changed }) => changed.length > 0)).toEqual([
      { remote: true, changed: [META], refusals: [], conflicts: [] },
    ]);
  });
});

describe("a Leader's step that takes up a task's whole folder", () => {
  const whole = (task: string) => [{ kind: 'adopt', path: `shared/tasks/${task}/`, whole: true } as const];
  const FILE = 'shared/tasks/t-ana/out/a.txt';

  test('publishes the files of an agent of the roster that has no lane, and takes up its hand edits', async () => {
    const { remote, lead } = await makeTeam();
    put(lead.dir, FILE, 'all of it\n');
    expect(await change(lead, whole('t-ana'))).toMatchObject({ durability: 'replicated' });
    expect(published(remote, 'main', FILE)).toBe('all of it\n');
    put(lead.dir, FILE, 'more\n');
    expect(await lead.sync.adopt([FILE])).toEqual({ adopted: [FILE], foreign: [] });
  });

  test('refuses those of an agent that has a lane, or that nobody has registered, and changes nothing', async () => {
    const { remote, lead, ana } = await makeTeam();
    await change(ana, (view) => [edit(view, META, { status: 'in_progress' })]);
    await lead.sync.pull();
    put(lead.dir, FILE, 'not ours\n');
    put(lead.dir, 'shared/tasks/t-bo/b.txt', 'not ours\n');
    const main = git(remote, 'rev-parse', 'main');
    await expect(change(lead, whole('t-ana'))).rejects.toMatchObject({
      code: 'not-owner',
      message: `${FILE} belongs to ana, who works in a clone of its own (lanes/ana): it is not published from here`,
    });
    await expect(change(lead, whole('t-bo'))).rejects.toMatchObject({
      code: 'not-owner',
      message: 'shared/tasks/t-bo/b.txt belongs to bo, who is not on the roster: it is not published from here',
      remedy: expect.stringContaining('put bo on the roster') as string,
    });
    expect([git(remote, 'rev-parse', 'main'), git(lead.dir, 'rev-parse', 'main')]).toEqual([main, main]);
    expect(await lead.sync.adopt([FILE])).toEqual({ adopted: [], foreign: [FILE] });
    expect(see(lead.dir, FILE)).toBe('not ours\n');
  });
});

describe('hand edits', () => {
  test('that raced with a pull are merged and stay uncommitted', async () => {
    const { lead, ana } = await makeTeam();
    await change(lead, [write(PLAN_PATH, PLAN.replace('Third', 'Third, renamed'))]);
    put(ana.dir, PLAN_PATH, `A remark of mine.\n${PLAN}`);
    await ana.sync.pull();
    expect(see(ana.dir, PLAN_PATH)).toBe(`A remark of mine.\n${PLAN.replace('Third', 'Third, renamed')}`);
    expect(await ana.sync.dirty()).toEqual([PLAN_PATH]);
    expect(await ana.sync.adopt([PLAN_PATH])).toEqual({ adopted: [], foreign: [PLAN_PATH] });
  });

  test('that cannot be merged are kept beside the file', async () => {
    const { lead, ana } = await makeTeam();
    await change(lead, [write('shared/tasks/t-ana/spec.md', '# First, again\n')]);
    put(ana.dir, 'shared/tasks/t-ana/spec.md', '# Mine\n');
    const report = await ana.sync.pull();
    const setAside = 'shared/tasks/t-ana/spec.md.conflict-ana';
    expect(report.conflicts).toEqual([{ path: 'shared/tasks/t-ana/spec.md', setAside }]);
    expect([see(ana.dir, 'shared/tasks/t-ana/spec.md'), see(ana.dir, setAside)]).toEqual([
      '# First, again\n',
      '# Mine\n',
    ]);
    expect((await ana.sync.status()).conflicts).toEqual([setAside]);
  });

  test('of a record are merged by field with what comes in', async () => {
    const { lead, ana } = await makeTeam();
    await change(lead, (view) => [edit(view, META, { status: 'cancelled' })]);
    put(ana.dir, META, taskMeta('t-ana', 'ana', { status: 'in_progress', summary: 'half done' }));
    await ana.sync.pull();
    expect(JSON.parse(see(ana.dir, META) ?? '')).toMatchObject({ status: 'cancelled', summary: 'half done' });
    put(
      lead.dir,
      'shared/projects/p/meta.json',
      '{\n  "project_id": "p",\n  "title": "Mine",\n  "status": "active"\n}\n',
    );
    expect(await lead.sync.adopt(['shared/projects/p/meta.json'])).toMatchObject({
      adopted: ['shared/projects/p/meta.json'],
    });
  });

  test('are committed for those who own them only', async () => {
    const { lead, ana } = await makeTeam();
    put(ana.dir, 'shared/tasks/t-ana/result.md', 'STATUS: SUCCESS\n');
    put(ana.dir, META, taskMeta('t-ana', 'ana', { status: 'submitted' }));
    put(ana.dir, 'shared/tasks/t-bo/meta.json', taskMeta('t-bo', 'ana'));
    put(ana.dir, PLAN_PATH, 'mine now\n');
    expect(await ana.sync.adopt(['shared/'])).toEqual({
      adopted: [META, 'shared/tasks/t-ana/result.md'],
      foreign: [PLAN_PATH, 'shared/tasks/t-bo/meta.json'],
    });
    put(ana.dir, META, taskMeta('t-ana', 'ana', { status: 'completed' }));
    expect((await ana.sync.adopt([META])).foreign).toEqual([META]);
    await lead.sync.pull();
    expect(see(lead.dir, META)).toBe(taskMeta('t-ana', 'ana', { status: 'submitted' }));
    put(lead.dir, 'shared/tasks/t-ana/result.md', 'rewritten\n');
    put(lead.dir, PLAN_PATH, `${PLAN}\nMore.\n`);
    expect(await lead.sync.adopt(['shared/tasks/', PLAN_PATH])).toEqual({
      adopted: [PLAN_PATH],
      foreign: ['shared/tasks/t-ana/result.md'],
    });
  });
});
