import { describe, expect, test } from 'vitest';
import type { NamedChange } from '../../src/sync/lane-names.ts';
import { knownNames } from '../../src/sync/lane-names.ts';
import { git } from '../support/git.ts';
import { byHand, change, drop, makeSolo, makeTeam, published, put, write } from './workshop.ts';

const FOLDER = 'shared/tasks/t-ana/workspace';

const added = (path: string): NamedChange => ({
  path,
  before: undefined,
  after: { mode: '100644', id: 'f'.repeat(40) },
  inMain: undefined,
});

/** What stands against these additions to a commit that holds these files. */
async function problems(
  files: readonly string[],
  ...paths: readonly string[]
): Promise<readonly (string | undefined)[]> {
  const { git: repository } = await makeSolo();
  const author = { name: 'Pat', email: 'pat@local' };
  const edits = files.map((path) => ({ path, kind: 'content' as const, mode: '100644', content: Buffer.from(path) }));
  const commit = await repository.commit({ parents: [], edits, message: 'm\n', author, at: 1_700_000_000 });
  const table = await knownNames(repository, commit, paths.map(added));
  return paths.map((path) => table.problem(path)?.reason);
}

describe('what a lane adds', () => {
  test('may be no twin of what main has, in any part of its path, the first one too', async () => {
    expect(await problems(['a/docs/x'], 'a/Docs/y', 'a/docs/X', 'A/docs/y', 'a/docs/y')).toEqual([
      'case-twin',
      'case-twin',
      'case-twin',
      undefined,
    ]);
    expect(await problems(['a/\u{e9}'], 'a/e\u{301}', 'a/\u{c9}', 'a/\u{212a}', 'a/e')).toEqual([
      'case-twin',
      'case-twin',
      undefined,
      undefined,
    ]);
  });

  test('may lie in neither of two directories of main that differ by case only', async () => {
    expect(await problems(['a/Docs/x', 'a/docs/y'], 'a/docs/x')).toEqual(['case-twin']);
  });

  test('may take the place of no file and of no directory', async () => {
    expect(await problems(['a/b', 'c/d/e'], 'a/b/c', 'c/d', 'c/d/f')).toEqual(['not-owner', 'not-owner', undefined]);
  });
});

describe('a lane that was pushed with plain git', () => {
  test('brings no twin by changing what main has lost since', async () => {
    const { ana, lead, remote } = await makeTeam();
    const publish = async (): Promise<readonly string[]> => {
      byHand(ana.dir, 'by hand');
      git(ana.dir, 'push', '-q', '-f', 'origin', 'HEAD:refs/heads/lanes/ana');
      const { refusals } = await lead.sync.pull();
      await lead.sync.push();
      return refusals.map(({ path, reason }) => `${path}: ${reason}`);
    };
    put(ana.dir, `${FOLDER}/docs/y.md`, 'y\n');
    expect(await publish()).toEqual([]);
    const first = git(ana.dir, 'rev-parse', 'HEAD');
    drop(ana.dir, `${FOLDER}/docs/y.md`);
    put(ana.dir, `${FOLDER}/Docs/x.md`, 'x\n');
    expect(await publish()).toEqual([]);
    git(ana.dir, 'checkout', '-q', '-B', 'side', first);
    put(ana.dir, `${FOLDER}/docs/y.md`, 'changed\n');
    expect(await publish()).toContain(`${FOLDER}/docs/y.md: case-twin`);
    put(ana.dir, `${FOLDER}/docs/x.md`, 'rogue\n');
    expect(await publish()).toContain(`${FOLDER}/docs/x.md: case-twin`);
    const inMain = git(remote, 'ls-tree', '-r', '--name-only', 'main', `${FOLDER}/`).split('\n');
    expect(inMain).toEqual([`${FOLDER}/Docs/x.md`]);
  });
});

test('whose lane it is, is asked of main as it is at that moment', async () => {
  const { ana, lead, remote } = await makeTeam();
  const submit = async (path: string): Promise<readonly string[]> => {
    await change(ana, [write(path, 'x\n')]);
    const { refusals } = await lead.sync.pull();
    return refusals.map(({ reason }) => reason);
  };
  expect(await submit('shared/tasks/t-ana/progress/1.md')).toEqual([]);
  // The record of the agent goes, and another one comes whose name differs by case only.
  await change(lead, [
    { kind: 'remove', path: 'shared/agents/ana.json' },
    write('shared/agents/Ana.json', '{\n  "agent_id": "Ana",\n  "role": "worker",\n  "status": "IDLE"\n}\n'),
  ]);
  await submit('shared/tasks/t-ana/progress/2.md');
  expect(lead.told.join('\n')).toContain('the agent of this name is spelled Ana');
  expect(published(remote, 'main', 'shared/tasks/t-ana/progress/2.md')).toBeUndefined();
});
