import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { addRemote, configuredAuthor, firstCommit, initBare, initRepository } from '../../../src/adapters/git/setup.ts';
import type { Git, TreeEdit } from '../../../src/ports-git.ts';
import { testFolder } from '../../support/folders.ts';
import { git as plain } from '../../support/git.ts';
import { put } from '../../sync/workshop.ts';

const AUTHOR = { name: 'Pat', email: 'pat@local' };
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const content = (path: string, text: string): TreeEdit => ({
  path,
  kind: 'content',
  mode: '100644',
  content: bytes(text),
});

async function makeClone(name = 'git'): Promise<{ dir: string; git: Git; head: string }> {
  const dir = join(testFolder(name), 'w');
  await initRepository(dir, 'main');
  put(dir, 'a.txt', 'one\ntwo\nthree\n');
  put(dir, 'd/b.txt', 'b\n');
  await firstCommit(dir, ['a.txt', 'd/b.txt'], 'first', AUTHOR);
  return { dir, git: await createGit({ dir }), head: plain(dir, 'rev-parse', 'HEAD') };
}

const commit = (git: Git, parents: readonly string[], edits: readonly TreeEdit[], message = 'm\n'): Promise<string> =>
  git.commit({ parents, edits, message, author: AUTHOR, at: 1_700_000_000 });

const named = (git: Git, id: string): Promise<readonly string[]> =>
  git.entries(id).then((entries) => entries.map(({ path }) => path));

async function makeRemote(): Promise<{ remote: string; dir: string; git: Git; head: string }> {
  const made = await makeClone('remote');
  const remote = join(made.dir, '../remote.git');
  await initBare(remote, 'main');
  return { ...made, remote };
}

describe('objects', () => {
  test('are written as a commit that changes only what it names', async () => {
    const { dir, git, head } = await makeClone();
    const id = await commit(
      git,
      [head],
      [content('d/c "q"\\.txt', 'c\n'), { path: 'a.txt', kind: 'remove' }],
      'subject\n\nbody é\n',
    );
    expect(plain(dir, 'log', '-1', '--format=%an|%ae|%cn|%ct|%P|%B', id)).toBe(
      `Pat|pat@local|Pat|1700000000|${head}|subject\n\nbody é`,
    );
    expect(await named(git, id)).toEqual(['d/b.txt', 'd/c "q"\\.txt']);
    expect(plain(dir, 'rev-parse', 'HEAD')).toBe(head);
    expect(plain(dir, 'fsck', '--strict')).not.toMatch(/error/);
  });

  test('may start a history, build on a given tree, and join many parents', async () => {
    const { git, head } = await makeClone();
    const root = await commit(git, [], [content('x', 'x')]);
    expect(await git.mergeBases(root, head)).toEqual([]);
    const [tree] = await git.resolve([`${head}^{tree}`]);
    const joined = await git.commit({
      parents: [root, head],
      tree: tree ?? '',
      edits: [content('y', 'y')],
      message: 'm\n',
      author: AUTHOR,
      at: 0,
    });
    expect(await named(git, joined)).toEqual(['a.txt', 'd/b.txt', 'y']);
    expect([await git.isAncestor(root, joined), await git.isAncestor(joined, head)]).toEqual([true, false]);
    expect([await git.count([joined], [head]), await git.count([joined], [], { merges: false })]).toEqual([2, 2]);
    expect(await git.describe(joined)).toEqual({ author: 'Pat <pat@local>', subject: 'm' });
  });

  test('are counted as git does when all of them are of one second', async () => {
    const { git } = await makeClone();
    const line = [await commit(git, [], [content('n', '')])];
    for (let index = 0; index < 22; index += 1) {
      line.push(await commit(git, line.slice(-1), [content('n', String(index))]));
    }
    const [early = '', late = ''] = [line.at(-15), line.at(-1)];
    expect(await git.count([early], [late])).toBe(0);
    expect(await git.count([late], [early])).toBe(14);
  });

  test('are read many at once, with absent and impossible names told apart from empty ones', async () => {
    const { git, head } = await makeClone();
    const id = await commit(git, [head], [content('empty', ''), content('nul', '\0\n\0')]);
    const names = [`${id}:empty`, `${id}:none`, `${id}:nul`, 'a\nb', `${id}:a.txt`, '-'];
    expect(
      (await git.read(names)).map((found) => (found === undefined ? undefined : Buffer.from(found).toString())),
    ).toEqual(['', undefined, '\0\n\0', undefined, 'one\ntwo\nthree\n', undefined]);
    expect(await git.sizes(names)).toEqual([0, undefined, 3, undefined, 14, undefined]);
    expect(await git.entries(id, 'd/')).toMatchObject([{ path: 'd/b.txt', mode: '100644' }]);
    expect(await git.entries(id, 'none')).toEqual([]);
  });

  test('are listed by directory, whatever way git takes a mode written', async () => {
    const { dir, git, head } = await makeClone();
    const id = await commit(git, [head], [content('ü', '')]);
    const [blob = '', folder = ''] = await git.resolve([`${head}:a.txt`, `${head}:d`]);
    const entry = (start: string, of: string): Buffer => Buffer.concat([Buffer.from(start), Buffer.from(of, 'hex')]);
    const padded = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      cwd: dir,
      input: Buffer.concat([entry('100644 a\0', blob), entry('040000 b\0', folder)]),
    });
    const list = [`${id}:`, `${id}:d`, `${id}:a.txt`, `${id}:none`, '-', padded.toString('utf8').trim()];
    const file = (name: string) => ({ name, isDirectory: false });
    const directory = (name: string) => ({ name, isDirectory: true });
    expect(await git.list(list)).toEqual([
      [file('a.txt'), directory('d'), file('ü')],
      [file('b.txt')],
      [],
      [],
      [],
      [file('a'), directory('b')],
    ]);
  });

  test('are compared by path, without guessing renames', async () => {
    const { git, head } = await makeClone();
    const id = await commit(git, [head], [{ path: 'a.txt', kind: 'remove' }, content('z.txt', 'one\ntwo\nthree\n')]);
    const changes = await git.diff(head, id);
    expect(changes.map(({ path, before, after }) => [path, before === undefined, after === undefined])).toEqual([
      ['a.txt', false, true],
      ['z.txt', true, false],
    ]);
    expect(await git.diff(id, id)).toEqual([]);
  });
});

