import { describe, expect, test } from 'vitest';
import type { TreeReader } from '../../src/protocol/view.ts';
import { createParseCache } from '../../src/workspace/parse-cache.ts';
import { createView, memoryReader } from '../../src/workspace/snapshot.ts';

const PROJECT = JSON.stringify({ project_id: 'p-1', title: 'One', status: 'active' });
const PLAN = '# Team Project: One\n\n## DAG Task Plan\n\n**Plan Type**: dag\n\n- [ ] t-1 — First (assigned: ana)\n';
const TASK = JSON.stringify({
  task_id: 't-1',
  project_id: 'p-1',
  task_title: 'First',
  assigned_to: 'ana',
  room_id: '!team:local',
  status: 'assigned',
});
const ANA = JSON.stringify({ schema: 1, agent_id: 'ana', name: 'Ana', role: 'worker', status: 'IDLE' });

const files = {
  'shared/team.json': JSON.stringify({ schema: 1, name: 'demo' }),
  'shared/agents/ana.json': ANA,
  'shared/projects/p-1/meta.json': PROJECT,
  'shared/projects/p-1/plan.md': PLAN,
  'shared/tasks/t-1/meta.json': TASK,
  'shared/tasks/.gitkeep': '',
};

/** A reader that counts what it is asked for. */
function counting(reader: TreeReader): TreeReader & { readonly reads: string[] } {
  const reads: string[] = [];
  return {
    reads,
    read(path) {
      reads.push(path);
      return reader.read(path);
    },
    exists: (path) => reader.exists(path),
    list: (directory) => reader.list(directory),
  };
}

describe('a view of a workspace', () => {
  test('gives team, agents, projects and tasks as records', () => {
    const view = createView(memoryReader(files));
    expect(view.team.name).toBe('demo');
    expect(view.agents().map(({ agent_id }) => agent_id)).toEqual(['ana']);
    expect(view.agent('@Ana:local')?.name).toBe('Ana');
    expect(view.agent('bo')).toBeUndefined();
    expect(view.projectIds()).toEqual(['p-1']);
    expect(view.project('p-1')?.meta?.title).toBe('One');
    expect(view.project('p-1')?.planText).toBe(PLAN);
    expect(view.project('p-1')?.plan.nodes.map(({ id, assignee }) => [id, assignee])).toEqual([['t-1', 'ana']]);
    expect(view.taskIds()).toEqual(['t-1']);
    expect(view.task('t-1')?.meta?.status).toBe('assigned');
    expect(view.diagnostics()).toEqual([]);
  });

  test('gives a team with defaults, and nothing else, for an empty tree', () => {
    const view = createView(memoryReader({}));
    expect(view.team.name).toBe('team');
    expect([view.agents(), view.projectIds(), view.taskIds(), view.diagnostics()]).toEqual([[], [], [], []]);
    expect(view.project('p-1')).toBeUndefined();
    expect(view.task('../../etc')).toBeUndefined();
  });

  test('reports every broken file with its path, and goes on with all others', () => {
    const view = createView(
      memoryReader({
        ...files,
        'shared/projects/p-2/plan.md': PLAN,
        'shared/projects/p-3/meta.json': '{ "project_id": ',
        'shared/tasks/t-2/meta.json': '[]',
        'shared/tasks/t 3/meta.json': TASK,
      }),
    );
    const errors = view.diagnostics().filter(({ severity }) => severity === 'error');
    expect(errors.map(({ file, message }) => [file, message])).toEqual([
      ['shared/tasks/t 3/', 'invalid id: the name of shared/tasks/t 3/ must be a safe id: t 3'],
      ['shared/projects/p-2/meta.json', 'shared/projects/p-2/meta.json is missing'],
      ['shared/projects/p-3/meta.json', 'invalid JSON in shared/projects/p-3/meta.json'],
      ['shared/tasks/t-2/meta.json', 'invalid JSON in shared/tasks/t-2/meta.json'],
    ]);
    expect(view.task('t-1')?.meta?.task_id).toBe('t-1');
    expect(view.project('p-3')).toMatchObject({ id: 'p-3', meta: undefined });
  });

  test('passes on what a reader could not read as text', () => {
    const problem = {
      rule: 'file-not-utf8',
      severity: 'error',
      message: 'not UTF-8',
      file: 'f',
      line: 3,
      column: 1,
    } as const;
    const view = createView({
      ...memoryReader(files),
      read: (path) => (path.endsWith('.json') || path.endsWith('.md') ? { problem } : undefined),
    });
    expect(view.text('shared/team.json')).toBeUndefined();
    const closed = { ...problem, message: 'not UTF-8; until it is mended, new projects wait for approval' };
    const [first, ...rest] = view.diagnostics();
    expect([first, rest]).toEqual([closed, [problem, problem, problem, problem]]);
  });

  test('reads each file once and only when it is asked for', () => {
    const reader = counting(memoryReader(files));
    const view = createView(reader);
    expect(reader.reads).toEqual([]);
    view.task('t-1');
    view.task('t-1');
    view.text('shared/tasks/t-1/meta.json');
    expect(reader.reads).toEqual(['shared/tasks/t-1/meta.json']);
  });

  test('keeps its answers while the tree changes, and a new view of the same tree takes over what is unchanged', () => {
    const changing: Record<string, string> = { ...files };
    const live: TreeReader = {
      read: (path) => memoryReader(changing).read(path),
      exists: (path) => memoryReader(changing).exists(path),
      list: (directory) => memoryReader(changing).list(directory),
    };
    const cache = createParseCache();
    const before = createView(live, cache);
    const plan = before.project('p-1')?.plan;
    changing['shared/projects/p-1/meta.json'] = PROJECT.replace('One', 'Two');
    expect(before.project('p-1')?.meta?.title).toBe('One');
    const after = createView(live, cache);
    expect(after.project('p-1')?.meta?.title).toBe('Two');
    expect(after.project('p-1')?.plan).toBe(plan);
  });
});
