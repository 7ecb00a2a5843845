import { posix } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowError } from '../../src/protocol/errors.ts';
import {
  agentPath,
  checkDeliverable,
  classifyPath,
  eventLogPath,
  isSharedPath,
  laneOf,
  localpartOfLane,
  projectPaths,
  requireSharedPath,
  taskPaths,
} from '../../src/protocol/paths.ts';

function message(path: string): string {
  try {
    return requireSharedPath(path);
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
    return `${thrown.code}: ${thrown.message}`;
  }
}

describe('shared paths', () => {
  test.each(['shared/team.json', 'shared/tasks/st-01/', 'global-shared/a/b.md', 'shared/'])('%j is one', (path) => {
    expect(message(path)).toBe(path);
    expect(isSharedPath(path)).toBe(true);
  });

  test.each([
    ['', 'path must be a relative shared path: '],
    ['/shared/x', 'path must be a relative shared path: /shared/x'],
    ['shared\\x', 'path must be a relative shared path: shared\\x'],
    ['shared/a\u0000b', 'path must be a relative shared path: shared/a\u{FFFD}b'],
    ['shared/../x', 'path must be a relative shared path and must not contain empty, . or .. segments: shared/../x'],
    ['./shared/x', 'path must be a relative shared path and must not contain empty, . or .. segments: ./shared/x'],
    ['shared//x', 'path must be a relative shared path and must not contain empty, . or .. segments: shared//x'],
    ['shared', 'path must start with shared/ or global-shared/: shared'],
    ['src/x', 'path must start with shared/ or global-shared/: src/x'],
    ['Shared/x', 'path must start with shared/ or global-shared/: Shared/x'],
    ['global-shared', 'path must start with shared/ or global-shared/: global-shared'],
  ])('%j is none', (path, text) => {
    expect(message(path)).toBe(`invalid-argument: ${text}`);
    expect(isSharedPath(path)).toBe(false);
  });
});

describe('places', () => {
  test('of a project and a task', () => {
    expect(projectPaths('p')).toEqual({
      dir: 'shared/projects/p/',
      meta: 'shared/projects/p/meta.json',
      plan: 'shared/projects/p/plan.md',
      result: 'shared/projects/p/result.md',
    });
    expect(taskPaths('t')).toEqual({
      dir: 'shared/tasks/t/',
      meta: 'shared/tasks/t/meta.json',
      spec: 'shared/tasks/t/spec.md',
      result: 'shared/tasks/t/result.md',
      base: 'shared/tasks/t/base/',
      workspace: 'shared/tasks/t/workspace/',
      progress: 'shared/tasks/t/progress/',
    });
  });

  test('of an agent and of an event log hold any localpart', () => {
    expect(agentPath('w/1')).toBe('shared/agents/w%2F1.json');
    expect(eventLogPath('2026-06-06T00:00:00Z', 'ana')).toBe('shared/events/2026-06/ana.jsonl');
    expect(eventLogPath('2026-07-01T01:00:00+02:00', '../x')).toBe('shared/events/2026-06/%2E%2E%2Fx.jsonl');
  });
});

describe('what a path is', () => {
  test.each([
    ['shared/team.json', { kind: 'team' }],
    ['shared/projects/p/meta.json', { kind: 'project-meta', projectId: 'p' }],
    ['shared/projects/p/plan.md', { kind: 'project-plan', projectId: 'p' }],
    ['shared/projects/p/result.md', { kind: 'project-result', projectId: 'p' }],
    ['shared/projects/p/history/1.json', { kind: 'project-other', projectId: 'p' }],
    ['shared/projects/p/sub/plan.md', { kind: 'project-other', projectId: 'p' }],
    ['shared/projects/p/', { kind: 'project-other', projectId: 'p' }],
    ['shared/tasks/t/meta.json', { kind: 'task-meta', taskId: 't' }],
    ['shared/tasks/t/spec.md', { kind: 'task-spec', taskId: 't' }],
    ['shared/tasks/t/base/', { kind: 'task-base', taskId: 't' }],
    ['shared/tasks/t/base/a/b', { kind: 'task-base', taskId: 't' }],
    ['shared/tasks/t/base', { kind: 'task-other', taskId: 't' }],
    ['shared/tasks/t/late/ana-1/result.md', { kind: 'task-late', taskId: 't' }],
    ['shared/tasks/t/late', { kind: 'task-other', taskId: 't' }],
    ['shared/tasks/t/result.md', { kind: 'task-result', taskId: 't' }],
    ['shared/tasks/t/workspace/result.md', { kind: 'task-other', taskId: 't' }],
    ['shared/tasks/t/constructor', { kind: 'task-other', taskId: 't' }],
    ['shared/agents/w%2F1.json', { kind: 'agent', agentId: 'w/1' }],
    ['shared/checkpoints/c-1.json', { kind: 'checkpoint', checkpointId: 'c-1' }],
    ['shared/events/2026-06/ana.jsonl', { kind: 'events', month: '2026-06', writer: 'ana' }],
    ['shared/events/2026-06/ana@0002.jsonl', { kind: 'events', month: '2026-06', writer: 'ana' }],
    ['shared/archive/2026-06/tasks/t/meta.json', { kind: 'archive' }],
    ['shared/relations/r.json', { kind: 'relations' }],
    ['shared/roomflow/project-rooms/p-1.json', { kind: 'roomflow' }],
    ['global-shared/a', { kind: 'global' }],
    ['.gitattributes', { kind: 'other' }],
    ['shared/tasks/t', { kind: 'other' }],
    ['shared/tasks/a b/meta.json', { kind: 'other' }],
    ['shared/agents/sub/x.json', { kind: 'other' }],
    ['shared/agents/x.md', { kind: 'other' }],
    ['shared/agents/%61.json', { kind: 'other' }],
    ['shared/checkpoints/a b.json', { kind: 'other' }],
    ['shared/events/2026-13/ana.jsonl', { kind: 'other' }],
    ['shared/events/2026-06/sub/ana.jsonl', { kind: 'other' }],
    ['shared/events/2026-06/ana@0001.jsonl', { kind: 'other' }],
    ['shared/events/2026-06/ana@2.jsonl', { kind: 'other' }],
    ['shared/events/2026-06/ana@00002.jsonl', { kind: 'other' }],
    ['shared/events/2026-06/ana@0002@0003.jsonl', { kind: 'other' }],
    ['shared/README.md', { kind: 'other' }],
    ['shared/tasks/t/../../team.json', { kind: 'other' }],
  ])('%s', (path, place) => {
    expect(classifyPath(path)).toEqual(place);
  });
});

