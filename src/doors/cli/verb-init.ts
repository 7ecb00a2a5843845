import { resolve } from 'node:path';
import type { Command } from 'commander';
import { remoteOf } from './remote-address.ts';
import { table } from './text.ts';
import { show, type Session } from './session.ts';

interface InitFlags {
  readonly remote?: string;
  readonly team?: string;
  readonly inRepo?: boolean;
  readonly samples?: boolean;
  readonly sparse?: boolean;
}

/** `baton init [DIR]`: makes a workspace without a question asked; run again it changes nothing (interface.md §3). */
export function defineInit(command: Command, session: Session): void {
  command
    .argument('[dir]', 'where (default: here, or --workspace)')
    .option('--remote <url-or-path>', "the team's git remote; a path that does not exist becomes a bare repository")
    .option('--team <name>', 'the name of the team')
    .option('--in-repo', "keep Baton's branches inside this code repository")
    .option('--sparse', "leave others' tasks out of a Worker's clone")
    .option('--samples', 'begin with eight sample agents and ten sample tasks')
    .action(async (dir: string | undefined) => {
      await init(dir, command.opts<InitFlags>(), session);
    });
}

async function init(dir: string | undefined, flags: InitFlags, session: Session): Promise<void> {
  const { io, globals } = session;
  const { initWorkspace } = await io.load.app();
  const report = await initWorkspace({
    dir: resolve(io.cwd, dir ?? globals.workspace ?? '.'),
    env: io.env,
    ...(globals.role === undefined ? {} : { role: globals.role }),
    ...(globals.as === undefined ? {} : { as: globals.as }),
    ...(flags.remote === undefined ? {} : { remote: remoteOf(flags.remote, io.cwd) }),
    ...(flags.team === undefined ? {} : { team: flags.team }),
    ...(flags.inRepo === true ? { inRepo: true } : {}),
    ...(flags.samples === true ? { samples: true } : {}),
    ...(flags.sparse === true ? { sparse: true } : {}),
  });
  show(session, { ok: true, action: 'init', ...report }, (palette) =>
    [
      `${palette.green(report.created.length === 0 ? 'unchanged' : 'ready')}  ${report.root}`,
      table(report.created.map((path) => [palette.dim('made'), path])),
      ...report.notes,
    ]
      .filter((part) => part !== '')
      .join('\n'),
  );
}
