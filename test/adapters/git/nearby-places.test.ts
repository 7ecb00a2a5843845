import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { git as plain } from '../../support/git.ts';
import { WANTED, commit, newGround, write } from './nearby-team.ts';

describe('a workspace that is one of several work trees of a repository', () => {
  test('works with a remote next door as any other, and leaves the others as they are', async () => {
    const { folder, remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    plain(lead.dir, 'update-ref', 'refs/heads/main', first);
    plain(lead.dir, 'reset', '-q', '--hard');
    const dir = join(folder, 'tree');
    plain(lead.dir, 'worktree', 'add', '-q', '-b', 'side', dir, first);
    const other = readFileSync(join(lead.dir, '.git/index'));
    const tree = { ...lead, dir, git: await createGit({ dir }) };
    await tree.git.fetch(remote, WANTED);

    const next = await commit(tree, [first], write('d/e', 'new\n'));
    expect(await tree.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
    const [id = ''] = await tree.git.resolve([`${next}:d/e`]);
    expect(await tree.git.stage([{ path: 'd/e', id: id ?? '', mode: '100644' }])).toBe(true);
    expect(plain(dir, 'ls-files').split('\n')).toEqual(['a/b', 'c', 'd/e']);
    expect(readFileSync(join(lead.dir, '.git/index'))).toEqual(other);

    await ana.git.fetch(remote, WANTED);
    const lane = await commit(ana, [next], write('f', 'of ana\n'));
    expect(await ana.git.push(remote, 'lanes/ana', lane)).toEqual({ kind: 'ok' });
    expect(await tree.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect(plain(dir, 'rev-parse', 'origin/lanes/ana')).toBe(lane);
    for (const where of [remote, dir, ana.dir]) expect(plain(where, 'fsck', '--full', '--no-dangling')).toBe('');
  });
});

describe('a path that git takes for another repository than one beside it', () => {
  test('is pushed to where git pushes: a file names the repository, and none is taken for it by its name', async () => {
    const { folder, remote, makeTeam } = newGround();
    const { lead, first } = await makeTeam();
    // `tree` is one more work tree of the remote, and `tree.git` something else.
    plain(remote, 'worktree', 'add', '-q', '-b', 'side', join(folder, 'tree'), first);
    const other = join(folder, 'tree.git');
    plain('/', 'clone', '-q', '--bare', remote, other);
    await lead.git.fetch(join(folder, 'tree'), WANTED);
    const next = await commit(lead, [first], write('c', 'next\n'));
    expect(await lead.git.push(join(folder, 'tree'), 'lanes/ana', next)).toEqual({ kind: 'ok' });
    expect([remote, other].map((dir) => plain(dir, 'rev-parse', 'lanes/ana'))).toEqual([next, first]);
  });

  test('is pushed to where the person’s own configuration sends it', async () => {
    const { folder, remote, makeTeam } = newGround();
    const { lead, first } = await makeTeam();
    const other = join(folder, 'other.git');
    plain('/', 'clone', '-q', '--bare', remote, other);
    const config = join(folder, 'person.gitconfig');
    writeFileSync(config, `[url "${other}"]\n\tinsteadOf = ${remote}\n`);
    const git = await createGit({ dir: lead.dir, env: { ...process.env, GIT_CONFIG_GLOBAL: config } });
    await git.fetch(remote, WANTED);
    const next = await commit(lead, [first], write('c', 'next\n'));
    expect(await git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
    expect([remote, other].map((dir) => plain(dir, 'rev-parse', 'main'))).toEqual([first, next]);
    const fetched = await git.fetch(remote, WANTED);
    expect(fetched.kind === 'ok' && fetched.refs.get('refs/heads/main')).toBe(next);
  });
});

describe('where names are told apart without case', () => {
  test('names that differ by case only stay two, as git is told to keep them', async () => {
    const { remote, makeTeam } = newGround();
    const { lead, ana, first } = await makeTeam();
    for (const dir of [remote, lead.dir, ana.dir]) plain(dir, 'config', 'core.ignoreCase', 'true');
    const before = [lead.talks(), ana.talks()];
    const next = await commit(lead, [first], write('A/B', 'one\n'), write('C', 'two\n'));
    expect(await lead.git.push(remote, 'main', next)).toEqual({ kind: 'ok' });
    expect(await ana.git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    expect([lead.talks(), ana.talks()]).toEqual(before);
    const entries = await ana.git.entries(next);
    expect(await ana.git.stage(entries)).toBe(true);
    expect(plain(ana.dir, 'ls-files').split('\n')).toEqual(['A/B', 'C', 'a/b', 'c']);
  });
});

describe('a remote next door that cannot be looked at', () => {
  test.each<[string, (remote: string) => void]>([
    ['has no configuration', (remote) => rmSync(join(remote, 'config'))],
    [
      'has a file in the place of its hooks',
      (remote) => {
        rmSync(join(remote, 'hooks'), { recursive: true, force: true });
        writeFileSync(join(remote, 'hooks'), '');
      },
    ],
  ])('as it %s, is left to git', async (_, prepare) => {
    const { remote, makeTeam } = newGround();
    const { lead, first } = await makeTeam();
    prepare(remote);
    const before = lead.talks();
    const next = await commit(lead, [first], write('c', 'next\n'));
    await lead.git.push(remote, 'main', next);
    expect(lead.talks()).toBe(before + 1);
  });
});

/** A user of this machine who is nobody in particular. */
const NOBODY = 65_534;
const MODULE = pathToFileURL(join(import.meta.dirname, '../../../src/adapters/git/git.ts')).href;
const PROGRAM = `
  const { createGit } = await import(${JSON.stringify(MODULE)});
  const [dir, remote, commit] = process.argv.slice(1);
  const git = await createGit({ dir });
  const fetched = await git.fetch(remote, ['main']);
  const pushed = await git.push(remote, 'main', commit);
  console.log(JSON.stringify({ fetched: fetched.kind, pushed: pushed.kind, detail: fetched.detail ?? pushed.detail }));
`;

const asNobody = (program: string, ...parameters: string[]): string =>
  execFileSync(process.execPath, ['--input-type=module', '-e', program, ...parameters], {
    uid: NOBODY,
    gid: NOBODY,
    encoding: 'utf8',
    env: { ...process.env, HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Only root may act as others, and others may not read just any folder. */
function canBeNobody(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    accessSync(import.meta.filename);
    asNobody(`await import(${JSON.stringify(MODULE)})`);
    return true;
  } catch {
    return false;
  }
}

function giveTo(uid: number, path: string): void {
  for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' })) chownSync(join(path, entry), uid, uid);
  chownSync(path, uid, uid);
}

const reason = canBeNobody() ? '' : ' (skipped: only root can run a node as another user, who may read this checkout)';

describe.skipIf(reason !== '')(`a node that runs as another user than root, with a remote next door${reason}`, () => {
  /** What a push of a commit more comes to, and whether it arrived. */
  async function pushAsNobody(prepare: (remote: string) => void): Promise<Record<string, unknown>> {
    const { folder, remote, makeTeam } = newGround();
    const { lead, first } = await makeTeam();
    const next = await commit(lead, [first], write('c', 'next\n'));
    chmodSync(folder, 0o755);
    giveTo(NOBODY, lead.dir);
    prepare(remote);
    const said = JSON.parse(asNobody(PROGRAM, lead.dir, remote, next)) as Record<string, unknown>;
    // Root is told of another's repository too, and looks at it all the same.
    const tip = readFileSync(join(remote, 'refs/heads/main'), 'utf8').trim();
    return { ...said, arrived: tip === next };
  }

  test('that is its own works', async () => {
    expect(await pushAsNobody((remote) => giveTo(NOBODY, remote))).toEqual({
      fetched: 'ok',
      pushed: 'ok',
      arrived: true,
    });
  });

  test.each<[string, (remote: string) => void]>([
    ['belongs to another user', () => {}],
    ['belongs to another user, who lets everybody write', (remote) => execFileSync('chmod', ['-R', '777', remote])],
  ])('that %s fails in the words of git', async (_, prepare) => {
    const seen = await pushAsNobody(prepare);
    expect(seen).toMatchObject({ fetched: 'unreachable', pushed: 'unreachable', arrived: false });
    expect(seen['detail']).toContain('dubious ownership');
  });

  test.each(['objects', 'refs'])('whose %s belong to another user is not moved, and git says why', async (part) => {
    const seen = await pushAsNobody((remote) => {
      giveTo(NOBODY, remote);
      giveTo(0, join(remote, part));
    });
    expect(seen).toMatchObject({ fetched: 'ok', pushed: 'denied', arrived: false });
    expect(seen['detail']).toMatch(/unpacker error|Permission denied/);
  });

  test('whose hooks it may not look at is left to git', async () => {
    const seen = await pushAsNobody((remote) => {
      giveTo(NOBODY, remote);
      mkdirSync(join(remote, 'hooks'), { recursive: true });
      chownSync(join(remote, 'hooks'), 0, 0);
      chmodSync(join(remote, 'hooks'), 0o700);
    });
    expect(seen).toEqual({ fetched: 'ok', pushed: 'ok', arrived: true });
  });
});
