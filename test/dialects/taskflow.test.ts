import { describe, expect, test } from 'vitest';
import { callTool, toolsFor } from '../../src/dialects/taskflow.ts';
import type { DialectCall, Envelope, ExecuteCall } from '../../src/dialects/taskflow.ts';
import { TOOLS, TOOL_SUMMARIES } from '../../src/dialects/taskflow-table.ts';
import { OPERATIONS } from '../../src/flows/catalog.ts';
import { FlowError } from '../../src/protocol/errors.ts';
import { ana, lead } from '../flows/office.ts';

interface Executed {
  readonly name: string;
  readonly input: unknown;
  readonly options: Parameters<ExecuteCall>[2];
}

/** Plays a call on an executor that only remembers what it was asked. */
async function play(call: Partial<DialectCall>, answer: () => Record<string, unknown> = () => ({ done: 1 })) {
  const executed: Executed[] = [];
  const execute: ExecuteCall = async (name, input, options) => {
    executed.push({ name, input, options });
    return answer();
  };
  const envelope: Envelope = await callTool(execute, { tool: 'taskflow', action: 'ack_task', actor: ana, ...call });
  return { envelope, executed };
}

describe('a call', () => {
  test('names an operation and gives it its normalised input', async () => {
    const { envelope, executed } = await play({ payload: '{"task_id":" t "}' });
    expect(executed).toEqual([
      { name: 'task.ack', input: { taskId: 't' }, options: { actor: ana, dryRun: false, label: 'ack_task' } },
    ]);
    expect(envelope).toEqual({ ok: true, tool: 'taskflow', action: 'ack_task', done: 1 });
  });

  test('may have its fields beside the action', async () => {
    const { executed } = await play({ arguments: { taskId: 't', role: 'leader', other: 1 } });
    expect(executed[0]?.input).toEqual({ taskId: 't' });
  });

  test.each(['sender', 'senderId', 'sender_id', 'senderUserId', 'sender_user_id', 'sourceUserId', 'source_user_id'])(
    'names the requester of a project by %s as well',
    async (name) => {
      for (const action of ['create_project', 'create_quick_project']) {
        const quick = { assignedTo: 'ana', roomId: '!r:x', spec: 'S' };
        const payload = { title: 'T', [name]: '@admin:x', ...(action === 'create_project' ? {} : quick) };
        const { executed } = await play({ tool: 'projectflow', action, payload, actor: lead });
        expect(executed[0]?.input).toMatchObject({ requester: '@admin:x' });
      }
    },
  );

  test('may be a dry run, in a word as well', async () => {
    for (const dryRun of [true, 'yes', 1]) {
      const { envelope, executed } = await play({ payload: { taskId: 't' }, dryRun });
      expect(executed[0]?.options.dryRun).toBe(true);
      expect(envelope).toMatchObject({ ok: true, dryRun: true });
    }
    const { envelope } = await play({ payload: { taskId: 't' }, dryRun: 'perhaps' });
    expect(envelope).toMatchObject({ ok: false, code: 'invalid-argument', error: 'dryRun must be a boolean' });
  });

  test.each([
    ['cancel_task', { taskId: 't', cancelReason: 'r' }],
    ['cancel_task', { taskId: 't', cancel_reason: 'r' }],
  ])('knows the other names of %s', async (action, payload) => {
    for (const tool of ['taskflow', 'projectflow']) {
      const { executed } = await play({ tool, action, payload, actor: lead });
      expect(executed[0]).toMatchObject({ name: 'task.cancel', input: { taskId: 't', reason: 'r' } });
    }
  });
});

describe('a refusal', () => {
  test('carries code, ids, what may be done, and the facts', async () => {
    const { envelope } = await play({ payload: { taskId: 't' } }, () => {
      throw new FlowError('sync-failed', 'away', { remedy: 'wait', data: { statePersisted: true, synced: false } });
    });
    expect(envelope).toEqual({
      ok: false,
      tool: 'taskflow',
      action: 'ack_task',
      error: 'away',
      code: 'sync-failed',
      taskId: 't',
      retryable: true,
      remedy: 'wait',
      statePersisted: true,
      synced: false,
    });
  });

  test('of a bug is an answer as well', async () => {
    const { envelope } = await play({ payload: { taskId: 't' } }, () => {
      throw new TypeError('x is not a function');
    });
    expect(envelope).toMatchObject({ ok: false, code: 'internal', error: 'taskflow failed: x is not a function' });
  });

  test('of a payload comes before anything runs', async () => {
    const { envelope, executed } = await play({ payload: {} });
    expect(envelope).toMatchObject({ ok: false, error: 'payload.taskId is required', code: 'invalid-argument' });
    expect(executed).toEqual([]);
  });

  test('of an unknown action names the known ones', async () => {
    for (const action of ['', 'ack', 'constructor']) {
      const { envelope } = await play({ action });
      expect(envelope).toEqual({
        ok: false,
        tool: 'taskflow',
        action,
        error:
          'action must be one of: delegate_task, check_task, ack_task, submit_task, cancel_task, hand_over_task, take_back_task, report_progress, request_attention, answer_attention',
        code: 'invalid-argument',
      });
    }
  });

  test('of an unknown tool says so, also for names of the prototype', async () => {
    for (const tool of ['artifact', '__proto__', 'toString']) {
      const { envelope } = await play({ tool });
      expect(envelope).toEqual({
        ok: false,
        tool,
        action: 'ack_task',
        error: 'unknown_tool',
        code: 'invalid-argument',
      });
    }
  });

  test('of a tool that Workers may not use does not depend on what they claim', async () => {
    const { envelope } = await play({ tool: 'message', action: 'send', arguments: { role: 'leader' } });
    expect(envelope).toEqual({
      ok: false,
      tool: 'message',
      action: 'send',
      error: 'forbidden_tool',
      code: 'wrong-role',
    });
  });
});

