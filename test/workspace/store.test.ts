import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WorkspaceView } from '../../src/protocol/view.ts';
import { createWorkTree } from '../../src/workspace/store.ts';
import { testFolder } from '../support/folders.ts';
import { aliveBytes } from '../support/memory.ts';

const TASK = 'shared/tasks/t-1/meta.json';

function put(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

const record = (id: string, title: string): string =>
  JSON.stringify({ task_id: id, project_id: 'p', task_title: title });

/** A clock at which everything that was written just now is long settled. */
const later = { millis: () => Date.now() + 60_000 };

describe('reading', () => {
  test('sees what people change between two views, in every way that keeps a file the same at first sight', () => {
    const root = testFolder();
    put(root, 'shared/a.md', 'one');
    const tree = createWorkTree(root, { millis: Date.now });
    const seen = (): string | undefined => tree.view().text('shared/a.md');
    expect(seen()).toBe('one');
    put(root, 'shared/a.md', 'two');
    expect(seen()).toBe('two');
    const { atime, mtime } = statSync(join(root, 'shared/a.md'));
    put(root, 'shared/a.md', 'six');
    utimesSync(join(root, 'shared/a.md'), atime, mtime);
    expect(seen()).toBe('six');
    put(root, 'shared/b.md', 'ten');
    renameSync(join(root, 'shared/b.md'), join(root, 'shared/a.md'));
    expect(seen()).toBe('ten');
    rmSync(join(root, 'shared/a.md'));
    expect(seen()).toBeUndefined();
    put(root, 'shared/a.md', 'back');
    expect(seen()).toBe('back');
  });

  test('tells from outside that a file is what it was, and never that one is which was changed', async () => {
    const root = testFolder();
    const file = join(root, 'shared/a.md');
    const now = Date.now();
    put(root, 'shared/a.md', 'one');
    expect(createWorkTree(root, { millis: () => now }).stamp('shared/a.md'), 'written just now').toBeUndefined();
    const tree = createWorkTree(root, later);
    const first = tree.stamp('shared/a.md');
    expect(first).toBeDefined();
    expect(tree.stamp('shared/a.md')).toBe(first);
    const { atime, mtime } = statSync(file);
    // File systems count in ticks: what is settled is older than one.
    await wait(20);
    put(root, 'shared/a.md', 'six');
    utimesSync(file, atime, mtime);
    const second = tree.stamp('shared/a.md');
    put(root, 'shared/b.md', 'ten');
    utimesSync(join(root, 'shared/b.md'), atime, mtime);
    renameSync(join(root, 'shared/b.md'), file);
    expect(new Set([undefined, first, second, tree.stamp('shared/a.md')]).size).toBe(4);
    renameSync(file, join(root, 'shared/c.md'));
    symlinkSync('c.md', file);
    symlinkSync('shared', join(root, 'linked'));
    const none = ['shared/a.md', 'shared/none.md', 'shared', 'linked/c.md'].map((path) => tree.stamp(path));
    expect(none).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('reads only the end of a file where no more is wanted', () => {
    const root = testFolder();
    put(root, 'shared/a.jsonl', 'öne\ntwo\n');
    const tree = createWorkTree(root);
    expect(tree.tail('shared/a.jsonl', 5)).toEqual({ size: 9, bytes: Buffer.from('two\n') });
    expect(tree.tail('shared/a.jsonl', 0)?.bytes).toEqual(tree.bytes('shared/a.jsonl'));
    expect(tree.tail('shared/a.jsonl', Number.POSITIVE_INFINITY)).toEqual({ size: 9, bytes: Buffer.of() });
    expect(tree.tail('shared/none.jsonl', 0)).toBeUndefined();
  });

  test('sees new and removed files in listings at once, however fast they follow each other', () => {
    const root = testFolder();
    const tree = createWorkTree(root, { millis: Date.now });
    for (let count = 0; count < 50; count += 1) {
      put(root, `shared/tasks/t-${count}/meta.json`, '{}');
      expect(tree.view().taskIds().length).toBe(count + 1);
    }
    rmSync(join(root, 'shared/tasks/t-7'), { recursive: true });
    expect(tree.view().taskIds()).not.toContain('t-7');
  });

  test('keeps the parsed form of what did not change', () => {
    const root = testFolder();
    put(root, 'shared/projects/p/plan.md', '## DAG Task Plan\n\n- [ ] a — A\n');
    const tree = createWorkTree(root, later);
    const plan = tree.view().project('p')?.plan;
    expect(tree.view().project('p')?.plan).toBe(plan);
    put(root, 'shared/projects/p/plan.md', '## DAG Task Plan\n\n- [ ] b — B\n');
    expect(
      tree
        .view()
        .project('p')
        ?.plan.nodes.map(({ id }) => id),
    ).toEqual(['b']);
  });

  test('keeps no log that is full beyond the view that asked for it', () => {
    const root = testFolder('tree');
    const paths = Array.from(
      { length: 40 },
      (_, index) => `shared/events/2026-09/lead@${String(index + 2).padStart(4, '0')}.jsonl`,
    );
    for (const path of paths) put(root, path, `${path.repeat(12_000)}\n`);
    const tree = createWorkTree(root, later);
    const before = aliveBytes();
    const readAll = (view: WorkspaceView): number => paths.filter((path) => view.text(path) !== undefined).length;
    expect(readAll(tree.view())).toBe(40);
    expect(tree.view().list('shared/events/')).toEqual(['2026-09/']);
    // Each of the forty has half a million characters.
    expect(aliveBytes() - before).toBeLessThan(2_000_000);
  });

  test('answers a view from one moment only, whatever happens meanwhile', () => {
    const root = testFolder();
    put(root, 'shared/a.md', 'one');
    const tree = createWorkTree(root);
    const view = tree.view();
    expect(view.text('shared/a.md')).toBe('one');
    put(root, 'shared/a.md', 'two');
    expect(view.text('shared/a.md')).toBe('one');
    expect(tree.view().text('shared/a.md')).toBe('two');
  });

  test('with a watcher, checks what a command looks at and trusts the rest of a long look until it is told', () => {
    const root = testFolder();
    for (let count = 100; count < 200; count += 1)
      put(root, `shared/tasks/t-${count}/meta.json`, record(`t-${count}`, 'old'));
    const tree = createWorkTree(root, { ...later, watched: true });
    const titles = (): string[] => {
      const view = tree.view();
      return view.taskIds().map((id) => view.task(id)?.meta?.task_title ?? '');
    };
    expect(new Set(titles())).toEqual(new Set(['old']));
    put(root, 'shared/tasks/t-199/meta.json', record('t-199', 'new'));
    expect(tree.view().task('t-199')?.meta?.task_title).toBe('new');
    put(root, 'shared/tasks/t-199/meta.json', record('t-199', 'newer'));
    expect(titles().at(-1)).toBe('new');
    tree.invalidate(['shared/tasks/t-199/meta.json']);
    expect(titles().at(-1)).toBe('newer');
  });

  test('reports what is no text with file, rule and line, and reads all else', () => {
    const root = testFolder();
    put(root, TASK, Buffer.from([0x7b, 0x0a, 0xff, 0x0a]));
    put(root, 'shared/tasks/t-2/meta.json', '{');
    put(root, 'shared/outside.json', '{}');
    mkdirSync(join(root, 'shared/tasks/t-3'));
    symlinkSync(join(root, 'shared/outside.json'), join(root, 'shared/tasks/t-3/meta.json'));
    put(root, 'shared/tasks/t-4/meta.json', '');
    execFileSync('truncate', ['--size=17M', join(root, 'shared/tasks/t-4/meta.json')]);
    put(root, 'shared/tasks/t-5/meta.json/inside', '');
    const found = createWorkTree(root).view().diagnostics();
    expect(found.map(({ file, rule, line }) => [file, rule, line])).toEqual([
      [TASK, 'file-not-utf8', 2],
      ['shared/tasks/t-2/meta.json', 'json-invalid', 1],
      ['shared/tasks/t-3/meta.json', 'file-symlink', 1],
      ['shared/tasks/t-4/meta.json', 'file-too-large', 1],
      ['shared/tasks/t-5/meta.json', 'meta-missing', 1],
    ]);
  });

  test.skipIf(process.getuid?.() === 0)(
    'reports a file that it may not read (skipped as root, who may read all)',
    () => {
      const root = testFolder();
      put(root, TASK, '{}');
      chmodSync(join(root, TASK), 0o000);
      expect(
        createWorkTree(root)
          .view()
          .task('t-1')
          ?.diagnostics.map(({ rule }) => rule),
      ).toEqual(['file-unreadable']);
    },
  );

  test('follows no link to a directory', () => {
    const root = testFolder();
    const elsewhere = testFolder();
    put(elsewhere, 'meta.json', '{"secret":1}');
    mkdirSync(join(root, 'shared/tasks'), { recursive: true });
    symlinkSync(elsewhere, join(root, 'shared/tasks/t-1'));
    const tree = createWorkTree(root);
    expect(tree.view().taskIds()).toEqual([]);
    expect(tree.view().text(TASK)).toBeUndefined();
    expect(tree.view().exists(TASK)).toBe(false);
    expect(tree.view().exists('shared/tasks/t-1/')).toBe(false);
    expect(tree.view().list('shared/tasks/t-1/')).toEqual([]);
    expect(() => tree.bytes(TASK)).toThrow('shared/tasks/t-1 is a symbolic link');
    expect(() => tree.tail(TASK, 0)).toThrow('shared/tasks/t-1 is a symbolic link');
    expect(() => tree.writeBytes(TASK, bytes('x'))).toThrow('shared/tasks/t-1 is a symbolic link');
    expect(() => tree.removeFile(TASK)).toThrow('shared/tasks/t-1 is a symbolic link');
    expect(readFileSync(join(elsewhere, 'meta.json'), 'utf8')).toBe('{"secret":1}');
  });
});

describe('writing', () => {
  test('replaces a file whole and leaves no temp file', () => {
    const root = testFolder();
    const tree = createWorkTree(root);
    tree.writeBytes('shared/a/b/c.md', bytes('one'));
    tree.writeBytes('shared/a/b/c.md', bytes('two'));
    expect(readdirSync(join(root, 'shared/a/b'))).toEqual(['c.md']);
    expect(tree.bytes('shared/a/b/c.md')).toEqual(Buffer.from('two'));
    expect(tree.view().text('shared/a/b/c.md')).toBe('two');
  });

  test('is seen by views that begin afterwards, also with a watcher that has said nothing yet', () => {
    const root = testFolder();
    const tree = createWorkTree(root, { ...later, watched: true });
    expect(tree.view().taskIds()).toEqual([]);
    tree.writeBytes(TASK, bytes('{}'));
    expect(tree.view().taskIds()).toEqual(['t-1']);
    tree.removeFile(TASK);
    expect(tree.view().taskIds()).toEqual([]);
  });

  test('removes a file with the directories that it leaves empty, and nothing else', () => {
    const root = testFolder();
    const tree = createWorkTree(root);
    tree.writeBytes('shared/a/b/c.md', bytes('c'));
    tree.writeBytes('shared/a/d.md', bytes('d'));
    tree.removeFile('shared/a/b/c.md');
    tree.removeFile('shared/a/b/absent.md');
    expect(readdirSync(join(root, 'shared/a'))).toEqual(['d.md']);
    tree.removeFile('shared/a/d.md');
    expect(existsSync(root)).toBe(true);
    expect(readdirSync(root)).toEqual([]);
  });

  test('says what could not be written and why', () => {
    const root = testFolder();
    put(root, 'shared/a', 'a file');
    expect(() => createWorkTree(root).writeBytes('shared/a/b.md', bytes('x'))).toThrow(
      expect.objectContaining({
        code: 'bad-workspace',
        message: expect.stringContaining('shared/a/b.md cannot be written') as string,
      }) as Error,
    );
  });

  test('is refused for every path that is not a plain one inside the workspace', () => {
    const root = join(testFolder(), 'root');
    mkdirSync(root);
    const tree = createWorkTree(root);
    const hostile = [
      '',
      '/',
      '/etc/passwd',
      '../outside',
      'shared/../../outside',
      'shared/./a',
      'shared//a',
      'shared\\a',
      '.git/config',
      'shared/.GIT/hooks/pre-commit',
      '.baton/node.lock',
      '.Baton/x',
      'shared/a\0b',
    ];
    for (const path of hostile) {
      expect(() => tree.writeBytes(path, bytes('x')), path).toThrow("is not a path of the workspace's files");
      expect(() => tree.bytes(path), path).toThrow("is not a path of the workspace's files");
      expect(() => tree.removeFile(path), path).toThrow("is not a path of the workspace's files");
    }
    expect(readdirSync(dirname(root))).toEqual(['root']);
    expect(readdirSync(root)).toEqual([]);
  });

  test('never leaves the workspace, whatever the path is made of', () => {
    const folder = testFolder();
    const root = join(folder, 'root');
    mkdirSync(root);
    const tree = createWorkTree(root);
    const part = fc.oneof(fc.constantFrom('..', '.', '', '/', '\\', 'a', '.git', '~', '%2e', 'C:'), fc.string());
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        try {
          tree.writeBytes(parts.join('/'), bytes('x'));
        } catch {
          // Refused: nothing to look for.
        }
        expect(readdirSync(folder)).toEqual(['root']);
        expect(existsSync(join(root, '.git'))).toBe(false);
      }),
    );
  });

  test('shows a reader in another process the old bytes or the new ones, never a torn file', async () => {
    const root = testFolder();
    const tree = createWorkTree(root);
    const old = 'a'.repeat(300_000);
    const next = 'b'.repeat(300_000);
    tree.writeBytes('shared/big', bytes(old));
    const { spawn } = await import('node:child_process');
    const script = `const {readFileSync}=require('node:fs');let n=0;process.stdout.write('up');
      setInterval(()=>{for(let i=0;i<20;i++){const t=readFileSync(process.argv[1],'utf8');
      if(t.length!==300000||(!/^a+$/.test(t)&&!/^b+$/.test(t))){process.exit(3)}n++}},0);
      process.stdin.on('data',()=>process.exit(n>0?0:4));`;
    const child = spawn(process.execPath, ['-e', script, join(root, 'shared/big')]);
    await new Promise((up) => child.stdout.once('data', up));
    for (let round = 0; round < 60; round += 1) {
      tree.writeBytes('shared/big', bytes(round % 2 === 0 ? next : old));
      await new Promise((turn) => setImmediate(turn));
    }
    child.stdin.write('stop');
    expect(await new Promise((exit) => child.once('exit', exit))).toBe(0);
  });

  test('survives being killed in the middle: the file is whole, and what is left over is invisible', async () => {
    const root = testFolder();
    const { spawn } = await import('node:child_process');
    const store = new URL('../../src/workspace/store.ts', import.meta.url).href;
    const script = `import {createWorkTree} from ${JSON.stringify(store)};
      const tree=createWorkTree(process.argv[1]);
      for(let n=0;;n++){tree.writeBytes('shared/f',Buffer.from(String.fromCharCode(97+n%26).repeat(200000)));
      if(n===0)process.stdout.write('up')}`;
    for (let round = 0; round < 8; round += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, root]);
      await new Promise((up) => child.stdout.once('data', up));
      const gone = new Promise((exit) => child.once('exit', exit));
      child.kill('SIGKILL');
      await gone;
      const tree = createWorkTree(root);
      expect(tree.view().text('shared/f')).toMatch(/^([a-z])\1{199999}$/);
      expect(tree.view().list('shared/')).toEqual(['f']);
      expect(tree.files('shared/')).toEqual({ paths: ['shared/f'], problems: [] });
    }
  });
});