describe('merging', () => {
  test('is left to git where lines do not meet, and told where they do', async () => {
    const { git, head } = await makeClone();
    const ours = await commit(git, [head], [content('a.txt', 'ONE\ntwo\nthree\n'), content('d/b.txt', 'ours\n')]);
    const theirs = await commit(git, [head], [content('a.txt', 'one\ntwo\nTHREE\n'), content('d/b.txt', 'theirs\n')]);
    const { tree, conflicts } = await git.merge(ours, theirs);
    expect(Buffer.from((await git.read([`${tree}:a.txt`]))[0] ?? []).toString()).toBe('ONE\ntwo\nTHREE\n');
    const ids = await git.resolve([`${head}:d/b.txt`, `${ours}:d/b.txt`, `${theirs}:d/b.txt`]);
    const [base, left, right] = ids.map((id) => ({ mode: '100644', id }));
    expect(conflicts).toEqual([{ path: 'd/b.txt', base, ours: left, theirs: right, displacedTo: undefined }]);
  });

  test('may be done on a base of one’s own choice', async () => {
    const { git, head } = await makeClone();
    const ours = await commit(git, [head], [content('a.txt', 'ours\n')]);
    const theirs = await commit(git, [ours], [content('d/b.txt', 'theirs\n')]);
    const { tree, conflicts } = await git.merge(head, theirs, ours);
    expect(conflicts).toEqual([]);
    expect(Buffer.from((await git.read([`${tree}:a.txt`]))[0] ?? []).toString()).toBe('one\ntwo\nthree\n');
    expect(await named(git, tree)).toEqual(['a.txt', 'd/b.txt']);
  });

  test('tells a file that met a directory under its own name', async () => {
    const { git, head } = await makeClone();
    const ours = await commit(git, [head], [content('x', 'file\n')]);
    const theirs = await commit(git, [head], [content('x/y', 'below\n')]);
    const { conflicts } = await git.merge(ours, theirs);
    expect(conflicts).toMatchObject([{ path: 'x', displacedTo: expect.stringMatching(/^x~/) as unknown }]);
  });

  test('of texts works line by line', async () => {
    const { git } = await makeClone();
    expect(await git.mergeText('1\n2\n3\n', '0\n2\n3\n', '1\n2\n4\n')).toBe('0\n2\n4\n');
    expect(await git.mergeText('1\n', '2\n', '3\n')).toBe(undefined);
  });
});

