import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { deserializeMessage, serializeMessage } from '@modelcontextprotocol/server';
import type { JSONRPCMessage, RequestId, Transport } from '@modelcontextprotocol/server';

/** Characters of one message; what is longer is refused and skipped, so that no line can fill the memory. */
const MAX_LINE = 10 * 1024 * 1024;

/**
 * MCP's stdio binding, a message a line. It differs from the SDK's own in what a caller that pipes its lines needs: a
 * line that is no message is answered (`-32700`, `-32600`) and the next one is read, and when the input ends, requests
 * that are under way are still answered before the connection closes.
 */
export function createStdioTransport(input: Readable, output: Writable): Transport {
  const decoder = new StringDecoder('utf8');
  const open = new Set<RequestId>();
  let buffer = '';
  let skipping = false;
  let ended = false;
  let closed = false;

  const write = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      output.write(text, (error) => (error == null ? resolve() : reject(error)));
    });

  const complain = (code: number, message: string): void => {
    write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`).catch((error: unknown) => {
      transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
    });
  };

  const take = (line: string): void => {
    if (line.trim() === '') return;
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(line);
    } catch (error) {
      if (error instanceof SyntaxError) complain(-32700, 'Parse error: the line is not JSON');
      else complain(-32600, 'Invalid Request: the line is not a JSON-RPC message');
      return;
    }
    if ('method' in message && 'id' in message) open.add(message.id);
    if ('method' in message && message.method === 'notifications/cancelled') {
      const cancelled = (message.params as { readonly requestId?: RequestId } | undefined)?.requestId;
      if (cancelled !== undefined) open.delete(cancelled);
    }
    transport.onmessage?.(message);
  };

  const read = (chunk: Buffer | string): void => {
    buffer += typeof chunk === 'string' ? chunk : decoder.write(chunk);
    for (let end = buffer.indexOf('\n'); end !== -1; end = buffer.indexOf('\n')) {
      const line = buffer.slice(0, end).replace(/\r$/, '');
      buffer = buffer.slice(end + 1);
      if (!skipping) take(line);
      skipping = false;
    }
    if (buffer.length > MAX_LINE) {
      if (!skipping) complain(-32700, `Parse error: the line is longer than ${MAX_LINE} characters`);
      skipping = true;
      buffer = '';
    }
  };

  const closeWhenAnswered = (): void => {
    if (ended && open.size === 0) void transport.close();
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    if (!skipping) take(buffer);
    buffer = '';
    closeWhenAnswered();
  };
  const broken = (error: Error): void => {
    transport.onerror?.(error);
    void transport.close();
  };

  const transport: Transport = {
    start: () => {
      input.on('data', read).on('end', end).on('close', end).on('error', broken);
      output.on('error', broken);
      return Promise.resolve();
    },
    send: async (message) => {
      await write(serializeMessage(message));
      if (!('method' in message) && message.id !== undefined) {
        open.delete(message.id);
        closeWhenAnswered();
      }
    },
    close: () => {
      if (!closed) {
        closed = true;
        input.off('data', read).off('end', end).off('close', end).off('error', broken);
        input.pause();
        transport.onclose?.();
      }
      return Promise.resolve();
    },
  };
  return transport;
}