describe('listing files below a path', () => {
  test('gives files sorted, and links, repositories and pipes as problems', () => {
    const root = testFolder();
    put(root, 'shared/t/b.md', '');
    put(root, 'shared/t/a/c.md', '');
    put(root, 'shared/t/.baton-tmp-1-1', '');
    put(root, 'shared/t/sub/.git/config', '');
    symlinkSync('/etc', join(root, 'shared/t/link'));
    execFileSync('mkfifo', [join(root, 'shared/t/pipe')]);
    const { paths, problems } = createWorkTree(root).files('shared/t/');
    expect(paths).toEqual(['shared/t/a/c.md', 'shared/t/b.md']);
    expect(problems.map(({ rule, message }) => `${rule}: ${message}`).sort()).toEqual([
      'file-not-plain: shared/t/pipe is neither a file nor a directory',
      'file-not-plain: shared/t/sub/.git is a git repository of its own',
      'file-symlink: shared/t/link is a symbolic link',
    ]);
  });

  test('gives a single file, and nothing for what is not there', () => {
    const root = testFolder();
    put(root, 'shared/t/b.md', '');
    const tree = createWorkTree(root);
    expect(tree.files('shared/t/b.md').paths).toEqual(['shared/t/b.md']);
    expect(tree.files('shared/t/b.md/')).toEqual({ paths: [], problems: [] });
    expect(tree.files('shared/absent/')).toEqual({ paths: [], problems: [] });
  });
});

describe('a preview', () => {
  test('shows the tree as it will be, adopts what stands on disk, and writes nothing', () => {
    const root = testFolder();
    put(root, 'shared/tasks/t-1/workspace/a.txt', 'made by hand');
    const tree = createWorkTree(root);
    const draft = tree.draft();
    draft.add([
      { kind: 'write', path: TASK, text: record('t-1', 'T') },
      { kind: 'adopt', path: 'shared/tasks/t-1/workspace/' },
    ]);
    const view = draft.view();
    expect(view.task('t-1')?.meta?.task_title).toBe('T');
    expect(view.text('shared/tasks/t-1/workspace/a.txt')).toBe('made by hand');
    expect(existsSync(join(root, TASK))).toBe(false);
    expect(tree.view().task('t-1')?.meta).toBeUndefined();
  });
});
