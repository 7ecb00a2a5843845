import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Session } from './session.ts';

/** `baton demo`: a whole project by real programs in clones of their own (interface.md §3). */
export function defineDemo(command: Command, session: Session): void {
  command
    .option('--once', 'end after the report')
    .option('--dir <dir>', 'where the clones are made (default: .baton/ of this directory)')
    .action(async () => {
      const { once, dir } = command.opts<{ readonly once?: boolean; readonly dir?: string }>();
      const { io, output } = session;
      const demo = await io.load.demo();
      session.exit = await demo.runDemo({
        once: once === true,
        ...(dir === undefined ? {} : { dir: resolve(io.cwd, dir) }),
        json: output.json,
        live: io.terminal.stdout && !output.json && !output.quiet,
        color: output.color,
        write: output.quiet && !output.json ? () => undefined : io.out,
      });
    });
}
