import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Session } from './session.ts';

/** `baton demo`: a whole project by real programs in clones of their own (interface.md §3). */
export function defineDemo(command: Command, session: Session): void {
  command
    .option('--matrix', 'with rooms on a throw-away homeserver (Synapse; needs Python 3.10 or newer)')
    .option('--once', 'end after the report, where --matrix would stay up until Ctrl-C')
    .option('--dir <dir>', 'where the clones are made (default: .baton/demo)')
    .option('--history <path>', 'the git repository or bundle to report about')
    .action(async () => {
      const { matrix, once, dir, history } = command.opts<{
        readonly matrix?: boolean;
        readonly once?: boolean;
        readonly dir?: string;
        readonly history?: string;
      }>();
      const { io, output } = session;
      const { stdout, columns, rows } = io.terminal;
      const demo = await io.load.demo();
      session.exit = await demo.runDemo({
        matrix: matrix === true,
        once: once === true,
        ...(dir === undefined ? {} : { dir: resolve(io.cwd, dir) }),
        ...(history === undefined ? {} : { history: resolve(io.cwd, history) }),
        json: output.json,
        live: stdout && !output.json && !output.quiet,
        color: output.color,
        columns,
        ...(rows === undefined ? {} : { rows }),
        write: output.quiet && !output.json ? () => undefined : io.out,
      });
    });
}
