import type { Command } from 'commander';
import { show, terseLog, workspaceOf, type Session } from './session.ts';
import { table } from './text.ts';

interface SetupFlags {
  readonly leaderRoom?: boolean;
  readonly invite?: readonly string[];
}

/** `baton team setup`: the team's rooms on the homeserver; run again it does nothing. */
export function defineTeam(command: Command, session: Session): void {
  command
    .command('setup')
    .description("make the team's rooms on the homeserver and ask everybody in")
    .option('--leader-room', 'also a room for Leaders and their Manager')
    .option('--invite <user...>', 'full Matrix ids of others who belong into the Team Room')
    .action(async (flags: SetupFlags) => {
      await setUp(flags, session);
    });
}

async function setUp({ leaderRoom, invite }: SetupFlags, session: Session): Promise<void> {
  const { setUpTeam } = await import('../../app.ts');
  const rooms = await setUpTeam({
    root: workspaceOf(session),
    env: session.io.env,
    log: terseLog(session.output),
    ...(leaderRoom === undefined ? {} : { leaderRoom }),
    ...(invite === undefined ? {} : { invite }),
  });
  show(session, { ok: true, action: 'team setup', rooms }, (palette) =>
    table(
      rooms.map(({ key, roomId, created, invited }) => [
        created ? palette.green('made') : palette.dim('there'),
        palette.bold(key),
        roomId,
        invited.length === 0 ? '' : `invited ${invited.join(', ')}`,
      ]),
    ),
  );
}
