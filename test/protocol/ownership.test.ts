import { describe, expect, test } from 'vitest';
import {
  forbiddenAgentFields,
  forbiddenMetaFields,
  mayWrite,
  OWNED_TASK_FIELDS,
} from '../../src/protocol/ownership.ts';
import type { Actor } from '../../src/protocol/records/types.ts';

const actors: Readonly<Record<string, Actor>> = {
  leader: { localpart: 'lead', role: 'leader' },
  admin: { localpart: 'root', role: 'admin' },
  ana: { localpart: 'Ana', role: 'worker' },
  bo: { localpart: 'bo', role: 'remote-member' },
};

const assigneeOf = (taskId: string): string | undefined =>
  taskId === 't' ? 'ana' : taskId === 'led' ? 'lead' : undefined;

/** Who may write there, of all actors. */
function writers(path: string): readonly string[] {
  return Object.keys(actors).filter((name) => {
    const actor = actors[name];
    return actor !== undefined && mayWrite(actor, path, assigneeOf).allowed;
  });
}

describe('who writes where', () => {
  test.each([
    ['shared/team.json', ['leader', 'admin']],
    ['shared/projects/p/meta.json', ['leader', 'admin']],
    ['shared/projects/p/plan.md', ['leader', 'admin']],
    ['shared/projects/p/result.md', ['leader', 'admin']],
    ['shared/projects/p/notes.md', ['leader', 'admin']],
    ['shared/tasks/t/spec.md', ['leader', 'admin']],
    ['shared/tasks/t/base/input.csv', ['leader', 'admin']],
    ['shared/tasks/t/late/ana-1/result.md', ['leader', 'admin']],
    ['shared/tasks/t/meta.json', ['leader', 'admin', 'ana']],
    ['shared/tasks/t/result.md', ['ana']],
    ['shared/tasks/t/workspace/a.md', ['ana']],
    ['shared/tasks/t/progress/2026-06-06.md', ['ana']],
    ['shared/tasks/led/result.md', ['leader']],
    ['shared/tasks/nobodys/result.md', []],
    ['shared/tasks/nobodys/meta.json', ['leader', 'admin']],
    ['shared/agents/ana.json', ['leader', 'admin', 'ana']],
    ['shared/agents/bo.json', ['leader', 'admin', 'bo']],
    ['shared/agents/lead.json', ['leader', 'admin']],
    ['shared/checkpoints/c.json', ['leader', 'admin']],
    ['shared/archive/2026-06/tasks/t/result.md', ['leader', 'admin']],
    ['shared/relations/r.json', ['leader', 'admin']],
    ['shared/roomflow/project-rooms/p-1.json', ['leader', 'admin']],
    ['shared/events/2026-06/ana.jsonl', ['ana']],
    ['shared/events/2026-06/lead.jsonl', ['leader']],
    ['global-shared/guide.md', []],
    ['.gitattributes', ['leader', 'admin']],
    ['README.md', ['leader', 'admin']],
    ['shared/README.md', ['leader', 'admin']],
    ['baton.json', []],
    ['.baton/lock', []],
    ['.git/hooks/post-merge', []],
    ['../outside', []],
    ['/etc/passwd', []],
    ['shared/tasks/t/SPEC.md', []],
    ['shared/tasks/t/\u017Fpec.md', []],
    ['shared/tasks/t/Base/x', []],
    ['shared/tasks/t/base', []],
    ['shared/tasks/t/Late/x', []],
    ['shared/tasks/t/late', []],
    ['shared/tasks/t/workspace/late/x', ['ana']],
    ['shared/tasks/t/meta.json/x', []],
    ['shared/tasks/t/workspace/spec.md', ['ana']],
    ['shared/tasks/t/workspace/.gitattributes', []],
    ['shared/tasks/t/.gitmodules', []],
    ['shared/tasks/t/.gitignore', ['ana']],
  ])('%s: %j', (path, allowed) => {
    expect(writers(path)).toEqual(allowed);
  });

  test('a refusal says whose it is and by which rule', () => {
    expect(mayWrite({ localpart: 'bo', role: 'worker' }, 'shared/tasks/t/result.md', assigneeOf)).toEqual({
      allowed: false,
      owner: 'worker ana',
      reason: 'only the assignee writes the record, the result and the workspace of a task',
    });
    expect(mayWrite({ localpart: 'bo', role: 'worker' }, '.gitattributes', assigneeOf)).toEqual({
      allowed: false,
      owner: 'leader',
      reason: 'a worker writes in its own tasks and in its own agent record only',
    });
  });
});

