import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, test } from 'vitest';
import { tempWorkspace } from '../temp.ts';

const program = fileURLToPath(new URL('program.ts', import.meta.url));

function start(...argv: readonly string[]) {
  const child = spawn(process.execPath, [program, ...argv], { stdio: 'pipe' });
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], stdout, stderr]) => ({
      code: code as number | null,
      signal: signal as string | null,
      answers: stdout
        .split('\n')
        .filter(Boolean)
        .map(
          (line) => JSON.parse(line) as { readonly id: unknown; readonly result?: unknown; readonly error?: unknown },
        ),
      stderr,
    }),
  );
  return { child, ended };
}

const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;
const hello = line({
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});
const call = (id: number, name: string, args: object): string =>
  line({ id, method: 'tools/call', params: { name, arguments: args } });

describe('the MCP server as a process', () => {
  test('speaks with the client of the SDK', async () => {
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [program, tempWorkspace()], stderr: 'ignore' }),
    );
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('taskflow');
    const { structuredContent } = await client.callTool({ name: 'taskflow', arguments: { action: 'check_task' } });
    expect(structuredContent).toEqual({ ok: true, tool: 'taskflow', action: 'check_task' });
    await client.close();
  });

  test('answers what was piped in, broken lines and unknown tools included, then stops its node and ends', async () => {
    const { child, ended } = start(tempWorkspace());
    child.stdin.end(
      `${hello}${line({ method: 'notifications/initialized' })}{broken\n${call(2, 'nothing', {})}${line({ id: 3, method: 'tools/dance' })}${call(4, 'taskflow', { action: 'check_task' })}`,
    );
    const { code, answers, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'stopped 1\n' });
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    expect(new Set(byId.keys())).toEqual(new Set([1, 2, 3, 4, null]));
    expect(byId.get(1)).toMatchObject({ result: { protocolVersion: '2024-11-05', serverInfo: { name: 'baton' } } });
    expect(byId.get(null)).toMatchObject({ error: { code: -32700 } });
    expect(byId.get(2)).toMatchObject({ result: { isError: true, structuredContent: { error: 'unknown_tool' } } });
    expect(byId.get(3)).toMatchObject({ error: { code: -32601 } });
    expect(byId.get(4)).toMatchObject({
      result: { isError: false, structuredContent: { ok: true, action: 'check_task' } },
    });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('stops its node on %s', async (signal) => {
    const { child, ended } = start(tempWorkspace());
    child.stdin.write(hello + call(2, 'health', {}));
    // The answer to the call says that the node is up.
    while (!String((await once(child.stdout, 'data'))[0]).includes('"id":2')) continue;
    child.kill(signal);
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'stopped 1\n' });
  });

  test('ends with the reason when the workspace cannot be opened', async () => {
    const { child, ended } = start(tempWorkspace(), 'broken');
    child.stdin.write(hello);
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'failed: FlowError: baton.json: no\nstopped 0\n' });
  });
});
