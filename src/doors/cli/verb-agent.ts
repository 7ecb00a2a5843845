import type { Command } from 'commander';
import { objectsOf, textsOf, wordOf, type Fields } from './answer.ts';
import { callAs, show, withApp, type Session } from './session.ts';
import { clip, printable, table, type Palette } from './text.ts';
import { defineFriendly } from './verb-friendly.ts';

/** `baton agent …` */
export function defineAgent(command: Command, session: Session): void {
  const tool = 'agent';
  defineFriendly(command, session, { name: 'register', tool, action: 'register', places: ['agent'], givesRole: true });
  command
    .command('list')
    .description('who is of the team: names, Matrix ids, roles, and who is in the Team Room')
    .action(async () => {
      const answer = await withApp(session, (app) => callAs(app, session.globals, { tool, action: 'list' }));
      show(session, answer, (palette, width) => renderAgents(answer, palette, width));
    });
  defineFriendly(command, session, { name: 'show', tool, action: 'show', places: ['agent'] });
}

function renderAgents(answer: Fields, palette: Palette, width: number): string {
  const rows = objectsOf(answer['agents']).map((agent) => [
    palette.bold(printable(wordOf(agent['agent_id']))),
    printable(wordOf(agent['name'])),
    palette.cyan(printable(wordOf(agent['matrix_user_id']))),
    wordOf(agent['role']),
    agent['enabled'] === false ? palette.yellow('disabled') : wordOf(agent['status']),
    presence(wordOf(agent['team_room']), palette),
    clip(textsOf(agent['capabilities']).map(printable).join(', '), Math.max(16, width - 80)),
  ]);
  const head = ['agent', 'name', 'matrix id', 'role', 'status', 'team room', 'capabilities'].map(palette.dim);
  const warnings = textsOf(answer['warnings']).map((text) => `${palette.yellow('warning')}  ${printable(text)}`);
  if (rows.length === 0) return 'no agents yet: `baton agent register NAME` adds one';
  return [table([head, ...rows]), ...warnings].join('\n');
}

function presence(word: string, palette: Palette): string {
  return word === '' ? '-' : word === 'joined' ? palette.green(word) : palette.yellow(word);
}
