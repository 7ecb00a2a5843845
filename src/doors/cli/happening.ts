import { wordOf, type Fields } from './answer.ts';
import { clip, displayWidth, pad, printable, type Paint, type Paints, type Palette } from './text.ts';

/** How the kinds of what happened stand out; an event of the log is the ordinary case. */
const PAINTS: Paints = {
  refused: 'red',
  finding: 'yellow',
  unsent: 'yellow',
  problem: 'red',
  gap: 'yellow',
  cleared: 'green',
  message: 'dim',
  node: 'dim',
};

/**
 * What happened in one line: when, who, what, to which task or project, from which state to which, and what was said.
 * Fields are read by name, so that what a node of another version tells can be shown too.
 */
export function renderHappening(happening: Fields, palette: Palette, width: number): string {
  const word = (name: string): string => printable(wordOf(happening[name]));
  const paint: Paint = palette[PAINTS[word('kind')] ?? 'bold'];
  const kind = word('kind');
  const head = [
    palette.dim(word('at')),
    palette.cyan(pad(word('actor') === '' ? '-' : word('actor'), 10)),
    paint(pad(kind === 'event' || kind === 'node' ? word('what') : `${kind} ${word('what')}`, 20)),
    word('task') || word('subject') || word('project'),
  ].join('  ');
  const rest = changeOf(happening);
  const room = Math.max(24, width - displayWidth(head) - 2);
  return rest === '' ? head.trimEnd() : `${head}  ${clip(rest, room)}`;
}

/** From which state to which, and what was said. */
export function changeOf(happening: Fields): string {
  const word = (name: string): string => printable(wordOf(happening[name]));
  return [
    word('from') === '' && word('to') === '' ? '' : `${word('from') || '-'} → ${word('to') || '-'}`,
    [word('note'), word('remedy')].filter((part) => part !== '').join('; '),
  ]
    .filter((part) => part !== '')
    .join('  ');
}
