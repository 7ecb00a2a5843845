import type { Command } from 'commander';
import { NODE } from '../node-calls.ts';
import { numberOf, objectsOf, wordOf, type Fields } from './answer.ts';
import { callAs, show, withApp, type Session } from './session.ts';
import { changeOf } from './happening.ts';
import { clip, displayWidth, pad, printable, table, type Palette } from './text.ts';
import { asTyped } from './typed.ts';

/** `baton log TASK` */
export function defineLog(command: Command, session: Session): void {
  command
    .argument('<id>', 'of a task or project')
    .option('--limit <number>', 'how many events, the newest ones', '200')
    .addHelpText(
      'after',
      '\nEach event is journaled (in its file only), committed (in this clone) or replicated (on the remote).',
    )
    .action(async (id: string) => {
      const payload = { id, ...command.opts<{ readonly limit: string }>() };
      const answer = await withApp(session, (app) => callAs(app, session.globals, { ...NODE.log, payload }));
      const named = asTyped(answer, { id: 'id', limit: '--limit' });
      show(session, named, (palette, width) => renderLog(answer, palette, width));
    });
}

/** Digits of a commit that tell it from others. */
const SHORT = 10;

function renderLog(answer: Fields, palette: Palette, width: number): string {
  const entries = objectsOf(answer['entries']);
  const id = printable(wordOf(answer['id']));
  if (entries.length === 0) return `nothing is written down about ${id} yet`;
  const word = (entry: Fields, name: string): string => printable(wordOf(entry[name]));
  const heads = table(
    entries.map((entry) => [
      palette.dim(word(entry, 'at')),
      palette.cyan(word(entry, 'actor')),
      palette.dim(word(entry, 'commit').slice(0, SHORT) || '-'),
      durabilityIn(palette, word(entry, 'durability')),
      palette.bold(word(entry, 'what')),
      word(entry, 'task') === id ? '' : word(entry, 'task') || word(entry, 'subject'),
    ]),
  ).split('\n');
  const widest = Math.max(...heads.map(displayWidth));
  const lines = entries.map((entry, index) => {
    const head = pad(heads[index] ?? '', widest);
    const change = changeOf(entry);
    return change === '' ? head.trimEnd() : `${head}  ${clip(change, Math.max(24, width - displayWidth(head) - 2))}`;
  });
  const hint = `older events are left out: \`baton log ${id} --limit ${numberOf(answer['count']) * 10}\``;
  return [...(answer['more'] === true ? [palette.dim(hint)] : []), ...lines].join('\n');
}

function durabilityIn(palette: Palette, durability: string): string {
  if (durability === 'replicated') return palette.green(durability);
  return durability === 'journaled' ? palette.red(durability) : palette.yellow(durability);
}