describe('refs and index', () => {
  test('refs move together or not at all', async () => {
    const { dir, git, head } = await makeClone();
    const next = await commit(git, [head], [content('n', 'n')]);
    const create = { ref: 'refs/heads/new', next: head, previous: null };
    expect(await git.updateRefs([create, { ref: 'refs/heads/main', next, previous: next }])).toBe(false);
    expect(plain(dir, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    expect(await git.updateRefs([create, { ref: 'refs/heads/main', next, previous: head }])).toBe(true);
    expect(await git.updateRefs([create])).toBe(false);
    expect(await git.updateRefs([{ ref: 'refs/heads/new', next: undefined }])).toBe(true);
    const facts = await git.facts();
    expect(facts).toEqual({ branch: 'main', operation: undefined, refs: new Map([['refs/heads/main', next]]) });
  });

  test('entries are set beside what a person has staged', async () => {
    const { dir, git, head } = await makeClone();
    put(dir, 'mine.txt', 'mine\n');
    plain(dir, 'add', 'mine.txt');
    const next = await commit(git, [head], [content('d/n', 'n'), { path: 'a.txt', kind: 'remove' }]);
    const [id = ''] = await git.resolve([`${next}:d/n`]);
    expect(
      await git.stage([
        { path: 'd/n', mode: '100644', id },
        { path: 'a.txt', id: undefined },
      ]),
    ).toBe(true);
    expect(plain(dir, 'ls-files').split('\n')).toEqual(['d/b.txt', 'd/n', 'mine.txt']);
    put(dir, '.git/index.lock', '');
    expect(await git.stage([{ path: 'd/n', id: undefined }])).toBe(false);
  });

  test('an unborn branch and a person’s operation are told', async () => {
    const dir = join(testFolder('unborn'), 'w');
    await initRepository(dir, 'main');
    const git = await createGit({ dir });
    expect(await git.facts()).toEqual({ branch: 'main', operation: undefined, refs: new Map() });
    mkdirSync(join(dir, '.git/rebase-merge'));
    expect((await git.facts()).operation).toBe('rebase');
  });
});

describe('the remote', () => {
  test('that is empty has no branches, and gets its first one', async () => {
    const { remote, git, head, dir } = await makeRemote();
    expect(await git.fetch(remote, ['main', 'lanes/*'])).toEqual({ kind: 'ok', refs: new Map() });
    expect(await git.push(remote, 'main', head)).toEqual({ kind: 'ok' });
    expect(await git.push(remote, 'main', head)).toEqual({ kind: 'ok' });
    expect(await git.fetch(remote, ['main', 'lanes/*'])).toEqual({
      kind: 'ok',
      refs: new Map([['refs/heads/main', head]]),
    });
    expect(plain(dir, 'rev-parse', 'origin/main')).toBe(head);
  });

  test('gives the branches that were asked for, and forgets lanes that are gone', async () => {
    const { remote, git, head } = await makeRemote();
    for (const branch of ['main', 'lanes/ana', 'lanes/b%2Fo', 'other']) await git.push(remote, branch, head);
    const both = await git.fetch(remote, ['main', 'lanes/*']);
    expect(both.kind === 'ok' ? [...both.refs.keys()] : both).toEqual([
      'refs/heads/lanes/ana',
      'refs/heads/lanes/b%2Fo',
      'refs/heads/main',
    ]);
    plain(remote, 'update-ref', '-d', 'refs/heads/lanes/ana');
    const less = await git.fetch(remote, ['main', 'lanes/*']);
    expect(less.kind === 'ok' ? [...less.refs.keys()] : less).toEqual(['refs/heads/lanes/b%2Fo', 'refs/heads/main']);
    plain(remote, 'update-ref', '-d', 'refs/heads/lanes/b%2Fo');
    expect(await git.fetch(remote, ['main', 'lanes/b%2Fo'])).toEqual({
      kind: 'ok',
      refs: new Map([['refs/heads/main', head]]),
    });
  });

  test('tells whoever is behind, and whom it does not let in', async () => {
    const { remote, git, head } = await makeRemote();
    const next = await commit(git, [head], [content('n', 'n')]);
    await git.push(remote, 'main', next);
    const other = await commit(git, [head], [content('o', 'o')]);
    expect(await git.push(remote, 'main', other)).toMatchObject({ kind: 'behind' });
    mkdirSync(join(remote, 'hooks'), { recursive: true });
    writeFileSync(join(remote, 'hooks/update'), '#!/bin/sh\necho protected >&2; exit 1\n', { mode: 0o755 });
    const onTop = await commit(git, [next], [content('o', 'o')]);
    expect(await git.push(remote, 'main', onTop)).toMatchObject({
      kind: 'denied',
      detail: expect.stringContaining('protected') as unknown,
    });
  });

  test('that is not there is told apart from one that does not answer', async () => {
    const { git, head, dir } = await makeRemote();
    expect(await git.fetch(join(dir, 'none.git'), ['main'])).toMatchObject({ kind: 'missing' });
    expect(await git.push(join(dir, 'none.git'), 'main', head)).toMatchObject({ kind: 'missing' });
    expect(await git.fetch('http://pat:s3cret@127.0.0.1:1/x.git', ['main'])).toMatchObject({
      kind: 'unreachable',
      detail: expect.not.stringContaining('s3cret') as unknown,
    });
    const silent = createServer(() => {});
    await new Promise<void>((ready) => {
      silent.listen(0, '127.0.0.1', ready);
    });
    onTestFinished(() => void silent.close());
    const impatient = await createGit({ dir, network: { quiet: 300, total: 5000 } });
    const { port } = silent.address() as AddressInfo;
    expect(await impatient.fetch(`http://127.0.0.1:${port}/x.git`, ['main'])).toEqual({
      kind: 'unreachable',
      detail: 'the remote did not answer in time',
    });
  });

  test('is never asked for anything by a name that looks like an option', async () => {
    const { git, head, remote } = await makeRemote();
    await expect(git.fetch('--upload-pack=evil', ['main'])).rejects.toMatchObject({ code: 'bad-config' });
    await expect(git.fetch(remote, ['--all'])).rejects.toMatchObject({ code: 'bad-config' });
    await expect(git.push('ext::evil', 'main', head)).rejects.toMatchObject({ code: 'bad-config' });
    await expect(git.push(remote, '--all', head)).rejects.toMatchObject({ code: 'bad-config' });
  });
});

describe('setting up', () => {
  test('names a remote, and gives it a new address', async () => {
    const { dir } = await makeClone();
    await addRemote(dir, 'origin', '/somewhere');
    await addRemote(dir, 'origin', '/elsewhere');
    await addRemote(dir, 'second', '/second');
    expect(plain(dir, 'remote', '-v')).toContain('origin\t/elsewhere (fetch)');
    expect(plain(dir, 'remote')).toBe('origin\nsecond');
  });

  test('changes nothing when it is done again', async () => {
    const { dir, head } = await makeClone();
    await initRepository(dir, 'other');
    expect(await firstCommit(dir, ['a.txt'], 'again', AUTHOR)).toBe(false);
    expect([plain(dir, 'rev-parse', 'HEAD'), plain(dir, 'symbolic-ref', 'HEAD')]).toEqual([head, 'refs/heads/main']);
  });

  test('knows the person', async () => {
    const home = testFolder('home');
    const env = { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
    expect(await configuredAuthor(env)).toBe(undefined);
    writeFileSync(join(home, '.gitconfig'), '[user]\nname = Pat\nemail = pat@local\n');
    expect(await configuredAuthor(env)).toEqual(AUTHOR);
  });
});
