import { Option, type Command } from 'commander';
import { UsageError, workspaceOf, type Session } from './session.ts';

/** `baton mcp`: the MCP server on stdio. Standard output carries nothing but JSON-RPC. */
export function defineMcp(command: Command, session: Session): void {
  command
    .addOption(
      new Option('--tools <set>', "which tools to serve; only team, the protocol's, are there yet")
        .argParser(toolSet)
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
        note: (text) => session.io.err(`${session.output.redact(text)}\n`),
      });
    });
}

/** Throws `UsageError` rather than serving a set that is not the one asked for. */
function toolSet(name: string): string {
  if (name === 'team') return name;
  const isPlanned = name === 'agent' || name === 'all';
  const message = isPlanned
    ? `the tools for single agents are not there yet: --tools ${name}`
    : `unknown tools: ${name}`;
  throw new UsageError(message, 'use --tools team, or leave it out');
}
