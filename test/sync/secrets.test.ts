import { renameSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FlowError } from '../../src/protocol/errors.ts';
import { findSecrets } from '../../src/protocol/secrets/scan.ts';
import { SOME_KEY } from '../protocol/secrets/samples.ts';
import { git } from '../support/git.ts';
import { byHand, change, edit, makeSolo, makeTeam, openNode, published, put, see, write } from './workshop.ts';

const LINE = `password: ${SOME_KEY}`;
const META = 'shared/tasks/t-ana/meta.json';
const NOTES = 'shared/tasks/t-ana/workspace/notes.md';
const SPEC = 'shared/tasks/t-ana/spec.md';

/** The team allows exactly this. */
function allow(dir: string, text: string): void {
  const allowedSecrets = findSecrets(text).map(({ fingerprint }) => fingerprint);
  put(
    dir,
    'shared/team.json',
    `${JSON.stringify({ schema: 1, name: 't', policies: { allowedSecrets } }, undefined, 2)}\n`,
  );
}

const everything = (dir: string): string => git(dir, 'log', '--all', '-p', '--format=%B%an%ae');

async function refusalOf(work: Promise<unknown>): Promise<FlowError> {
  return work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as FlowError,
  );
}

describe('a secret', () => {
  test('in a hand edit stays on disk, holds up nothing else, is told once, and goes once the team allows it', async () => {
    const node = await makeSolo();
    put(node.dir, SPEC, `# First\n\n${LINE}\n`);
    put(node.dir, NOTES, 'fine\n');
    const paths = [SPEC, NOTES];
    const unfit = [
      {
        path: SPEC,
        line: 3,
        why: 'holds a secret in line 3 (value of password)',
        remedy: expect.stringMatching(/"sha256:[0-9a-f]{12}" to policies\.allowedSecrets in shared\/team\.json/),
      },
    ];
    expect(await node.sync.adopt(paths)).toEqual({ adopted: [NOTES], foreign: [], unfit });
    expect(await node.sync.adopt(paths)).toMatchObject({ adopted: [], unfit });
    expect(await node.sync.unfit()).toEqual(unfit);
    expect(node.told.filter((line) => line.includes('cannot be published'))).toHaveLength(1);
    expect(see(node.dir, SPEC)).toContain(SOME_KEY);
    expect([...node.told, everything(node.dir)].join('\n')).not.toContain(SOME_KEY);

    allow(node.dir, LINE);
    await node.sync.adopt(['shared/team.json', SPEC]);
    expect(git(node.dir, 'show', `HEAD:${SPEC}`)).toContain(SOME_KEY);
    expect(await node.sync.unfit()).toEqual([]);
  });

  test('in a folder that is published as a whole refuses it with file and line', async () => {
    const { ana, remote } = await makeTeam();
    put(ana.dir, NOTES, `one\n${LINE}\n`);
    const error = await refusalOf(change(ana, [{ kind: 'adopt', path: 'shared/tasks/t-ana/' }]));
    expect(error).toMatchObject({
      code: 'broken-file',
      message: `${NOTES} cannot be committed: it holds a secret in line 2 (value of password)`,
      data: { file: NOTES, line: 2, kind: 'value of password' },
    });
    expect(JSON.stringify([error.message, error.remedy, error.data])).not.toContain(SOME_KEY);
    expect(everything(remote)).not.toContain(SOME_KEY);
  });

  test('that an action would write refuses that action alone', async () => {
    const node = await makeSolo();
    const results = await Promise.allSettled([
      change(node, [write(NOTES, 'fine\n')]),
      change(node, (view) => [edit(view, META, { summary: `done; ${LINE}` })]),
      change(node, [write(`shared/tasks/t-ana/workspace/${SOME_KEY}.md`, 'x\n'), write(SPEC, `${LINE}\n`)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'invalid-argument', data: { file: META, line: 7 } } });
    expect(see(node.dir, META)).not.toContain(SOME_KEY);
    expect(everything(node.dir)).not.toContain(SOME_KEY);
  });

  test('that a person has just put into a record does not travel with the next step on it', async () => {
    const node = await makeSolo();
    const meta = JSON.parse(see(node.dir, META) ?? '') as object;
    put(node.dir, META, `${JSON.stringify({ ...meta, api_key: SOME_KEY }, undefined, 2)}\n`);
    node.workTree.invalidate([META]);
    const error = await refusalOf(change(node, (view) => [edit(view, META, { status: 'in_progress' })]));
    expect(error).toMatchObject({ code: 'invalid-argument', data: { file: META } });
    expect(everything(node.dir)).not.toContain(SOME_KEY);
  });

  test('that a person has just put into a long plan or a log does not travel with the next step on it', async () => {
    const { lead, remote } = await makeTeam();
    const [plan, log] = ['shared/projects/p/plan.md', 'shared/events/2026-11/lead.jsonl'];
    const long = `${see(lead.dir, plan) ?? ''}${'a line of prose\n'.repeat(2_000)}`;
    await change(lead, [write(plan, long), write(log, '{"id":"1"}\n')]);
    put(lead.dir, plan, `${long}${LINE}\n`);
    put(lead.dir, log, `{"id":"1"}\n{"note":"${LINE}"}\n`);
    lead.workTree.invalidate([plan, log]);
    const marked = change(lead, (view) => [write(plan, (view.text(plan) ?? '').replace('[~] t-ana', '[x] t-ana'))]);
    expect(await refusalOf(marked)).toMatchObject({ code: 'invalid-argument' });
    const line = '{"id":"2"}\n';
    const told = change(lead, (view) => [{ ...write(log, `${view.text(log)}${line}`), appended: line }]);
    expect(await refusalOf(told)).toMatchObject({ code: 'invalid-argument' });
    expect(everything(remote)).not.toContain(SOME_KEY);
  });

  test('that is published already keeps nothing back', async () => {
    const node = await makeSolo();
    put(node.dir, SPEC, `${LINE}\n`);
    byHand(node.dir, 'a person knows better');
    await node.sync.pull();
    node.workTree.invalidate();
    put(node.dir, SPEC, `${LINE}\nmore\n`);
    expect(await node.sync.adopt([SPEC])).toEqual({ adopted: [SPEC], foreign: [] });
    await change(node, [write(SPEC, `first\n${LINE}\nmore\n`)]);
    expect(git(node.dir, 'show', `HEAD:${SPEC}`)).toBe(`first\n${LINE}\nmore`);
  });

  test('in a log of any length is found in what is appended', async () => {
    const node = await makeSolo();
    const path = 'shared/events/2026-11/lead.jsonl';
    const long = Array.from({ length: 1000 }, (_, index) => `{"id":"${index}","note":"all is well"}\n`).join('');
    await change(node, [write(path, long)]);
    const error = await refusalOf(change(node, [write(path, `${long}{"note":"${LINE}"}\n`)]));
    expect(error.data).toMatchObject({ file: path, line: 1001 });
  });

  test('that a lane brings by plain git stays out of main, and is told without it', async () => {
    const { ana, lead, remote } = await makeTeam();
    put(ana.dir, NOTES, `one\n${LINE}\n`);
    put(ana.dir, `shared/tasks/t-ana/workspace/token=${SOME_KEY}.md`, 'x\n');
    put(ana.dir, 'shared/tasks/t-ana/workspace/good.md', 'good\n');
    put(ana.dir, META, (see(ana.dir, META) ?? '').replace('"assigned"', `"in_progress",\n  "summary": "${LINE}"`));
    byHand(ana.dir, 'everything');
    git(ana.dir, 'push', '-q', 'origin', 'lanes/ana');
    const { refusals } = await lead.sync.pull();
    for (const { detail } of refusals) expect(detail).toMatch(/"sha256:[0-9a-f]{12}" to policies\.allowedSecrets/);
    expect(refusals.map(({ path, reason, detail }) => [path, reason, detail.split('; ')[0]])).toEqual([
      [META, 'secret', 'holds a secret in line 7 (value of password)'],
      [NOTES, 'secret', 'holds a secret in line 2 (value of password)'],
      ['shared/tasks/t-ana/workspace/token=[redacted]', 'secret', 'has a secret in its name (value of token)'],
    ]);
    await lead.sync.push();
    expect(published(remote, 'main', 'shared/tasks/t-ana/workspace/good.md')).toBe('good\n');
    expect(git(remote, 'grep', '-l', 'lane.refused', 'main', '--', 'shared/events')).not.toBe('');
    expect(git(remote, 'ls-tree', '-r', '--name-only', 'main')).not.toContain(SOME_KEY);
    expect(git(remote, 'log', '--first-parent', '-m', '-p', '--format=%B', 'main')).not.toContain(SOME_KEY);
    expect([...lead.told, JSON.stringify(refusals)].join('\n')).not.toContain(SOME_KEY);
  });

  test('in a commit that somebody has made by plain git is not pushed, and holds up what follows until it is taken out', async () => {
    const { ana, remote } = await makeTeam();
    put(ana.dir, NOTES, `one\n${LINE}\n`);
    byHand(ana.dir, 'a mistake');
    put(ana.dir, NOTES, 'one\n');
    byHand(ana.dir, 'taken out, but not of the commit before');
    const error = await refusalOf(ana.sync.push());
    expect(error).toMatchObject({
      code: 'sync-failed',
      message: `a commit that is not on the remote yet cannot be pushed: ${NOTES} holds a secret in line 2 (value of password)`,
      remedy: expect.stringContaining('git rebase -i'),
      data: { file: NOTES, line: 2 },
    });
    expect(await ana.sync.status()).toMatchObject({ problem: error.message });
    const more = write('shared/tasks/t-ana/workspace/more.md', 'more\n');
    expect(await refusalOf(change(ana, [more]))).toMatchObject({ code: 'sync-failed' });
    expect(everything(remote)).not.toContain(SOME_KEY);
    git(ana.dir, 'reset', '-q', '--soft', 'HEAD~2');
    byHand(ana.dir, 'without it');
    await change(ana, [more]);
    expect(published(remote, 'lanes/ana', NOTES)).toBe('one\n');
    expect(published(remote, 'lanes/ana', more.path)).toBe('more\n');
    expect(everything(remote)).not.toContain(SOME_KEY);
    expect([...ana.told, error.remedy].join('\n')).not.toContain(SOME_KEY);
  });

  test.each<[string, (dir: string) => void]>([
    ['a file of no folder of Baton', (dir) => put(dir, '.env', `${LINE}\n`)],
    [
      'a file whose content stands elsewhere, too',
      (dir) => {
        put(dir, 'a-first.md', `${LINE}\n`);
        put(dir, SPEC, `${LINE}\n`);
      },
    ],
    ['the new name of a file', (dir) => void git(dir, 'mv', SPEC, `shared/tasks/t-ana/token=${SOME_KEY}.md`)],
    [
      'the second name of a content',
      (dir) => {
        put(dir, 'shared/tasks/t-ana/a.md', 'same\n');
        put(dir, `shared/tasks/t-ana/token=${SOME_KEY}.md`, 'same\n');
      },
    ],
    ['a file with a name that Baton refuses', (dir) => put(dir, 'shared/tasks/t-ana/a\\b.md', `${LINE}\n`)],
  ])('in such a commit, in %s, is found', async (_, spoil) => {
    const { lead, remote } = await makeTeam();
    spoil(lead.dir);
    byHand(lead.dir, 'a mistake');
    const error = await refusalOf(lead.sync.push());
    expect(error).toMatchObject({ code: 'sync-failed' });
    expect(everything(remote) + git(remote, 'ls-tree', '-r', '--name-only', 'main')).not.toContain(SOME_KEY);
    expect(JSON.stringify([error.message, error.remedy, error.data])).not.toContain(SOME_KEY);
  });

  test('is allowed by main of the remote and not by what a Worker writes into its own team.json', async () => {
    const { lead, ana, remote } = await makeTeam();
    allow(ana.dir, LINE);
    ana.workTree.invalidate(['shared/team.json']);
    const step = change(ana, [write('shared/tasks/t-ana/workspace/more.md', `${LINE}\n`)]);
    expect(await refusalOf(step)).toMatchObject({ code: 'invalid-argument' });
    put(ana.dir, NOTES, `${LINE}\n`);
    git(ana.dir, 'add', NOTES);
    git(ana.dir, 'commit', '-q', '-m', 'a sample');
    expect(await refusalOf(ana.sync.push())).toMatchObject({ code: 'sync-failed', retryable: false });
    byHand(ana.dir, 'and allow it myself');
    await refusalOf(ana.sync.push());
    expect(await ana.sync.allowedSecrets()).toEqual([]);
    expect(everything(remote)).not.toContain(SOME_KEY);
    git(ana.dir, 'reset', '-q', '--hard', 'HEAD~1');
    allow(lead.dir, LINE);
    await lead.sync.adopt(['shared/team.json']);
    await ana.sync.pull();
    await ana.sync.push();
    expect(published(remote, 'lanes/ana', NOTES)).toBe(`${LINE}\n`);
  });

  test('in the message of such a commit is found', async () => {
    const { lead, remote } = await makeTeam();
    put(lead.dir, SPEC, 'fine\n');
    byHand(lead.dir, `fixed, ${LINE}`);
    const name = git(lead.dir, 'rev-parse', 'HEAD').slice(0, 10);
    expect(await refusalOf(lead.sync.push())).toMatchObject({
      message: `a commit that is not on the remote yet cannot be pushed: the message of ${name} holds a secret (value of password)`,
    });
    expect(everything(remote)).not.toContain(SOME_KEY);
  });

  test('in such a commit stays the reason in the status when the remote is asked in between', async () => {
    const { ana } = await makeTeam();
    put(ana.dir, NOTES, `${LINE}\n`);
    byHand(ana.dir, 'a mistake');
    const { message } = await refusalOf(ana.sync.push());
    await ana.sync.pull();
    expect(await ana.sync.status()).toMatchObject({
      online: true,
      problem: message,
      remedy: expect.stringContaining('git rebase -i'),
    });
    git(ana.dir, 'reset', '-q', '--hard', 'HEAD~1');
    await change(ana, [write('shared/tasks/t-ana/workspace/more.md', 'more\n')]);
    expect((await ana.sync.status()).problem).toBeUndefined();
  });

  test('in a file that is larger than any text is not looked for, and the file holds up nothing', async () => {
    const { lead, remote } = await makeTeam();
    put(lead.dir, 'dump.bin', `${LINE}\n`);
    truncateSync(join(lead.dir, 'dump.bin'), 20 * 2 ** 20);
    byHand(lead.dir, 'larger than any text');
    await change(lead, [write(SPEC, 'fine\n')]);
    expect(published(remote, 'main', SPEC)).toBe('fine\n');
  });

  test('that the lane of the remote holds already keeps nothing back, also after a restart', async () => {
    const { ana, remote } = await makeTeam();
    put(ana.dir, NOTES, `${LINE}\n`);
    byHand(ana.dir, 'published by hand');
    git(ana.dir, 'push', '-q', 'origin', 'lanes/ana');
    await ana.sync.pull();
    put(ana.dir, NOTES, `${LINE}\nmore\n`);
    byHand(ana.dir, 'one more line');
    await ana.sync.push();
    expect(published(remote, 'lanes/ana', NOTES)).toContain('more');
    renameSync(remote, `${remote}.away`);
    put(ana.dir, NOTES, `${LINE}\nmore\nand more\n`);
    ana.workTree.invalidate([NOTES]);
    await change(ana, [{ kind: 'adopt', path: NOTES }], { whenOffline: 'persist' });
    await ana.sync.close();
    renameSync(`${remote}.away`, remote);
    const again = await openNode({ dir: ana.dir, role: 'worker', localpart: 'ana', remote });
    await again.sync.push();
    expect(published(remote, 'lanes/ana', NOTES)).toContain('and more');
  });

  test('that another branch of the remote holds keeps nobody back who has merged it', async () => {
    const { ana, bo, remote } = await makeTeam();
    put(bo.dir, 'shared/tasks/t-bo/workspace/n.md', `${LINE}\n`);
    byHand(bo.dir, 'published by hand');
    git(bo.dir, 'push', '-q', 'origin', 'lanes/bo');
    git(ana.dir, 'fetch', '-q', 'origin');
    git(ana.dir, 'merge', '-q', '--no-edit', 'origin/lanes/bo');
    put(ana.dir, NOTES, 'mine\n');
    byHand(ana.dir, 'mine');
    await ana.sync.push();
    expect(published(remote, 'lanes/ana', NOTES)).toBe('mine\n');
  });

  test('in such a commit is pushed once the team allows it', async () => {
    const { lead, remote } = await makeTeam();
    put(lead.dir, SPEC, `${LINE}\n`);
    byHand(lead.dir, 'a sample');
    expect(await refusalOf(lead.sync.push())).toMatchObject({ code: 'sync-failed' });
    allow(lead.dir, LINE);
    await lead.sync.adopt(['shared/team.json']);
    expect(published(remote, 'main', SPEC)).toBe(`${LINE}\n`);
  });

  test('that others have published holds up nobody who has pulled it by hand', async () => {
    const { folder, ana, remote } = await makeTeam();
    const person = `${folder}/person`;
    git(folder, 'clone', '-q', remote, person);
    put(person, SPEC, `${LINE}\n`);
    byHand(person, 'a person knows better');
    git(person, 'push', '-q');
    git(ana.dir, 'fetch', '-q', remote, 'main');
    git(ana.dir, 'merge', '-q', '--no-edit', 'FETCH_HEAD');
    put(ana.dir, NOTES, 'fine\n');
    byHand(ana.dir, 'my own');
    await ana.sync.push();
    expect(published(remote, 'lanes/ana', NOTES)).toBe('fine\n');
  });

  test('that the team allows is taken from a lane', async () => {
    const { ana, lead, remote } = await makeTeam();
    allow(lead.dir, LINE);
    await lead.sync.adopt(['shared/team.json']);
    put(ana.dir, NOTES, `${LINE}\n`);
    byHand(ana.dir, 'a sample');
    git(ana.dir, 'push', '-q', 'origin', 'lanes/ana');
    expect((await lead.sync.pull()).refusals).toEqual([]);
    await lead.sync.push();
    expect(published(remote, 'main', NOTES)).toBe(`${LINE}\n`);
  });
});
