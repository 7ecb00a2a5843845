/** What the polishing loop of the demo looks for in a report. */
type FindingKind = 'section without a lead sentence' | 'bare commit hash' | 'line over 100 characters';

interface StyleFinding {
  readonly kind: FindingKind;
  /** 1-based */
  readonly line: number;
}

const BARE_HASH = /(?<![`\w])[0-9a-f]{10}(?![`\w])/g;
const MAX_WIDTH = 100;

/** In the order in which they are mended: what is added to a line comes before its length is looked at. */
const MEND: ReadonlyMap<FindingKind, (text: string) => string> = new Map([
  ['section without a lead sentence', (text) => text.replaceAll(/^## (.+)\n\n\|/gm, lead)],
  ['bare commit hash', (text) => text.replaceAll(BARE_HASH, (hash) => `\`${hash}\``)],
  ['line over 100 characters', (text) => text.split('\n').map(wrap).join('\n')],
]);

/** Every place that reads badly, in order. */
export function lint(text: string): readonly StyleFinding[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const found: StyleFinding[] = [];
    const place = index + 1;
    if (line.startsWith('## ') && lines[index + 1] === '' && lines[index + 2]?.startsWith('|') === true) {
      found.push({ kind: 'section without a lead sentence', line: place });
    }
    for (const _ of line.matchAll(BARE_HASH)) found.push({ kind: 'bare commit hash', line: place });
    if (wrap(line) !== line) found.push({ kind: 'line over 100 characters', line: place });
    return found;
  });
}

/** Mends all findings of one kind; one iteration of the loop. */
export function mendOneKind(text: string): {
  readonly text: string;
  readonly kind: string;
  readonly mended: number;
} {
  const findings = lint(text);
  for (const [kind, mend] of MEND) {
    const mended = findings.filter((finding) => finding.kind === kind).length;
    if (mended > 0) return { text: mend(text), kind, mended };
  }
  return { text, kind: 'nothing', mended: 0 };
}

const LEADS: Readonly<Record<string, string>> = {
  Authors: 'Who made the commits, most first.',
  'What was done': 'The words that subjects begin with most often.',
  'Most changed files': 'Files by the number of commits that touch them.',
  'Large changes': 'The largest commits; they deserve a second look.',
  Days: 'Commits by day, the last fourteen days that had any.',
};

function lead(_: string, title: string): string {
  return `## ${title}\n\n${LEADS[title] ?? 'In figures:'}\n\n|`;
}

const isProse = (line: string): boolean => line !== '' && !/^(#|\||<|-{3}|```)/.test(line);

/** A word that would be taken for the mark of a heading, list, quote or table at the start of a line stays where it is. */
const STAYS = /^(?:[-+*#>|<=~`]|\d+[.)]$)/;

/** The lines of a wrapped line are left as they are when wrapped again, so that what was mended is no finding. */
function wrap(line: string): string {
  if (line.length <= MAX_WIDTH || !isProse(line)) return line;
  const lines: string[] = [];
  for (const word of line.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && (last.length + 1 + word.length <= MAX_WIDTH || STAYS.test(word))) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines.join('\n');
}
