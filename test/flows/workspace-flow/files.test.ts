import { beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/protocol/records/types.ts';
import { isExcluded } from '../../../src/flows/workspace-flow/shared-path.ts';
import { ana, bo, createOffice, lead, ok, refused } from '../office.ts';
import type { Office } from '../office.ts';

let office: Office;
const files = (action: string, payload: unknown, actor: Actor = ana) => office.call(actor, 'filesync', action, payload);
const refusal = (action: string, payload: unknown, actor: Actor = ana) =>
  refused(office, () => files(action, payload, actor));

beforeEach(() => {
  office = createOffice({
    files: {
      'shared/tasks/st-01/spec.md': 'Do it\n',
      'shared/tasks/st-01/base/in.csv': 'a\n',
      'shared/tasks/st-01/workspace/out.csv': 'ä\n',
      'shared/tasks/st-01/workspace/tmp/x': 'x',
      'shared/projects/p/plan.md': '# Plan\n',
      'global-shared/style.md': 'Be kind.\n',
    },
  });
  office.put({ task_id: 'st-01' });
});

describe('paths', () => {
  test('a project or task without its slash is its folder, also as plain text', async () => {
    const folder = { path: 'shared/tasks/st-01/', kind: 'shared', localPath: 'shared/tasks/st-01/' };
    const envelope = { ok: true, tool: 'filesync', action: 'pull', ...folder, pulled: true };
    expect(await files('pull', { path: 'shared/tasks/st-01' })).toEqual(envelope);
    expect(await files('pull', 'shared/tasks/st-01')).toEqual(envelope);
    expect(await files('pull', { path: 'shared/tasks/st-01/' })).toEqual(envelope);
    expect(await files('list', { path: 'shared/tasks/st-01/workspace' })).toMatchObject({
      path: 'shared/tasks/st-01/workspace/',
    });
  });

  test('a file stays a file, and stat takes every path as it is', async () => {
    expect(await files('pull', { path: 'shared/tasks/st-01/spec.md' })).toMatchObject({
      path: 'shared/tasks/st-01/spec.md',
    });
    expect(await files('stat', { path: 'shared/tasks/st-01' })).toEqual({
      ok: true,
      tool: 'filesync',
      action: 'stat',
      path: 'shared/tasks/st-01',
      kind: 'shared',
      localPath: 'shared/tasks/st-01',
      exists: true,
      type: 'directory',
    });
  });

  test.each(['pull', 'push', 'stat', 'list'])('%s refuses what is no shared path', async (action) => {
    expect(await refusal(action, {})).toBe('invalid-argument: path is required');
    expect(await refusal(action, { path: ' ' })).toBe('invalid-argument: path is required');
    expect(await refusal(action, { path: '/etc/passwd' })).toMatch(/^invalid-argument: .*relative shared path/);
    expect(await refusal(action, { path: 'shared/../baton.json' })).toMatch(/^invalid-argument: .*must not contain/);
    expect(await refusal(action, { path: 'shared//tasks' })).toMatch(/^invalid-argument: .*must not contain/);
    expect(await refusal(action, { path: String.raw`shared\tasks` })).toMatch(
      /^invalid-argument: .*relative shared path/,
    );
    expect(await refusal(action, { path: 'src/app.ts' })).toMatch(/must start with shared\/ or global-shared\//);
    expect(await refusal(action, { path: 'global-shared' })).toMatch(/must start with shared\/ or global-shared\//);
  });

  test('other actions are named', async () => {
    expect(await refusal('sync', { path: 'shared/tasks/st-01' })).toBe(
      'invalid-argument: action must be one of: pull, push, stat, list',
    );
  });
});

describe('pull, stat and list', () => {
  test('pull refuses what is not there', async () => {
    expect(await refusal('pull', { path: 'shared/tasks/st-09' })).toBe(
      'not-found: path not found: shared/tasks/st-09/',
    );
  });

  test('stat tells size and kind, or that nothing is there', async () => {
    expect(await files('stat', { path: 'shared/tasks/st-01/workspace/out.csv' })).toMatchObject({
      exists: true,
      type: 'file',
      size: 3,
    });
    expect(await files('stat', { path: 'shared/tasks/st-01/' })).toMatchObject({ exists: true, type: 'directory' });
    expect(await files('stat', { path: 'shared/tasks/st-09' })).toMatchObject({ exists: false });
    expect(await files('stat', { path: 'global-shared/style.md' })).toMatchObject({
      kind: 'global-shared',
      exists: true,
    });
  });

  test('list names what is directly in a folder', async () => {
    expect(await files('list', { path: 'shared/tasks/st-01' })).toMatchObject({
      entries: ['base/', 'meta.json', 'spec.md', 'workspace/'],
    });
    expect(await files('list', { path: 'shared/tasks/st-01/spec.md' })).toMatchObject({ entries: ['spec.md'] });
    expect(await files('list', { path: 'shared/tasks/st-09' })).toMatchObject({ entries: [] });
  });
});

describe('push', () => {
  test("takes a Worker's task folder as a whole, so that deletions travel", async () => {
    const answer = await files('push', { path: 'shared/tasks/st-01', exclude: ['spec.md', 'base/'] });
    expect(answer).toEqual({
      ok: true,
      tool: 'filesync',
      action: 'push',
      path: 'shared/tasks/st-01/',
      kind: 'shared',
      localPath: 'shared/tasks/st-01/',
      exclude: ['spec.md', 'base/'],
      pushed: true,
      commit: 'c0ffee',
      synced: true,
    });
    expect(office.adopted).toEqual(['shared/tasks/st-01/']);
  });

  test('leaves out what the caller excludes', async () => {
    await ok(files('push', { path: 'shared/tasks/st-01', exclude: '["workspace/tmp/", "meta.json"]' }));
    expect(office.adopted).toEqual(['shared/tasks/st-01/workspace/out.csv']);
  });

  test("takes of a mixed folder what is the actor's", async () => {
    await ok(files('push', { path: 'shared/tasks/st-01' }, lead));
    expect(office.adopted).toEqual([
      'shared/tasks/st-01/base/in.csv',
      'shared/tasks/st-01/meta.json',
      'shared/tasks/st-01/spec.md',
    ]);
  });

  test('takes one file', async () => {
    await ok(files('push', { path: 'shared/tasks/st-01/workspace/out.csv' }));
    expect(office.adopted).toEqual(['shared/tasks/st-01/workspace/out.csv']);
  });

  test('is refused for what belongs to others, is read-only, or is not there', async () => {
    expect(await refusal('push', { path: 'shared/projects/p' })).toMatch(
      /^not-owner: shared\/projects\/p\/ belongs to the leader: /,
    );
    expect(await refusal('push', { path: 'shared/tasks/st-01' }, bo)).toMatch(
      /^not-owner: shared\/tasks\/st-01\/ belongs to the /,
    );
    expect(await refusal('push', { path: 'shared/tasks/st-01/spec.md' })).toMatch(/^not-owner: /);
    expect(await refusal('push', { path: 'global-shared/style.md' }, lead)).toBe(
      'not-owner: global-shared is read-only: global-shared/style.md',
    );
    expect(await refusal('push', { path: 'shared/tasks/st-09' })).toBe(
      'not-found: local path not found: shared/tasks/st-09/',
    );
    expect(await refusal('push', { path: 'shared/tasks/st-01', exclude: 'x' })).toBe(
      'invalid-argument: exclude must be a list',
    );
    expect(await refusal('push', { path: 'shared/tasks/st-01', exclude: {} })).toBe(
      'invalid-argument: exclude must be a list',
    );
    expect(office.adopted).toEqual([]);
  });
});

test.each([
  ['spec.md', 'spec.md', true],
  ['spec.md', 'workspace/spec.md', false],
  ['base/', 'base/in.csv', true],
  ['base', 'base/in.csv', true],
  ['base/**', 'base/deep/in.csv', true],
  ['base/', 'based.md', false],
  ['*.log', 'run.log', true],
  ['*.log', 'logs/run.log', false],
  ['a.b', 'aXb', false],
  ['', 'x', false],
])('exclude %j of %j: %s', (pattern, file, expected) => {
  expect(isExcluded('shared/tasks/t/', `shared/tasks/t/${file}`, [pattern])).toBe(expected);
});
