import type { Command } from 'commander';
import { objectsOf, textsOf, wordOf, type Fields } from './answer.ts';
import { TEAM_SETTINGS } from '../node-calls.ts';
import { callAs, show, withApp, type Session } from './session.ts';
import { printable, table, type Palette } from './text.ts';
import { asTyped } from './typed.ts';

interface SetupFlags {
  readonly leaderRoom?: true;
  readonly invite?: readonly string[];
  readonly dryRun?: true;
}

/** `baton team setup`: the team's rooms on the homeserver; run again it does nothing. `baton team settings`: its rules. */
export function defineTeam(command: Command, session: Session): void {
  command
    .command('setup')
    .description("make the team's rooms on the homeserver and ask everybody in")
    .option('--leader-room', 'also a room for Leaders and their Manager')
    .option('--invite <user...>', 'Matrix ids of Workers to ask into the Team Room and to put on the roster')
    .option('--dry-run', 'only tell who would be asked into which room')
    .action(async ({ dryRun, ...payload }: SetupFlags) => {
      const call = { tool: 'team', action: 'setup', payload, dryRun: dryRun === true };
      const answer = await withApp(session, (app) => callAs(app, session.globals, call));
      const named = asTyped(answer, { invite: '--invite', leaderRoom: '--leader-room' });
      show(session, named, dryRun === true ? undefined : (palette) => renderSetup(answer, palette));
    });
  command
    .command('settings')
    .description("show the team's rules in shared/team.json as they hold now")
    .action(async () => {
      const answer = await withApp(session, (app) => callAs(app, session.globals, TEAM_SETTINGS));
      show(session, answer, (palette) => renderSettings(answer, palette));
    });
}

/** One line for each rule: those that the team has chosen first to the eye. */
function renderSettings(answer: Fields, palette: Palette): string {
  const rows = objectsOf(answer['settings']).map(({ key, value, isDefault }) => {
    const text = printable(valueText(value));
    return isDefault === true
      ? [palette.dim(wordOf(key)), palette.dim(text), palette.dim('default')]
      : [palette.bold(wordOf(key)), text, palette.green('set')];
  });
  return table(rows);
}

/** `null` and empty lists as a word: nothing is hard to see. */
function valueText(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function renderSetup(answer: Fields, palette: Palette): string {
  const rooms = objectsOf(answer['rooms']).map(({ key, roomId, created, invited }) => [
    created === true ? palette.green('made') : palette.dim('there'),
    palette.bold(wordOf(key)),
    printable(wordOf(roomId)),
    textsOf(invited).length === 0 ? '' : `invited ${textsOf(invited).map(printable).join(', ')}`,
  ]);
  const agents = textsOf(answer['registered']).map((name) => [
    palette.green('registered'),
    palette.bold(printable(name)),
  ]);
  const warnings = textsOf(answer['warnings']).map((text) => `${palette.yellow('warning')}  ${printable(text)}`);
  return [table([...rooms, ...agents]), ...warnings].join('\n');
}
