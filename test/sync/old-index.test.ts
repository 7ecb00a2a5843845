import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Git } from '../../src/ports-git.ts';
import { git } from '../support/git.ts';
import { change, makeSolo, makeTeam, openNode, published, put, see, taskMeta, write } from './workshop.ts';
import type { Node, Place, Team } from './workshop.ts';

const RECORD = 'shared/tasks/t-last/meta.json';
const SPEC = 'shared/tasks/t-ana/spec.md';
const NOTES = 'notes.md';
const STEP = [write(RECORD, taskMeta('t-last', 'ana')), write(SPEC, '# Second edition\n')];

/** What happens to the node's own git, and what a person does with theirs, just when the branch has moved. */
interface Meddling {
  /** Before the index is told, and after it was. */
  readonly before?: () => void;
  readonly after?: () => void;
  readonly git?: (repository: Git) => Partial<Git>;
  readonly workTree?: (workTree: Node['workTree']) => Partial<Node['workTree']>;
}

const once = (work: (() => void) | undefined): (() => void) => {
  let isDone = false;
  return () => {
    if (!isDone) work?.();
    isDone = true;
  };
};

async function meddled(
  { place, sync }: { readonly place: Place; readonly sync: Node['sync'] },
  { before, after, git: own, workTree: disk }: Meddling,
): Promise<Node> {
  await sync.close();
  const [first, last] = [once(before), once(after)];
  const hand = (workTree: Node['workTree'], repository: Git): Pick<Node, 'workTree' | 'git'> => ({
    workTree: { ...workTree, ...disk?.(workTree) },
    git: {
      ...repository,
      ...own?.(repository),
      async stage(entries) {
        first();
        const told = await repository.stage(entries);
        last();
        return told;
      },
    },
  });
  return openNode(place, { hand });
}

const leader = ({ lead, remote }: Team): Parameters<typeof meddled>[0] => ({
  place: { dir: lead.dir, role: 'leader', localpart: 'lead', remote },
  sync: lead.sync,
});

function commitNotes(dir: string, ...flags: readonly string[]): void {
  put(dir, NOTES, 'mine\n');
  git(dir, 'add', NOTES);
  git(dir, 'commit', '-q', ...flags, '-m', 'notes');
}

/** Neither the specification nor the commit that keeps a step can be written, until there is room again. */
function fullDisk(): Pick<Required<Meddling>, 'git' | 'workTree'> & { readonly free: () => void } {
  let isFull = true;
  const full = (isWanted: boolean): void => {
    if (isFull && isWanted) throw new Error('the disk is full');
  };
  return {
    free: () => (isFull = false),
    git: (repository) => ({
      async commit(draft) {
        full(draft.message.includes('keep_step'));
        return repository.commit(draft);
      },
    }),
    workTree: (workTree) => ({
      writeBytes(path, bytes) {
        full(path === SPEC);
        workTree.writeBytes(path, bytes);
      },
    }),
  };
}

const MORE = 'more.md';

function commitMore(dir: string): void {
  put(dir, MORE, 'more\n');
  git(dir, 'add', MORE);
  git(dir, 'commit', '-q', '-m', 'more', '--', MORE);
}

const both = [taskMeta('t-last', 'ana'), '# Second edition\n'];

