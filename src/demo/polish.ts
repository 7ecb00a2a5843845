/** What the polishing loop of the demo looks for in a report. */
export type FindingKind = 'line over 100 characters' | 'bare commit hash' | 'section without a lead sentence';

export interface StyleFinding {
  readonly kind: FindingKind;
  readonly line: number;
}

const BARE_HASH = /(?<![`\w])[0-9a-f]{10}(?![`\w])/g;
const MAX_WIDTH = 100;

const isProse = (line: string): boolean => line !== '' && !/^(#|\||<|-{3}|```)/.test(line);

/** Every place that reads badly, in order. */
export function lint(text: string): readonly StyleFinding[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const found: StyleFinding[] = [];
    const place = index + 1;
    if (isProse(line) && line.length > MAX_WIDTH) found.push({ kind: 'line over 100 characters', line: place });
    for (const _ of line.matchAll(BARE_HASH)) found.push({ kind: 'bare commit hash', line: place });
    if (line.startsWith('## ') && lines[index + 2]?.startsWith('|')) {
      found.push({ kind: 'section without a lead sentence', line: place });
    }
    return found;
  });
}

/** Mends all findings of the kind that occurs most often; one iteration of the loop. */
export function mendMostFrequent(text: string): {
  readonly text: string;
  readonly kind: string;
  readonly mended: number;
} {
  const counts = new Map<FindingKind, number>();
  for (const { kind } of lint(text)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return { text, kind: 'nothing', mended: 0 };
  return { text: MEND[most[0]](text), kind: most[0], mended: most[1] };
}

const MEND: Readonly<Record<FindingKind, (text: string) => string>> = {
  'bare commit hash': (text) => text.replaceAll(BARE_HASH, (hash) => `\`${hash}\``),
  'line over 100 characters': (text) => text.split('\n').map(wrap).join('\n'),
  'section without a lead sentence': (text) =>
    text.replaceAll(
      /^## (.+)\n\n\|/gm,
      (_, title: string) => `## ${title}\n\nThis table shows: ${title.toLowerCase()}.\n\n|`,
    ),
};

function wrap(line: string): string {
  if (!isProse(line) || line.length <= MAX_WIDTH) return line;
  const wrapped: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + word.length + 1 > MAX_WIDTH) {
      wrapped.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...wrapped, current].join('\n');
}
