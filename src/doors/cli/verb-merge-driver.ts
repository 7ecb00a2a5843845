import { resolve } from 'node:path';
import type { Command } from 'commander';
import { EXIT } from './output.ts';
import type { Session } from './session.ts';

/** What this git does not tell, it passes on as the placeholder that stands in the configuration. */
const UNKNOWN = /^%[A-Z]$|^$/;
const MARKER_SIZE = 7;

/** `baton merge-driver`: git calls it for one file, as gitattributes(5) says; exit 1 leaves the conflict to a person. */
export function defineMergeDriver(command: Command, session: Session): void {
  command
    .argument('<base>', '%O')
    .argument('<ours>', '%A, which takes the result')
    .argument('<theirs>', '%B')
    .argument('<path>', '%P')
    .argument('[marker-size]', '%L')
    .argument('[label-base]', '%S')
    .argument('[label-ours]', '%X')
    .argument('[label-theirs]', '%Y')
    .option('--ancestors', 'git merges common ancestors: always end with a result')
    .action(async (base: string, ours: string, theirs: string, path: string, size?: string, ...labels: unknown[]) => {
      const { cwd, env, load } = session.io;
      const at = (file: string): string => resolve(cwd, file);
      const label = (index: number, otherwise: string): string => {
        const given = labels[index];
        return typeof given !== 'string' || UNKNOWN.test(given) ? otherwise : given;
      };
      const driver = await load.mergeDriver();
      const merged = await driver.driveMerge({
        cwd,
        env,
        path,
        base: at(base),
        ours: at(ours),
        theirs: at(theirs),
        markerSize: /^\d+$/.test(size ?? '') ? Number(size) : MARKER_SIZE,
        labels: { base: label(0, 'base'), ours: label(1, 'ours'), theirs: label(2, 'theirs') },
        ancestors: command.opts<{ readonly ancestors?: boolean }>().ancestors === true,
      });
      session.exit = merged ? EXIT.done : EXIT.refused;
    });
}
