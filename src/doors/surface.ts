import { toolsFor, type ActionDescription, type ToolDescription } from '../dialects/taskflow.ts';
import { FlowError } from '../protocol/errors.ts';
import { ROLES } from '../protocol/records/types.ts';
import { NODE } from './node-calls.ts';
import { parseRole } from '../protocol/roles.ts';

/** Baton's own tools: for people at the command line and the dashboard, where agents pay for every word. */
const OWN_TOOLS: ReadonlySet<string> = new Set([NODE.board.tool, 'agent', 'engine', 'team']);

/** The protocol's tools (protocol.md §9.1) that this role may use, each with the actions that it may call. */
export function protocolTools(role: string): readonly ToolDescription[] {
  const known = parseRole(role);
  if (known === undefined) {
    throw new FlowError('invalid-argument', `unknown role: ${role}`, { remedy: `use one of: ${ROLES.join(', ')}` });
  }
  return toolsFor(known).filter(({ tool }) => !OWN_TOOLS.has(tool));
}

/** Whether any role may use this tool. */
export function isProtocolTool(tool: string): boolean {
  return ROLES.some((role) => protocolTools(role).some((entry) => entry.tool === tool));
}

/** All actions of a tool, whoever may call them: a command line is read before it is known who acts. */
export function actionsOf(tool: string): readonly ActionDescription[] {
  const all = ROLES.flatMap((role) => toolsFor(role)).flatMap((entry) => (entry.tool === tool ? entry.actions : []));
  return [...new Map(all.map((entry) => [entry.action, entry])).values()];
}

/** One action. The friendly verbs name only actions that exist, which their test holds them to. */
export function actionOf(tool: string, action: string): ActionDescription {
  const found = actionsOf(tool).find((entry) => entry.action === action);
  if (found === undefined) throw new FlowError('internal', `unknown action: ${tool} ${action}`);
  return found;
}
