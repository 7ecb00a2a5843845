import { objectsOf, wordOf, type Fields } from './answer.ts';
import { clip, count, pad, printable, type Paints, type Palette } from './text.ts';

const PAINTS: Paints = {
  violation: 'red',
  question: 'magenta',
  stuck: 'red',
  late: 'red',
  blocked: 'red',
  check: 'yellow',
  acknowledgement: 'yellow',
  node: 'dim',
};

/** How the kinds stand there; what is not known by name is shown as it is called. */
const WORDS: Readonly<Record<string, string>> = {
  check: 'to check',
  acknowledgement: 'unacknowledged',
  node: 'mends itself',
};

const WIDEST = 14;

/** What needs a person, the most pressing first: what is wrong, and beneath it the command that mends it. */
export function renderNeeds(answer: Fields, palette: Palette, width: number): string {
  const needs = objectsOf(answer['needs']);
  if (needs.length === 0) return palette.green('nothing needs a person');
  const room = Math.max(24, width - WIDEST - 4);
  const lines = needs.flatMap((need) => {
    const field = (name: string): string => printable(wordOf(need[name]));
    const paint = palette[PAINTS[field('need')] ?? 'bold'];
    const place = [field('file'), field('line')].filter((part) => part !== '').join(':');
    const what = field('taskId') || field('projectId') || field('agent') || place;
    const head = `${paint(pad(WORDS[field('need')] ?? field('need'), WIDEST))}  ${palette.bold(what)}  `;
    const remedy = field('remedy');
    const hint = remedy === '' ? '' : `  (${remedy})`;
    return [
      `${head}${clip(field('message'), Math.max(24, room - what.length))}`,
      `${' '.repeat(WIDEST)}  ${palette.cyan(field('command'))}${palette.dim(hint)}`,
    ];
  });
  const waiting = needs.filter(({ need }) => need !== 'node').length;
  return [`${count(waiting, 'thing')} for a person`, '', ...lines].join('\n');
}
