import { Option, type Command } from 'commander';
import { workspaceOf, type Session } from './session.ts';

/** `baton mcp`: the MCP server on stdio. Standard output carries nothing but JSON-RPC. */
export function defineMcp(command: Command, session: Session): void {
  command
    .addOption(
      new Option('--tools <set>', "team: the protocol's tools; agent, all: with the tools for single agents")
        .choices(['team', 'agent', 'all'])
        .default('team'),
    )
    .action(async () => {
      const root = workspaceOf(session);
      const { serveMcp } = await import('../mcp/serve.ts');
      const { as, role } = session.globals;
      await serveMcp({
        root,
        env: session.io.env,
        load: session.io.load,
        ...(as === undefined ? {} : { as }),
        ...(role === undefined ? {} : { role }),
        note: (text) => session.io.err(`${text}\n`),
      });
    });
}
