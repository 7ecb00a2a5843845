import type { Command } from 'commander';
import { actionsOf } from '../surface.ts';
import { fieldsOf } from '../fields.ts';
import { addFlags, payloadOf } from './flags.ts';
import { callAs, show, UsageError, withApp, type Session } from './session.ts';

/**
 * `baton taskflow|projectflow|roomflow|filesync|message ACTION`: the protocol's actions with their own names and fields, and
 * refused in its words, as over MCP.
 */
export function defineTool(tool: string, command: Command, session: Session): void {
  const actions = actionsOf(tool);
  const seeAlso = `see \`baton ${tool} --help\``;
  for (const { action, summary, inputSchema } of actions) {
    const fields = fieldsOf(inputSchema);
    const sub = command.command(action).description(summary);
    addFlags(sub, fields);
    sub.action(async () => {
      const { given } = await payloadOf(sub.opts(), fields, {}, session.io, `see \`baton ${tool} ${action} --help\``);
      const envelope = await withApp(session, (app) => callAs(app, session.globals, { tool, action, ...given }));
      show(session, envelope);
    });
  }
  // Reached only by words that are no action; the list is what helps then.
  command
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[action]', 'what to do')
    .action((action: string | undefined) => {
      const known = actions.map((entry) => entry.action).join(', ');
      throw new UsageError(action === undefined ? 'an action is missing' : `action must be one of: ${known}`, seeAlso);
    });
}
