import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { createStdioTransport } from '../../../src/doors/mcp/transport.ts';

function wire() {
  const input = new PassThrough();
  const output = new PassThrough();
  const written: unknown[] = [];
  const read: JSONRPCMessage[] = [];
  output.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').filter(Boolean)) written.push(JSON.parse(line));
  });
  const transport = createStdioTransport(input, output);
  const closed = new Promise<void>((resolve) => {
    transport.onclose = resolve;
  });
  transport.onmessage = (message) => read.push(message);
  return { input, transport, written, read, closed };
}

const request = (id: number, method = 'ping'): JSONRPCMessage => ({ jsonrpc: '2.0', id, method });
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const failure = (code: number) => expect.objectContaining({ id: null, error: expect.objectContaining({ code }) });

describe('messages on standard input', () => {
  test('are read a line each, however the bytes are cut', async () => {
    const { input, transport, read, closed } = wire();
    await transport.start();
    const bytes = Buffer.from(`${line(request(1, '計画'))}\r\n${line({ jsonrpc: '2.0', method: 'n' })}`);
    for (let at = 0; at < bytes.length; at += 5) input.write(bytes.subarray(at, at + 5));
    input.end(line({ jsonrpc: '2.0', id: 9, result: {} }).trimEnd());
    input.on('end', () => void transport.send({ jsonrpc: '2.0', id: 1, result: {} }));
    await closed;
    expect(read).toEqual([request(1, '計画'), { jsonrpc: '2.0', method: 'n' }, { jsonrpc: '2.0', id: 9, result: {} }]);
  });

  test('that are broken are answered, and the next one is read', async () => {
    const { input, transport, read, written, closed } = wire();
    await transport.start();
    input.end(`{"broken\n[1,2]\n"text"\n${line(request(1))}`);
    await new Promise((resolve) => input.once('end', resolve));
    await transport.send({ jsonrpc: '2.0', id: 1, result: {} });
    await closed;
    expect(read).toEqual([request(1)]);
    expect(written).toEqual([failure(-32700), failure(-32600), failure(-32600), { jsonrpc: '2.0', id: 1, result: {} }]);
  });

  test('that are endless are refused and skipped', async () => {
    const { input, transport, read, written, closed } = wire();
    await transport.start();
    const part = Buffer.alloc(4 * 1024 * 1024, 'x');
    for (let times = 0; times < 4; times += 1) input.write(part);
    input.end(`\n${line({ jsonrpc: '2.0', method: 'n' })}`);
    await closed;
    expect(read).toEqual([{ jsonrpc: '2.0', method: 'n' }]);
    expect(written).toEqual([failure(-32700)]);
  });
});

describe('the end of standard input', () => {
  test('closes at once when nothing is under way', async () => {
    const { input, transport, closed } = wire();
    await transport.start();
    input.end();
    await expect(closed).resolves.toBeUndefined();
  });

  test('waits for the answers that are owed, except to what was cancelled', async () => {
    const { input, transport, written, closed } = wire();
    await transport.start();
    let ended = false;
    void closed.then(() => (ended = true));
    input.end(
      [request(1), request(2), { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } }]
        .map(line)
        .join(''),
    );
    await new Promise((resolve) => input.once('end', resolve));
    expect(ended).toBe(false);
    await transport.send({ jsonrpc: '2.0', id: 1, result: { late: true } });
    await closed;
    expect(written).toEqual([{ jsonrpc: '2.0', id: 1, result: { late: true } }]);
  });
});