describe('deliverables', () => {
  test.each(['workspace/a.md', 'deliverables/', 'result.md', 'Größe – 完成.md', ' a', 'a:b'])(
    '%j may be declared',
    (path) => {
      expect(checkDeliverable(`shared/tasks/st-1/${path}`, 'st-1')).toBeUndefined();
    },
  );

  test.each([
    [7, 'deliverable path must be a non-empty string'],
    ['  ', 'deliverable path must be a non-empty string'],
    ['shared/tasks/st-1/', 'deliverable must be under shared/tasks/st-1/: shared/tasks/st-1/'],
    ['shared/tasks/st-12/x', 'deliverable must be under shared/tasks/st-1/: shared/tasks/st-12/x'],
    [' shared/tasks/st-1/x', 'deliverable must be under shared/tasks/st-1/:  shared/tasks/st-1/x'],
    ['/shared/tasks/st-1/x', 'deliverable must be under shared/tasks/st-1/: /shared/tasks/st-1/x'],
    ['shared/projects/p/x', 'deliverable must be under shared/tasks/st-1/: shared/projects/p/x'],
    ['shared/tasks/st-1/a/../x', 'invalid deliverable path: shared/tasks/st-1/a/../x'],
    ['shared/tasks/st-1/a/./x', 'invalid deliverable path: shared/tasks/st-1/a/./x'],
    ['shared/tasks/st-1/a//x', 'invalid deliverable path: shared/tasks/st-1/a//x'],
    ['shared/tasks/st-1/a\\x', 'invalid deliverable path: shared/tasks/st-1/a\\x'],
    ['shared/tasks/st-1/.git/config', 'invalid deliverable path: shared/tasks/st-1/.git/config'],
    ['shared/tasks/st-1/.gitattributes', 'invalid deliverable path: shared/tasks/st-1/.gitattributes'],
    ['shared/tasks/st-1/a\nb', 'invalid deliverable path: shared/tasks/st-1/a\u{FFFD}b'],
  ])('%j may not', (path, problem) => {
    expect(checkDeliverable(path, 'st-1')).toBe(problem);
  });

  test('whatever is accepted stays inside the task', () => {
    const pieces = fc.array(
      fc.constantFrom('..', '.', '', '/', '\\', 'a', '.git', 'shared', 'tasks', 'st-1', ' ', '\u0000'),
    );
    fc.assert(
      fc.property(pieces, fc.boolean(), (parts, prefixed) => {
        const path = (prefixed ? 'shared/tasks/st-1/' : '') + parts.join('/');
        const resolved = posix.resolve('/root', path.replaceAll('\\', '/'));
        if (checkDeliverable(path, 'st-1') === undefined) expect(resolved).toMatch(/^\/root\/shared\/tasks\/st-1\/./);
        else expect(checkDeliverable(path, 'st-1')).toMatch(/deliverable/);
      }),
    );
  });
});

describe('lanes', () => {
  test('are named after their worker', () => {
    expect(laneOf('lanes/', 'w=1+2/3')).toBe('lanes/w=1+2%2F3');
    expect(localpartOfLane('lanes/', 'lanes/w=1+2%2F3')).toBe('w=1+2/3');
    expect(localpartOfLane('lanes/', 'refs/heads/lanes/ana')).toBe('ana');
  });

  test.each(['main', 'lanes/', 'lanes/a/b', 'lanes/%61na', 'refs/remotes/origin/lanes/ana', 'other/lanes/ana'])(
    '%j is no lane',
    (ref) => {
      expect(localpartOfLane('lanes/', ref)).toBeUndefined();
    },
  );
});
