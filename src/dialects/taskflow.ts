import type { z } from 'zod';
import { OPERATIONS } from '../flows/catalog.ts';
import type { Operation } from '../flows/types.ts';
import { FlowError, toFlowError } from '../protocol/errors.ts';
import type { Actor, Role } from '../protocol/records/types.ts';
import { normalisePayload } from './payload.ts';
import { TOOLS, TOOL_SUMMARIES } from './taskflow-table.ts';
import type { ActionRow } from './taskflow-table.ts';
import { wordOf } from './payload-values.ts';

/** One call as a door got it (protocol.md §9.2); `actor` is already settled by the app. */
export interface DialectCall {
  readonly tool: string;
  readonly action: string;
  readonly payload?: unknown;
  /** Flat top-level fields; they fill what `payload` lacks. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly dryRun?: unknown;
  readonly actor: Actor;
}

/** protocol.md §9.3. Refusals are answers as well: a call never throws. */
export type Envelope = {
  readonly ok: boolean;
  readonly tool?: string;
  readonly action?: string;
  readonly error?: string;
  readonly code?: string;
  readonly [key: string]: unknown;
};

export type ExecuteCall = (
  name: string,
  input: unknown,
  options: { readonly actor: Actor; readonly dryRun: boolean; readonly label: string },
) => Promise<Record<string, unknown>>;

export interface ActionDescription {
  readonly action: string;
  readonly operation: string;
  readonly kind: 'query' | 'command';
  readonly summary: string;
  readonly inputSchema: z.ZodType;
}

export interface ToolDescription {
  readonly tool: string;
  readonly summary: string;
  readonly actions: readonly ActionDescription[];
}

/** Tools that a Worker neither sees nor may call (protocol.md §9.1, §10.20). */
const HIDDEN_FROM_WORKERS: ReadonlySet<string> = new Set(['message']);

/** The tools of a role with the actions that it may use, for MCP, the CLI and the docs. */
export function toolsFor(role: Role): readonly ToolDescription[] {
  return Object.entries(TOOLS)
    .filter(([tool]) => !isHidden(tool, role))
    .map(([tool, actions]) => ({
      tool,
      summary: TOOL_SUMMARIES[tool] ?? '',
      actions: Object.entries(actions).flatMap(([action, row]) => describe(action, row, role)),
    }))
    .filter(({ actions }) => actions.length > 0);
}

function describe(action: string, { operation: name }: ActionRow, role: Role): readonly ActionDescription[] {
  const operation = operationOf(name);
  if (!mayCall(operation, role)) return [];
  const { kind, summary, input } = operation;
  return [{ action, operation: name, kind, summary, inputSchema: input }];
}

/** Runs one call of the protocol's surface and answers with its envelope, whatever happens. */
export async function callTool(execute: ExecuteCall, call: DialectCall): Promise<Envelope> {
  const { tool, actor } = call;
  const actions = Object.hasOwn(TOOLS, tool) ? TOOLS[tool] : undefined;
  if (actions === undefined) {
    return { ok: false, tool, action: call.action, error: 'unknown_tool', code: 'invalid-argument' };
  }
  if (isHidden(tool, actor.role)) {
    return { ok: false, tool, action: call.action, error: 'forbidden_tool', code: 'wrong-role' };
  }
  const action = tool === 'health' ? 'health' : call.action.trim();
  const shown = tool === 'health' ? { tool } : { tool, action };
  let input: Record<string, unknown> = {};
  try {
    const row = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (row === undefined) {
      throw new FlowError('invalid-argument', `action must be one of: ${Object.keys(actions).join(', ')}`);
    }
    const operation = operationOf(row.operation);
    const dryRun = call.dryRun === undefined || call.dryRun === null ? false : wordOf(call.dryRun, 'dryRun');
    const source = { payload: call.payload, flat: call.arguments };
    input = normalisePayload(operation.input, source, row.rules);
    const output = await execute(row.operation, input, { actor, dryRun, label: action });
    return { ok: true, ...shown, ...(dryRun ? { dryRun } : {}), ...output };
  } catch (thrown) {
    return refusal(toFlowError(thrown, tool), shown, input);
  }
}

/** protocol.md §9.3: text, stable code, what the caller may do, and the ids that it concerns. */
function refusal(
  { message, code, retryable, remedy, data }: FlowError,
  shown: { readonly tool: string; readonly action?: string },
  input: Readonly<Record<string, unknown>>,
): Envelope {
  const { projectId, taskId } = input;
  return {
    ok: false,
    ...shown,
    error: message,
    code,
    ...(typeof projectId === 'string' ? { projectId } : {}),
    ...(typeof taskId === 'string' ? { taskId } : {}),
    ...(retryable ? { retryable } : {}),
    ...(remedy === undefined ? {} : { remedy }),
    ...data,
  };
}

function operationOf(name: string): Operation {
  const operation = OPERATIONS.get(name);
  if (operation === undefined) throw new FlowError('internal', `unknown operation: ${name}`);
  return operation;
}

/** An admin may do what a Leader may (protocol.md §0.3). */
function mayCall({ roles, internal }: Operation, role: Role): boolean {
  if (internal === true) return false;
  return roles.includes(role) || (role === 'admin' && roles.includes('leader'));
}

function isHidden(tool: string, role: Role): boolean {
  return (role === 'worker' || role === 'remote-member') && HIDDEN_FROM_WORKERS.has(tool);
}