const namesFor = (role: Parameters<typeof toolsFor>[0]) =>
  Object.fromEntries(toolsFor(role).map(({ tool, actions }) => [tool, actions.map(({ action }) => action)]));

describe('what a role sees', () => {
  test('a Worker: its own work, and reading', () => {
    const worker = {
      health: ['health'],
      filesync: ['pull', 'push', 'stat', 'list'],
      projectflow: ['ready_nodes', 'ready_loop_nodes', 'resolve_project', 'check_active_tasks'],
      taskflow: ['check_task', 'ack_task', 'submit_task', 'report_progress', 'request_attention'],
      agent: ['list', 'show', 'set_status', 'select'],
      node: ['status', 'board', 'inbox', 'log', 'needs', 'problems', 'rooms'],
      engine: ['progress_task', 'finish_task', 'next_steps', 'list', 'show', 'check', 'rebuild_index'],
      team: ['settings'],
    };
    expect(namesFor('worker')).toEqual(worker);
    expect(namesFor('remote-member')).toEqual(worker);
  });

  test('a Leader: everything but acknowledging, submitting and reporting progress', () => {
    const all = Object.fromEntries(Object.entries(TOOLS).map(([tool, actions]) => [tool, Object.keys(actions)]));
    const expected = {
      ...all,
      taskflow: [
        'delegate_task',
        'check_task',
        'cancel_task',
        'hand_over_task',
        'take_back_task',
        'request_attention',
        'answer_attention',
      ],
    };
    expect(namesFor('leader')).toEqual(expected);
    expect(namesFor('admin')).toEqual(expected);
    expect(namesFor('manager')).toEqual(expected);
  });

  test('every action has an operation, a sentence and an object of fields', () => {
    const described = [...toolsFor('leader'), ...toolsFor('worker')].flatMap(({ actions }) => actions);
    for (const { operation, summary, inputSchema, kind } of described) {
      expect(OPERATIONS.get(operation)).toMatchObject({ name: operation, kind, input: inputSchema });
      expect(summary).toMatch(/^[A-Z].*\.$/);
      expect(inputSchema).toHaveProperty('shape');
    }
    expect(Object.keys(TOOL_SUMMARIES).sort()).toEqual(Object.keys(TOOLS).sort());
  });

  test('every operation that is not internal is offered by some action', () => {
    const offered = new Set(
      Object.values(TOOLS).flatMap((actions) => Object.values(actions).map(({ operation }) => operation)),
    );
    const open = [...OPERATIONS.values()].filter(({ internal }) => internal !== true).map(({ name }) => name);
    expect(open.filter((name) => !offered.has(name))).toEqual([]);
  });

  test('every field of an offered operation says what it is for', () => {
    const silent = toolsFor('leader')
      .concat(toolsFor('worker'))
      .flatMap(({ actions }) => actions)
      .flatMap(({ action, inputSchema }) =>
        Object.entries((inputSchema as unknown as { shape: Record<string, { description?: string }> }).shape)
          .filter(([, field]) => field.description === undefined)
          .map(([name]) => `${action}.${name}`),
      );
    expect(silent).toEqual([]);
  });
});

test('follow-ups name internal operations that exist', () => {
  const internal = [...OPERATIONS.values()].filter((operation) => operation.internal === true).map(({ name }) => name);
  expect(internal.sort()).toEqual([
    'lane.record_refusal',
    'lateness.block',
    'lateness.raise',
    'project.accept_automatically',
    'project.archive',
    'project.confirm_completed',
    'project.report',
    'state.repair',
    'task.confirm_assignment',
    'task.confirm_attention',
    'task.confirm_completion',
    'task.record_submission',
  ]);
});