describe('a commit by hand with an index from before a step', () => {
  test.each([
    ['of what is staged', []],
    ['of all that is known to git', ['-a']],
  ])('%s takes nothing of the step back', async (_, flags) => {
    const team = await makeTeam();
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir, ...flags) });
    await change(lead, STEP);
    await lead.sync.push();
    expect([RECORD, SPEC].map((path) => published(team.remote, 'main', path))).toEqual(both);
    expect(published(team.remote, 'main', NOTES)).toBe('mine\n');
    expect(git(lead.dir, 'status', '--porcelain')).toBe('');
    expect(git(lead.dir, 'log', '-3', '--format=%s')).toBe(
      ['workspace(keep_step)', 'notes', 'taskflow(test): t-ana'].join('\n'),
    );
    expect(lead.told).toEqual([expect.stringContaining('had taken back')]);
  });

  test('takes nothing back of what a lane brought', async () => {
    const team = await makeTeam();
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir) });
    const result = 'shared/tasks/t-ana/result.md';
    await change(team.ana, [write(result, 'done\n')]);
    await lead.sync.pull();
    await lead.sync.push();
    expect(published(team.remote, 'main', result)).toBe('done\n');
    await team.ana.sync.pull();
    expect(see(team.ana.dir, result)).toBe('done\n');
  });

  test('takes nothing back of a step of a worker', async () => {
    const team = await makeTeam();
    const ana = await meddled(
      { place: { dir: team.ana.dir, role: 'worker', localpart: 'ana', remote: team.remote }, sync: team.ana.sync },
      { before: () => commitNotes(team.ana.dir) },
    );
    const result = 'shared/tasks/t-ana/result.md';
    await change(ana, [write(result, 'done\n')]);
    await ana.sync.push();
    expect(published(team.remote, 'lanes/ana', result)).toBe('done\n');
  });

  test('takes nothing back without a remote', async () => {
    const solo = await makeSolo();
    const node = await meddled(
      { place: { dir: solo.dir, role: 'leader', localpart: 'lead' }, sync: solo.sync },
      { before: () => commitNotes(solo.dir) },
    );
    await change(node, STEP);
    await node.sync.pull();
    expect([RECORD, SPEC].map((path) => `${git(node.dir, 'show', `HEAD:${path}`)}\n`)).toEqual(both);
    expect(git(node.dir, 'status', '--porcelain')).toBe('');
  });

  test('takes nothing back when it is finished only after the index was told', async () => {
    const team = await makeTeam();
    const { dir } = team.lead;
    let tree = '';
    const lead = await meddled(leader(team), {
      before: () => {
        put(dir, NOTES, 'mine\n');
        git(dir, 'add', NOTES);
        tree = git(dir, 'write-tree');
      },
      after: () => git(dir, 'update-ref', 'HEAD', git(dir, 'commit-tree', '-p', 'HEAD', '-m', 'notes', tree), 'HEAD'),
    });
    await change(lead, STEP);
    await lead.sync.push();
    expect([RECORD, SPEC].map((path) => published(team.remote, 'main', path))).toEqual(both);
  });

  test('brings back no file that the step had put away', async () => {
    const team = await makeTeam();
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir) });
    await change(lead, [{ kind: 'remove', path: SPEC }]);
    await lead.sync.push();
    expect(published(team.remote, 'main', SPEC)).toBeUndefined();
    expect(see(lead.dir, SPEC)).toBeUndefined();
  });

  test('leaves what the person has written since into a file of the step as it is', async () => {
    const team = await makeTeam();
    const lead = await meddled(leader(team), {
      before: () => {
        commitNotes(team.lead.dir);
        put(team.lead.dir, SPEC, '# Second edition, and more\n');
      },
    });
    await change(lead, STEP);
    await lead.sync.push();
    expect(published(team.remote, 'main', SPEC)).toBe('# Second edition\n');
    expect(see(lead.dir, SPEC)).toBe('# Second edition, and more\n');
    await lead.sync.adopt([SPEC]);
    expect(published(team.remote, 'main', SPEC)).toBe('# Second edition, and more\n');
  });

  test('keeps what has to be kept of several steps', async () => {
    const team = await makeTeam();
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir) });
    const steps = ['one', 'two', 'three'].map((name) => `shared/projects/p/${name}.md`);
    await Promise.all(steps.map((path) => change(lead, [write(path, `${path}\n`)])));
    await lead.sync.push();
    expect(steps.map((path) => published(team.remote, 'main', path))).toEqual(steps.map((path) => `${path}\n`));
  });

  test('takes nothing back when it is made long after, with an index that another git has written back', async () => {
    const team = await makeTeam();
    const file = join(team.lead.dir, '.git/index');
    let old: Buffer | undefined;
    const lead = await meddled(leader(team), {
      before: () => (old = readFileSync(file)),
      after: () => writeFileSync(file, old ?? ''),
    });
    await change(lead, STEP);
    await lead.sync.pull();
    commitNotes(team.lead.dir);
    await lead.sync.push();
    expect([RECORD, SPEC].map((path) => published(team.remote, 'main', path))).toEqual(both);
  });

  test('takes nothing back when another follows while the step is being kept', async () => {
    const team = await makeTeam();
    const { dir } = team.lead;
    const second = once(() => commitMore(dir));
    const lead = await meddled(leader(team), {
      before: () => commitNotes(dir),
      git: (repository) => ({
        async commit(draft) {
          const made = await repository.commit(draft);
          if (draft.message.includes('keep_step')) second();
          return made;
        },
      }),
    });
    await change(lead, STEP);
    await lead.sync.push();
    expect([RECORD, SPEC].map((path) => published(team.remote, 'main', path))).toEqual(both);
    expect(published(team.remote, 'main', MORE)).toBe('more\n');
  });

  test('publishes nothing while the step cannot be kept', async () => {
    const team = await makeTeam();
    const { free, git: full } = fullDisk();
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir), git: full });
    await change(lead, STEP);
    await expect(lead.sync.push()).rejects.toThrow('the disk is full');
    free();
    await lead.sync.push();
    expect([RECORD, SPEC].map((path) => published(team.remote, 'main', path))).toEqual(both);
  });

  test('takes nothing back of what could not be written to the disk yet', async () => {
    const team = await makeTeam();
    const { free, workTree } = fullDisk();
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir), workTree });
    await change(lead, STEP);
    free();
    await lead.sync.push();
    await lead.sync.adopt([SPEC]);
    expect([RECORD, SPEC].map((path) => published(team.remote, 'main', path))).toEqual(both);
    expect(see(lead.dir, SPEC)).toBe('# Second edition\n');
  });

  test('takes nothing back of that either when the step cannot be kept at once', async () => {
    const team = await makeTeam();
    const { free, ...full } = fullDisk();
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir), ...full });
    await change(lead, STEP);
    await expect(lead.sync.push()).rejects.toThrow('the disk is full');
    free();
    await lead.sync.push();
    expect([RECORD, SPEC].map((path) => published(team.remote, 'main', path))).toEqual(both);
    expect(see(lead.dir, SPEC)).toBe('# Second edition\n');
  });

  test('takes nothing back where a folder has become a file', async () => {
    const team = await makeTeam();
    const [folder, file] = ['shared/projects/p/a/b.md', 'shared/projects/p/a'];
    await change(team.lead, [write(folder, 'b\n')]);
    const lead = await meddled(leader(team), { before: () => commitNotes(team.lead.dir) });
    await change(lead, [{ kind: 'remove', path: folder }, write(file, 'a\n')]);
    await lead.sync.push();
    expect(published(team.remote, 'main', file)).toBe('a\n');
  });

  test('takes nothing back of others, and brings nothing of them to the disk of a sparse clone', async () => {
    const team = await makeTeam();
    const { dir } = team.ana;
    await team.ana.sync.close();
    git(dir, 'sparse-checkout', 'set', '--no-cone', '/*', '!/shared/tasks/*/', '/shared/tasks/t-ana/');
    const place = { dir, role: 'worker', localpart: 'ana', remote: team.remote } as const;
    const first = once(() => commitNotes(dir));
    let isOpen = false;
    const ana = await openNode(place, {
      sparse: true,
      hand: (workTree, repository) => ({
        workTree,
        git: {
          ...repository,
          stage(entries) {
            if (isOpen) first();
            return repository.stage(entries);
          },
        },
      }),
    });
    await change(ana, [write('shared/tasks/t-ana/result.md', 'done\n')]);
    await change(team.lead, [write('shared/tasks/t-new/meta.json', taskMeta('t-new', 'bo')), ...STEP]);
    isOpen = true;
    await ana.sync.pull();
    await ana.sync.push();
    expect(git(dir, 'log', '--format=%s', '-1', '--grep', 'keep_step')).toContain('keep_step');
    expect(git(dir, 'show', 'HEAD:shared/tasks/t-new/meta.json')).toContain('t-new');
    expect([see(dir, 'shared/tasks/t-new/meta.json'), git(dir, 'status', '--porcelain')]).toEqual([undefined, '']);
  });
});
