import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, Server } from '@modelcontextprotocol/server';
import type { App, CallActor, Envelope } from '../../app-types.ts';
import { toFlowError } from '../../protocol/errors.ts';
import { versionOf } from '../version.ts';
import { listPrompts, promptText } from './prompts.ts';
import { pathOf, TEMPLATES } from './resources.ts';

/** Where the server finds the workspace; asked for each request, since a node may come and go meanwhile. */
export interface McpBackend {
  app(): Promise<App>;
  /** Who acts, when it is not the configured identity. */
  actor(app: App): Promise<CallActor | undefined>;
}

/** An MCP server on this backend, not yet connected to any transport. It keeps no state of its own. */
export function createMcpServer(backend: McpBackend): Server {
  const server = new Server(
    { name: 'baton', title: 'Baton', version: versionOf() },
    { capabilities: { tools: {}, resources: {}, prompts: {} }, instructions: INSTRUCTIONS },
  );
  // The catalogue of actions is loaded with the first question about it, so that the handshake does not wait for it.
  server.setRequestHandler('tools/list', async () => {
    const { listTools } = await import('./tools.ts');
    return { tools: listTools(await roleOf(backend)) };
  });
  server.setRequestHandler('tools/call', async ({ params }) => {
    const { toResult } = await import('./tools.ts');
    return toResult(await callTool(backend, params.name, params.arguments ?? {}));
  });
  server.setRequestHandler('resources/list', () => ({ resources: [] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: TEMPLATES }));
  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const path = pathOf(uri);
    const text = path === undefined ? undefined : await (await backend.app()).text(path);
    if (text === undefined) throw new ResourceNotFoundError(uri);
    return { contents: [{ uri, mimeType: 'text/markdown', text }] };
  });
  server.setRequestHandler('prompts/list', () => ({ prompts: listPrompts() }));
  server.setRequestHandler('prompts/get', ({ params: { name } }) => {
    const prompt = promptText(name);
    if (prompt === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `unknown prompt: ${name}; there are leader and worker`);
    }
    return {
      description: prompt.description,
      messages: [{ role: 'user', content: { type: 'text', text: prompt.text } }],
    };
  });
  return server;
}

const INSTRUCTIONS =
  'Baton runs projects through files in git. Every tool takes {action, payload}. Answers have ok; when it is false, ' +
  'error and code say why. The prompts leader and worker tell the flow of work.';

async function roleOf(backend: McpBackend): Promise<string> {
  const app = await backend.app();
  return (await backend.actor(app))?.role ?? app.identity.role;
}

/** Whatever goes wrong becomes an answer: a tool call never ends in a protocol error. */
async function callTool(
  backend: McpBackend,
  tool: string,
  given: Readonly<Record<string, unknown>>,
): Promise<Envelope> {
  const { standing, toCall } = await import('./tools.ts');
  try {
    const app = await backend.app();
    const actor = await backend.actor(app);
    const found = standing(tool, actor?.role ?? app.identity.role);
    if (found !== 'known') return { ok: false, tool, ...found };
    return await app.call(toCall(tool, given, actor));
  } catch (thrown) {
    const { code, message, remedy, retryable, data } = toFlowError(thrown, tool);
    return { ok: false, tool, code, error: message, ...(remedy === undefined ? {} : { remedy }), retryable, ...data };
  }
}
