import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, type Tool } from '@modelcontextprotocol/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { actorOf, type Acting } from '../../../src/doors/actor.ts';
import { createMcpServer } from '../../../src/doors/mcp/server.ts';
import { FlowError } from '../../../src/protocol/errors.ts';
import { fakeApp, type FakeAppOptions } from '../fake-app.ts';

const WORKER = { localpart: 'bo', role: 'worker', matrixUserId: '@bo:local' };

async function session(options: FakeAppOptions = {}, acting: Acting = {}) {
  const app = fakeApp(options);
  const server = createMcpServer({ app: () => Promise.resolve(app), actor: (opened) => actorOf(opened, acting) });
  const client = new Client({ name: 'test', version: '1.0.0' });
  const [here, there] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(there), client.connect(here)]);
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { app, client };
}

/** The actions that a listed tool offers. */
const actionsOf = (tool: Tool | undefined): unknown => {
  const action = tool?.inputSchema.properties?.['action'] as { readonly enum: unknown } | undefined;
  return action?.enum;
};

describe('the tools', () => {
  test("of a Leader are the protocol's, without what only Workers do", async () => {
    const { client } = await session();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'health',
      'message',
      'roomflow',
      'filesync',
      'projectflow',
      'taskflow',
    ]);
    expect(actionsOf(tools.at(-1))).toEqual([
      'delegate_task',
      'check_task',
      'cancel_task',
      'hand_over_task',
      'take_back_task',
      'request_attention',
      'answer_attention',
    ]);
  });

  test('of a Worker are those that a Worker may use', async () => {
    const { client } = await session({ identity: WORKER });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['health', 'filesync', 'projectflow', 'taskflow']);
    expect(actionsOf(tools.at(-1))).toEqual(expect.arrayContaining(['ack_task', 'submit_task', 'report_progress']));
    expect(actionsOf(tools.at(-1))).not.toContain('delegate_task');
  });

  test('follow the role that the server was started for', async () => {
    const { client } = await session({}, { as: 'bo', role: 'worker' });
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('message');
  });

  test.each(['leader', 'worker', 'remote-member', 'manager', 'admin'])(
    'of a %s cost an agent at most 3,000 tokens',
    async (role) => {
      const { client } = await session({ identity: { ...WORKER, role } });
      const { tools } = await client.listTools();
      expect(JSON.stringify(tools).length / 4).toBeLessThanOrEqual(3000);
    },
  );

  test('say which fields an action takes and which it needs', async () => {
    const { client } = await session();
    const taskflow = (await client.listTools()).tools.find(({ name }) => name === 'taskflow');
    expect(taskflow?.description).toMatch(/^- delegate_task \{projectId\*, taskId\*, roomId\*, spec\*/m);
  });
});

