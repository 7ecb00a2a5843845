import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { remoteOf } from './remote-address.ts';
import { UsageError } from './session.ts';
import type { Session } from './session.ts';

/** `baton chaos`: tries Baton's promises on a remote of the caller's own. */
export function defineChaos(command: Command, session: Session): void {
  command
    .option('--remote <url>', 'the git remote to try it on; only branches below a prefix of its own are touched')
    .option('--seeds <n>', 'how many random schedules', positive, 5)
    .option('--seed <n>', 'play this one again', positive)
    .option('--minutes <m>', 'begin no further schedule after so long', positive, 10)
    .option('--prefix <name>', 'the prefix of the scratch branches (default: chaos- and a random id)')
    .action(async () => {
      const { remote, seeds, seed, minutes, prefix } = command.opts<{
        readonly remote?: string;
        readonly seeds: number;
        readonly seed?: number;
        readonly minutes: number;
        readonly prefix?: string;
      }>();
      if (remote === undefined) throw new UsageError('missing option: --remote URL', 'see `baton chaos --help`');
      const { io, output } = session;
      const chaos = await io.load.chaos();
      session.exit = await chaos.runChaos({
        remote: remoteOf(remote, io.cwd),
        seeds,
        minutes,
        ...(seed === undefined ? {} : { seed }),
        ...(prefix === undefined ? {} : { prefix }),
        env: io.env,
        json: output.json,
        write: output.quiet && !output.json ? () => undefined : io.out,
      });
    });
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1 on.');
  return value;
}
