import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { onTestFinished } from 'vitest';
import { cleanEnvironment } from './baton.ts';
import { BATON } from './program.ts';

export type Answer = Record<string, unknown> & { readonly ok: boolean };

/** An agent at the other end of `baton mcp`, in a workspace of its own. */
export interface Agent {
  readonly client: Client;
  call(tool: string, action: string, payload?: Record<string, unknown>, dryRun?: boolean): Promise<Answer>;
  /** As `call`, but the answer must be ok. */
  must(tool: string, action: string, payload?: Record<string, unknown>): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts `baton mcp` over stdio in `workspace` and shakes hands. Closed when the test ends. */
export async function startAgent(workspace: string, ...flags: string[]): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BATON, 'mcp', ...flags],
    cwd: workspace,
    env: cleanEnvironment() as Record<string, string>,
    stderr: 'pipe',
  });
  let errors = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const client = new Client({ name: 'test-agent', version: '1.0.0' });
  await client.connect(transport).catch((error: unknown) => {
    throw new Error(`baton mcp did not answer: ${String(error)}\n${errors}`);
  });
  const close = (): Promise<void> => client.close();
  onTestFinished(close);

  const call: Agent['call'] = async (tool, action, payload = {}, dryRun = false) => {
    const args = { action, payload, ...(dryRun ? { dryRun } : {}) };
    const result = await client.callTool({ name: tool, arguments: args });
    const [first] = result.content as readonly { type: string; text?: string }[];
    return JSON.parse(first?.text ?? '{}') as Answer;
  };
  return {
    client,
    call,
    async must(tool, action, payload) {
      const answer = await call(tool, action, payload);
      if (!answer.ok) throw new Error(`${tool} ${action}: ${JSON.stringify(answer)}\n${errors}`);
      return answer;
    },
    close,
  };
}