describe('a call', () => {
  test('is passed on as it is written, and answered as text and as structure', async () => {
    const { app, client } = await session({
      answer: () => ({ ok: true, tool: 'taskflow', action: 'check_task', effective: true }),
    });
    const result = await client.callTool({
      name: 'taskflow',
      arguments: {
        action: 'check_task',
        payload: '{"taskId":"r-01"}',
        task_id: 'flat',
        dryRun: 'yes',
        role: 'leader',
        workspaceDir: '/x',
      },
    });
    const envelope = { ok: true, tool: 'taskflow', action: 'check_task', effective: true };
    expect(result).toMatchObject({
      structuredContent: envelope,
      content: [{ type: 'text', text: JSON.stringify(envelope) }],
    });
    expect(result.isError).toBe(false);
    expect(app.calls).toEqual([
      {
        tool: 'taskflow',
        action: 'check_task',
        payload: '{"taskId":"r-01"}',
        arguments: { task_id: 'flat' },
        dryRun: true,
      },
    ]);
  });

  test('that is refused is a result that says so', async () => {
    const { client } = await session({ answer: () => ({ ok: false, code: 'paused', error: 'project is paused: r' }) });
    expect(await client.callTool({ name: 'taskflow', arguments: { action: 'delegate_task' } })).toMatchObject({
      isError: true,
      structuredContent: { ok: false, code: 'paused', error: 'project is paused: r' },
    });
  });

  test('that fails is a result as well, with the remedy', async () => {
    const { client } = await session({
      answer: () => {
        throw new FlowError('sync-failed', 'the remote is away', { remedy: 'try later' });
      },
    });
    const { structuredContent } = await client.callTool({
      name: 'filesync',
      arguments: { action: 'pull', path: 'shared/' },
    });
    expect(structuredContent).toEqual({
      ok: false,
      tool: 'filesync',
      code: 'sync-failed',
      error: 'the remote is away',
      remedy: 'try later',
      retryable: true,
    });
  });

  test('of an unknown tool is refused, and the server goes on', async () => {
    const { app, client } = await session();
    const { structuredContent } = await client.callTool({ name: 'rooms', arguments: {} });
    expect(structuredContent).toMatchObject({ ok: false, tool: 'rooms', error: 'unknown_tool' });
    expect((await client.callTool({ name: 'health', arguments: {} })).isError).toBe(false);
    expect(app.calls).toEqual([{ tool: 'health', action: '' }]);
  });

  test('of a tool that the role does not have is refused, whatever role the caller claims', async () => {
    const { app, client } = await session({ identity: WORKER });
    const { structuredContent } = await client.callTool({
      name: 'message',
      arguments: { action: 'send', role: 'leader' },
    });
    expect(structuredContent).toMatchObject({ ok: false, tool: 'message', error: 'forbidden_tool' });
    expect(app.calls).toEqual([]);
  });

  test('is made as the actor that the server was started for', async () => {
    const { app, client } = await session({}, { as: '@bo:local', role: 'worker' });
    await client.callTool({ name: 'taskflow', arguments: { action: 'ack_task', taskId: 'r-01' } });
    expect(app.calls).toEqual([
      {
        tool: 'taskflow',
        action: 'ack_task',
        arguments: { taskId: 'r-01' },
        actor: { localpart: 'bo', role: 'worker' },
      },
    ]);
  });

  test('whose dryRun is no boolean changes nothing', async () => {
    const { app, client } = await session();
    const { structuredContent } = await client.callTool({
      name: 'taskflow',
      arguments: { action: 'ack_task', dryRun: 'maybe' },
    });
    expect(structuredContent).toMatchObject({ ok: false, code: 'invalid-argument' });
    expect(app.calls).toEqual([]);
  });
});

describe('resources', () => {
  const files = {
    'shared/projects/r/plan.md': '# Plan\n',
    'shared/tasks/r-01/spec.md': '# Spec\n',
    'shared/tasks/r-01/result.md': 'STATUS: SUCCESS\n',
    'shared/team.json': '{}',
  };
  test.each([
    ['baton://projects/r/plan', '# Plan\n'],
    ['baton://tasks/r-01/spec', '# Spec\n'],
    ['baton://tasks/r-01/result', 'STATUS: SUCCESS\n'],
  ])('%s is the file', async (uri, text) => {
    const { client } = await session({ files });
    expect((await client.readResource({ uri })).contents).toEqual([{ uri, mimeType: 'text/markdown', text }]);
  });

  test.each([
    'baton://projects/none/plan',
    'baton://tasks/..%2F../spec',
    'baton://tasks/%/spec',
    'baton://projects/r/spec',
    'file:///etc/passwd',
  ])('%s is not there', async (uri) => {
    const { client } = await session({ files });
    await expect(client.readResource({ uri })).rejects.toThrow(/not found/i);
  });

  test('are announced as templates', async () => {
    const { client } = await session();
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'baton://projects/{id}/plan',
      'baton://tasks/{id}/spec',
      'baton://tasks/{id}/result',
    ]);
  });
});

describe('prompts', () => {
  test('teach the two sides of the protocol', async () => {
    const { client } = await session();
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['leader', 'worker']);
    const texts = await Promise.all(
      ['leader', 'worker'].map(async (name) => JSON.stringify((await client.getPrompt({ name })).messages)),
    );
    for (const action of [
      'create_project',
      'plan_dag',
      'plan_loop',
      'ready_nodes',
      'list_rooms',
      'create_task_room',
      'delegate_task',
      'check_task',
      'accept_task_result',
      'record_loop_iteration',
      'pause_project',
      'complete_project',
    ]) {
      expect(texts[0]).toContain(action);
    }
    for (const action of ['ack_task', 'report_progress', 'request_attention', 'submit_task'])
      expect(texts[1]).toContain(action);
  });

  test('that do not exist are refused', async () => {
    const { client } = await session();
    await expect(client.getPrompt({ name: 'boss' })).rejects.toThrow('unknown prompt: boss');
  });
});