const record = {
  task_id: 't',
  project_id: 'p',
  task_title: 'T',
  assigned_to: 'ana',
  status: 'assigned',
  room_id: '!r:d',
  history: [],
};

describe('what a worker changes in a task record', () => {
  test('its own fields are its own', () => {
    const after = {
      ...record,
      ...Object.fromEntries([...OWNED_TASK_FIELDS].map((name) => [name, 'changed'])),
      status: 'submitted',
      continuation: { status: 'pending', delivery_id: 'd' },
    };
    expect(forbiddenMetaFields(record, after)).toEqual([]);
  });

  test.each([
    ['the assignee', { ...record, assigned_to: 'bo' }, ['assigned_to']],
    ['the room', { ...record, room_id: undefined }, ['room_id']],
    ['an unknown key', { ...record, priority: 'P0' }, ['priority']],
    ['the project, in the other spelling', { ...record, project_id: undefined, projectId: 'q' }, ['project_id']],
    ['a verdict', { ...record, status: 'completed' }, ['status']],
    ['no status at all', { ...record, status: undefined, notify_txn: 'x' }, ['notify_txn']],
    ['a closed submission', { ...record, continuation: { status: 'resolved' } }, ['continuation']],
    ['a key of the runtime', JSON.parse(JSON.stringify(record).replace('{', '{"__proto__":1,')), ['__proto__']],
  ])('%s is not', (_, after: Record<string, unknown>, fields) => {
    expect(forbiddenMetaFields(record, after)).toEqual(fields);
  });

  test('an answer is not its own, in whatever spelling, nor is it unsaid; asking again is', () => {
    const open = { kind: 'approval', question: 'May I?', attempt: 1, requestedAt: 'x', resolved: false };
    const told = { ...open, resolved: true, answer: 'denied', answeredBy: 'admin', answeredAt: 'y' };
    const changed = (before: readonly object[], after: readonly object[]) =>
      forbiddenMetaFields({ ...record, attention: before }, { ...record, attention: after });
    expect(changed([open], [told])).toEqual(['attention']);
    expect(changed([open], [{ ...open, answered_by: 'admin' }])).toEqual(['attention']);
    expect(changed([told], [{ ...told, answer: 'approved' }])).toEqual(['attention']);
    expect(changed([told], [])).toEqual(['attention']);
    expect(changed([told], [told, { ...open, attempt: 2 }])).toEqual([]);
    expect(changed([open], [{ ...open, resolved: true }])).toEqual([]);
  });

  test('what the leader has decided may stay', () => {
    const decided = { ...record, status: 'completed', continuation: { status: 'resolved', delivery_id: 'd' } };
    expect(forbiddenMetaFields(decided, { ...decided, summary: 'late' })).toEqual([]);
  });

  test('the order of keys, nulls and the dialect of the record are no change', () => {
    const foreign = {
      taskId: 't',
      projectId: 'p',
      assignedTo: '@ana:d',
      createdAt: '2026-06-06T00:00:00Z',
      room_id: null,
      extra: { b: 1, a: [1] },
    };
    const ours = {
      task_id: 't',
      project_id: 'p',
      task_title: 't',
      assigned_to: 'ana',
      assigned_to_mxid: '@ana:d',
      status: 'in_progress',
      assigned_at: '2026-06-06T00:00:00Z',
      acknowledged_at: '2026-06-06T00:10:00Z',
      extra: { a: [1], b: 1 },
    };
    expect(forbiddenMetaFields(foreign, ours)).toEqual([]);
  });

  test('a record that it made up is not its own', () => {
    expect(forbiddenMetaFields(undefined, { ...record, status: 'in_progress' })).toEqual([
      'task_id',
      'project_id',
      'task_title',
      'assigned_to',
      'room_id',
    ]);
  });
});

describe('what an agent changes in its record', () => {
  const before = { agent_id: 'ana', role: 'worker', status: 'IDLE' };

  test('is its status only', () => {
    expect(forbiddenAgentFields(before, { status: 'OFFLINE', role: 'worker', agent_id: 'ana' })).toEqual([]);
    expect(forbiddenAgentFields(before, { ...before, status: 'ACTIVE', role: 'leader', enabled: true })).toEqual([
      'role',
      'enabled',
    ]);
    expect(forbiddenAgentFields(undefined, before)).toEqual(['agent_id', 'role', 'status']);
  });
});
