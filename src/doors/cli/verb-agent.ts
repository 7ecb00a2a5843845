import type { Command } from 'commander';
import { numberOf, objectsOf, textsOf, wordOf, type Fields } from './answer.ts';
import { callAs, show, withApp, type Session } from './session.ts';
import { clip, printable, table, type Palette } from './text.ts';
import { defineFriendly } from './verb-friendly.ts';

/** Each way to be chosen, in words. */
const BY: Readonly<Record<string, string>> = {
  order: 'as ordered',
  preference: 'as preferred',
  score: 'as the best',
  fallback: 'as the fallback: nobody else is free and able',
};

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
  defineFriendly(command, session, { name: 'set-status', tool, action: 'set_status', places: ['agent', 'status'] });
  defineFriendly(command, session, { name: 'capabilities', tool, action: 'capabilities', places: ['agent'] });
  defineFriendly(command, session, {
    name: 'select',
    tool,
    action: 'select',
    places: ['taskId'],
    optional: ['taskId'],
    flags: { '--explain': 'show every agent, and why it is chosen or not' },
    draw:
      (answer, { explain }) =>
      (palette) =>
        renderSelection(answer, palette, explain === true),
  });
}

function renderAgents(answer: Fields, palette: Palette, width: number): string {
  const rows = objectsOf(answer['agents']).map((agent) => [
    palette.bold(printable(wordOf(agent['agent_id']))),
    printable(wordOf(agent['name'])),
    palette.cyan(printable(wordOf(agent['matrix_user_id']))),
    wordOf(agent['role']),
    agent['enabled'] === false ? palette.yellow('disabled') : wordOf(agent['status']),
    loadOf(agent, palette),
    presence(wordOf(agent['team_room']), palette),
    clip(textsOf(agent['capabilities']).map(printable).join(', '), Math.max(16, width - 86)),
  ]);
  const head = ['agent', 'name', 'matrix id', 'role', 'status', 'load', 'team room', 'capabilities'].map(palette.dim);
  const warnings = textsOf(answer['warnings']).map((text) => `${palette.yellow('warning')}  ${printable(text)}`);
  if (rows.length === 0) return ['no agents yet: `baton agent register NAME` adds one', ...warnings].join('\n');
  return [table([head, ...rows]), ...warnings].join('\n');
}

function presence(word: string, palette: Palette): string {
  return word === '' ? '-' : word === 'joined' ? palette.green(word) : palette.yellow(word);
}

function loadOf({ load, max_concurrent: max, status }: Fields, palette: Palette): string {
  const text = `${numberOf(load)}/${numberOf(max)}`;
  return status === 'OVERLOADED' ? palette.red(text) : numberOf(load) >= numberOf(max) ? palette.yellow(text) : text;
}

/** Who is chosen; with `explain`, everybody with what speaks for and against them (features.md §4). */
function renderSelection(answer: Fields, palette: Palette, explain: boolean): string {
  const { agent, by, candidates } = answer;
  const head =
    typeof agent === 'string'
      ? `${palette.green(printable(agent))}  ${BY[wordOf(by)] ?? ''}`.trimEnd()
      : `${palette.yellow('nobody')}  no agent is free and able`;
  if (!explain) return head;
  const rows = objectsOf(candidates).map((one) => [
    'place' in one ? String(numberOf(one['place'])) : '-',
    palette.bold(printable(wordOf(one['agent']))),
    wordOf(one['tier']),
    numberOf(one['score']).toFixed(3),
    numberOf(one['match']).toFixed(2),
    `${numberOf(one['load'])}/${numberOf(one['max'])}`,
    why(one, palette),
  ]);
  const columns = ['place', 'agent', 'tier', 'score', 'match', 'load', ''].map(palette.dim);
  return rows.length === 0 ? head : [head, '', table([columns, ...rows])].join('\n');
}

function why(one: Fields, palette: Palette): string {
  if (one['eligible'] !== true) return palette.yellow(wordOf(one['reason']));
  return 'place' in one ? palette.green('eligible') : palette.dim('score 0');
}
