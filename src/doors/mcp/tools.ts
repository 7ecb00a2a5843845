import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import type { CallActor, Envelope, ToolCall } from '../../app-types.ts';
import { fieldsOf } from '../fields.ts';
import { wordOf } from '../../dialects/payload-values.ts';
import type { ActionDescription } from '../../dialects/taskflow.ts';
import { isProtocolTool, protocolTools } from '../surface.ts';

/** The tools that a role sees, each with the actions that it may call. Kept small: an agent pays for every word. */
export function listTools(role: string): Tool[] {
  return protocolTools(role).map(({ tool, summary, actions }) => {
    const named = tool !== 'health';
    return {
      name: tool,
      description: [summary, ...(named ? actions.map(describe) : [])].join('\n'),
      inputSchema: {
        type: 'object',
        properties: {
          action: { type: 'string', enum: actions.map(({ action }) => action) },
          ...(named ? { payload: { type: 'object', description: 'Fields of the action; * is required.' } } : {}),
          ...(named ? { dryRun: { type: 'boolean', description: 'Check only, change nothing.' } } : {}),
        },
        ...(named ? { required: ['action'] } : {}),
      },
    };
  });
}

function describe({ action, summary, inputSchema }: ActionDescription): string {
  const fields = fieldsOf(inputSchema).map(({ name, required }) => (required ? `${name}*` : name));
  return `- ${action} {${fields.join(', ')}}: ${summary}`;
}

/** Whether this role has this tool; if not, the protocol's words for it (protocol.md §9.1). */
export function standing(tool: string, role: string): 'known' | { readonly code: string; readonly error: string } {
  if (!isProtocolTool(tool)) return { code: 'invalid-argument', error: 'unknown_tool' };
  const has = protocolTools(role).some((entry) => entry.tool === tool);
  return has ? 'known' : { code: 'wrong-role', error: 'forbidden_tool' };
}

/** Names that stand beside the payload and are not part of it; `role` is dropped, since the runtime's identity decides. */
const NOT_PAYLOAD: ReadonlySet<string> = new Set([
  'action',
  'payload',
  'dryRun',
  'dry_run',
  'role',
  'workspaceDir',
  'workspace_dir',
]);

/** The call that the arguments of `tools/call` mean (protocol.md §9.2): flat fields are passed on beside the payload. */
export function toCall(tool: string, given: Readonly<Record<string, unknown>>, actor: CallActor | undefined): ToolCall {
  const action = given['action'] ?? '';
  const dryRun = given['dryRun'] ?? given['dry_run'];
  const flat = Object.entries(given).filter(([name]) => !NOT_PAYLOAD.has(name));
  return {
    tool,
    action: typeof action === 'string' ? action : JSON.stringify(action),
    ...(given['payload'] === undefined ? {} : { payload: given['payload'] }),
    ...(dryRun === undefined || dryRun === null ? {} : { dryRun: wordOf(dryRun, 'dryRun') }),
    ...(flat.length === 0 ? {} : { arguments: Object.fromEntries(flat) }),
    ...(actor === undefined ? {} : { actor }),
  };
}

/** The answer as text and as structured content; a refusal is a result that says so, not a protocol error. */
export function toResult(envelope: Envelope): CallToolResult {
  return {
    content: [{ type: 'text', text: JSON.stringify(envelope) }],
    structuredContent: { ...envelope },
    isError: !envelope.ok,
  };
}
